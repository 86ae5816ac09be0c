//! What the documents promise about the files of this repository.

mod conformance;
mod limits;
mod source;
mod table;

use std::path::{Path, PathBuf};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("a workspace")
        .into()
}

pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The texts and targets of a document's links.
fn links(text: &str) -> Vec<(String, String)> {
    let mut links = Vec::new();
    for (at, _) in text.match_indices("](") {
        let label = text[..at].rfind('[').map(|start| &text[start + 1..at]);
        let target = text[at + 2..].split(')').next();
        if let (Some(label), Some(target)) = (label, target) {
            links.push((label.trim_matches('`').to_owned(), target.to_owned()));
        }
    }
    links
}

#[test]
fn the_way_of_one_call_is_twelve_files_that_exist() {
    let guide = read("rpc-core/guide/differences.md");
    let path: Vec<_> = links(&guide)
        .into_iter()
        .filter(|(_, target)| target.contains("/src/"))
        .collect();
    assert!((8..=12).contains(&path.len()), "{path:?}");
    for (file, target) in path {
        assert!(root().join(&file).is_file(), "{file} is not there");
        let (name, rest) = file.split_once("/src/").expect("a file of a crate");
        assert_eq!(
            target,
            format!("../src/{}/{rest}.html", name.replace('-', "_")),
            "the link to {file}"
        );
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    let documents = [
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CHANGELOG.md",
        "docs/wire-protocol.md",
        "docs/security.md",
        "docs/zeromq-engine.md",
        "docs/conformance.md",
        "docs/benchmarks.md",
    ];
    let mut seen = 0;
    for document in documents {
        let folder = root().join(document).parent().expect("a folder").to_owned();
        for (_, target) in links(&read(document)) {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            seen += 1;
            assert!(
                folder.join(file).exists(),
                "{document} links to {target}, which is not there"
            );
        }
    }
    assert!(seen > 10, "only {seen} links were found");
}

#[test]
fn every_example_is_in_the_readme_and_the_manifest() {
    let (readme, manifest) = (read("README.md"), read("examples/Cargo.toml"));
    let names: Vec<&str> = manifest
        .split("[[example]]")
        .skip(1)
        .filter_map(|entry| entry.split("name = \"").nth(1)?.split('"').next())
        .collect();
    assert!(names.len() >= 7, "{names:?}");
    for name in names {
        assert!(
            readme.contains(&format!("[`{name}`](examples/")),
            "{name} is not in the README"
        );
    }
}
