//! What freezing and checking come to.

use super::compare::Problem;
use super::shape::{Golden, History};
use crate::{ApiInfo, Version};
use std::fmt;
use std::path::{Path, PathBuf};

/// What [`freeze`](super::freeze) did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Frozen {
    path: PathBuf,
    changed: bool,
    name: String,
    released: Vec<Version>,
    unmade: Vec<String>,
}

impl Frozen {
    pub(super) fn new(path: PathBuf, changed: bool, history: &History) -> Self {
        let mut unmade = Vec::new();
        for method in &history.methods {
            for (version, golden) in &method.golden {
                if let Golden::None(reason) = golden {
                    unmade.push(format!(
                        "{} `{}` {version}: {reason}",
                        method.kind.name(),
                        method.name
                    ));
                }
            }
        }
        Self {
            path,
            changed,
            name: history.name.clone(),
            released: history.released.clone(),
            unmade,
        }
    }

    /// Whether the file is another than it was.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.changed
    }

    /// The methods and versions of which no message could be made up, each with the reason.
    #[must_use]
    pub fn unmade(&self) -> &[String] {
        &self.unmade
    }
}

impl fmt::Display for Frozen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let versions: Vec<String> = self.released.iter().map(Version::to_string).collect();
        let word = if self.changed { "written" } else { "unchanged" };
        write!(
            f,
            "`{}` {} is frozen: {} is {word}",
            self.name,
            versions.join(" and "),
            self.path.display()
        )?;
        for unmade in &self.unmade {
            write!(f, "\n  no message could be made up of {unmade}")?;
        }
        Ok(())
    }
}

/// What was released is not kept, or a history cannot be read or written. Its text says everything that is wrong, and what to write.
#[derive(Clone, Debug)]
pub struct HistoryError {
    text: String,
}

impl HistoryError {
    pub(super) fn new(path: &Path, what: impl fmt::Display) -> Self {
        Self {
            text: format!("{}: {what}", path.display()),
        }
    }

    /// The same, where something was to be written.
    pub(super) fn unwritten(mut self) -> Self {
        self.text.push_str("\nNothing was written.");
        self
    }

    pub(super) fn broken(path: &Path, api: &ApiInfo, problems: &[Problem]) -> Self {
        use fmt::Write;
        let mut text = format!(
            "`{}` is not what was released as {}",
            api.name(),
            path.display()
        );
        for Problem { what, write, .. } in problems {
            let _ = write!(text, "\n\n  {what}\n    {write}");
        }
        text.push_str("\n\nWhoever was released sends these messages. To mean it nevertheless, delete the file and freeze it anew.");
        Self { text }
    }
}

impl fmt::Display for HistoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for HistoryError {}
