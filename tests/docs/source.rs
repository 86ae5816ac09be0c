//! The source of this repository, as tests of documents look at it.

use crate::root;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// A file of Rust.
pub(crate) struct Source {
    /// From the root of the repository.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl Source {
    /// Its path in Rust, such as `rpc_core::exchange::link`.
    pub(crate) fn module(&self) -> String {
        let parts = self.path.with_extension("");
        let parts: Vec<&str> = parts
            .iter()
            .filter_map(|part| part.to_str())
            .filter(|part| !["src", "lib", "main", "mod"].contains(part))
            .collect();
        parts.join("::").replace('-', "_")
    }

    /// Without what only tests see: a module of tests is at the end of its file.
    fn shipped(&self) -> &str {
        self.text
            .split_once("#[cfg(test)]\nmod tests {")
            .map_or(self.text.as_str(), |(shipped, _)| shipped)
    }

    /// The lines of code that are shipped, without comments.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.shipped()
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with("//"))
    }
}

/// Every file under a folder.
pub(crate) fn files(folder: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push(Source {
                    text: std::fs::read_to_string(&path).expect("text"),
                    path: path.strip_prefix(root()).expect("in it").to_owned(),
                });
            }
        }
    }
    sources
}

/// Every file of a crate that is shipped: no modules of tests.
pub(crate) fn shipped(name: &str) -> Vec<Source> {
    let sources = files(&format!("{name}/src"));
    let tests: HashSet<PathBuf> = sources.iter().flat_map(test_modules).collect();
    sources
        .into_iter()
        .filter(|source| !tests.iter().any(|test| source.path.starts_with(test)))
        .filter(|source| !tests.contains(&source.path.with_extension("")))
        .collect()
}

/// Where the modules of a file are that only tests see, without the extension.
fn test_modules(source: &Source) -> Vec<PathBuf> {
    let folder = match source.path.file_stem().and_then(|stem| stem.to_str()) {
        Some("mod" | "lib" | "main") => source.path.parent().unwrap_or(Path::new("")).to_owned(),
        _ => source.path.with_extension(""),
    };
    [
        "#[cfg(test)]",
        "#[cfg(all(test, shuttle))]",
        "#[cfg(feature = \"testing\")]",
    ]
    .iter()
    .flat_map(|attribute| source.text.split(attribute).skip(1))
    .filter_map(|after| {
        let declared = after.trim_start();
        let declared = declared
            .trim_start_matches("pub(super) ")
            .trim_start_matches("pub ");
        let (name, _) = declared.strip_prefix("mod ")?.split_once(';')?;
        Some(folder.join(name))
    })
    .collect()
}
