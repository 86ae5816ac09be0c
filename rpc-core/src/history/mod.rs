//! A file of what was released, and a check that it is kept.
//!
//! What a version of an API sends must be understood as long as that version is spoken. A history is a file beside the code of an
//! API that holds, for each version, what its messages look like: methods, arguments, types as they are written, the encoded
//! defaults, and a message, encoded, that is really decoded each time. A test compares it with the API:
//!
//! ```
//! # use rpc_core::{Context, rpc_api};
//! #[rpc_api(version = "1.0")]
//! trait Greeter {
//!     async fn greet(&self, ctx: &Context, name: &str) -> String;
//! }
//!
//! struct Polite;
//! # impl Greeter for Polite {
//! #     async fn greet(&self, _: &Context, name: &str) -> String { format!("Good day, {name}.") }
//! # }
//!
//! # /*
//! #[test]
//! # */
//! fn the_released_api_is_kept() {
//!     // beside Cargo.toml
//!     rpc_core::history::check("greeter.api", &GreeterDispatcher::new(Polite));
//! }
//! ```
//!
//! A release is frozen by `RPC_HISTORY=freeze cargo test the_released_api_is_kept`, and by committing the file that this writes:
//!
//! ```text
//! api Greeter
//! released 1.0
//!
//! call greet
//!     1.0 (name: &str) -> String
//!     golden 1.0 81a46e616d65a161
//! ```
//!
//! From then on the test fails when a change breaks what was released, and says what to write instead; a new version adds to the
//! file when it is frozen. Nothing that was released is overwritten: who means it deletes the file, or corrects a line.
//!
//! The arguments of the golden messages are made up from what their types ask for when they are decoded. Where that does not lead
//! to a message, as with a text of a form that nobody could guess, the file says so, and only the shape is compared.

mod args;
mod compare;
mod file;
mod golden;
mod made_up;
mod node;
#[cfg(test)]
mod rules;
mod scan;
mod shape;
#[cfg(test)]
mod tests;

use crate::{ApiInfo, Endpoint, Version};
use compare::{Problem, compare};
use golden::Target;
use shape::{Golden, History, Method};
use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The environment variable that turns [`check`] into [`freeze`], by the value `freeze`.
pub const VARIABLE: &str = "RPC_HISTORY";

/// Checks that what was released of an API is kept; for a test.
///
/// The path is relative to the folder of the crate that is tested. With `RPC_HISTORY=freeze` in the environment the file is
/// written instead, by [`freeze`].
///
/// ```
/// # use rpc_core::{Context, rpc_api, history};
/// # #[rpc_api(version = "1.0")]
/// # trait Greeter { async fn greet(&self, ctx: &Context, name: &str) -> String; }
/// # struct Polite;
/// # impl Greeter for Polite {
/// #     async fn greet(&self, _: &Context, name: &str) -> String { name.into() }
/// # }
/// # let folder = std::env::temp_dir().join(format!("history-check-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # let path = folder.join("greeter.api");
/// # history::freeze(&path, &GreeterDispatcher::new(Polite)).unwrap();
/// history::check(&path, &GreeterDispatcher::new(Polite));
/// # std::fs::remove_dir_all(&folder).unwrap();
/// ```
///
/// # Panics
///
/// When it is not kept, or cannot be frozen: with everything that is wrong, and what to write.
#[track_caller]
pub fn check(path: impl AsRef<Path>, endpoint: &dyn Endpoint) {
    let done = match std::env::var(VARIABLE).as_deref() {
        Ok("freeze") => freeze(path, endpoint).map(|frozen| {
            // past what tests write to, which is shown only of those that fail
            let _ = writeln!(std::io::stderr().lock(), "{frozen}");
        }),
        Err(_) | Ok("" | "check") => verify(path, endpoint),
        Ok(other) => panic!(
            "{VARIABLE} is `{}`: write `freeze`, or unset it",
            crate::text::shown(other)
        ),
    };
    if let Err(error) = done {
        panic!("{error}");
    }
}

/// The same as [`check`] as a result, and without a look at the environment.
///
/// # Errors
///
/// When what was released is not kept, or there is no file that can be read.
pub fn verify(path: impl AsRef<Path>, endpoint: &dyn Endpoint) -> Result<(), HistoryError> {
    let path = located(path.as_ref());
    let api = endpoint.api();
    let Some(released) = read(&path)? else {
        return Err(HistoryError::new(
            &path,
            format_args!(
                "there is no history of `{}` yet: write it with `{VARIABLE}=freeze cargo test`, and commit it",
                api.name()
            ),
        ));
    };
    judged(&path, &released, endpoint)
}

/// Writes what an API is now into its history, as released, and makes up the messages that are missing there.
///
/// What was there before is kept, but for majors that are not spoken any more.
///
/// ```
/// # use rpc_core::{Context, rpc_api, history};
/// # #[rpc_api(version = "1.0")]
/// # trait Greeter { async fn greet(&self, ctx: &Context, name: &str) -> String; }
/// # struct Polite;
/// # impl Greeter for Polite {
/// #     async fn greet(&self, _: &Context, name: &str) -> String { name.into() }
/// # }
/// # let folder = std::env::temp_dir().join(format!("history-freeze-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # let path = folder.join("greeter.api");
/// let frozen = history::freeze(&path, &GreeterDispatcher::new(Polite))?;
/// assert!(frozen.unmade().is_empty());
/// history::verify(&path, &GreeterDispatcher::new(Polite))?;
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok::<(), history::HistoryError>(())
/// ```
///
/// # Errors
///
/// When it is incompatible with what was released; then nothing is written.
pub fn freeze(path: impl AsRef<Path>, endpoint: &dyn Endpoint) -> Result<Frozen, HistoryError> {
    let path = located(path.as_ref());
    let released = read(&path)?;
    if let Some(released) = &released {
        judged(&path, released, endpoint).map_err(|mut error| {
            error.text.push_str("\nNothing was written.");
            error
        })?;
    }
    let before = released.as_ref().map(ToString::to_string);
    let history = extended(released, endpoint);
    let text = history.to_string();
    let changed = before.as_ref() != Some(&text);
    if changed {
        std::fs::write(&path, text).map_err(|error| {
            HistoryError::new(&path, format_args!("cannot be written: {error}"))
        })?;
    }
    Ok(Frozen::new(path, changed, &history))
}

/// Relative paths are relative to the crate that cargo runs something of.
fn located(path: &Path) -> PathBuf {
    match std::env::var_os("CARGO_MANIFEST_DIR") {
        Some(folder) => Path::new(&folder).join(path),
        None => path.into(),
    }
}

fn read(path: &Path) -> Result<Option<History>, HistoryError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(HistoryError::new(
                path,
                format_args!("cannot be read: {error}"),
            ));
        }
    };
    file::parse(&text).map(Some).map_err(|error| {
        HistoryError::new(
            path,
            format_args!(
                "line {}: {}; restore the file as it was committed",
                error.line, error.message
            ),
        )
    })
}

fn judged(path: &Path, released: &History, endpoint: &dyn Endpoint) -> Result<(), HistoryError> {
    let mut problems = compare(released, endpoint.api());
    problems.extend(undecoded(released, endpoint));
    match problems.is_empty() {
        true => Ok(()),
        false => Err(HistoryError::broken(path, endpoint.api(), &problems)),
    }
}

/// The golden messages that are not understood any more.
fn undecoded(released: &History, endpoint: &dyn Endpoint) -> Vec<Problem> {
    let mut problems = Vec::new();
    for was in &released.methods {
        for (version, golden) in &was.golden {
            let (Golden::Bytes(bytes), Some(target)) =
                (golden, target(endpoint, &was.name, *version))
            else {
                continue;
            };
            if let Err(message) = target.takes(bytes) {
                problems.push(Problem::new(
                    format_args!(
                        "{} `{}`: a message of {version} is not understood any more: {message}",
                        was.kind.name(),
                        was.name
                    ),
                    "a type of Rust has changed: take it back as it was, or keep it as it was under another name, \
                     and write `was(type = ..)` before the argument",
                ));
            }
        }
    }
    problems
}

/// Where messages of a version go, if the API has that.
fn target<'a>(endpoint: &'a dyn Endpoint, name: &str, version: Version) -> Option<Target<'a>> {
    let api = endpoint.api();
    let index = api
        .methods()
        .iter()
        .position(|method| method.name() == name)?;
    let method = &api.methods()[index];
    (api.serves(version) && method.is_in(version)).then_some(Target {
        endpoint,
        index,
        method,
        version,
    })
}

/// What is released now, after what was.
fn extended(released: Option<History>, endpoint: &dyn Endpoint) -> History {
    let mut now = History::of(endpoint.api());
    let was = released
        .map(|released| released.methods)
        .unwrap_or_default();
    for method in &mut now.methods {
        if let Some(was) = was.iter().find(|was| was.name == method.name) {
            keep(was, method);
        }
        let golden = std::mem::take(&mut method.golden);
        let mut golden: Vec<(Version, Golden)> = golden
            .into_iter()
            .filter(|(version, golden)| {
                matches!(golden, Golden::Bytes(_)) && endpoint.api().serves(*version)
            })
            .collect();
        for (version, _) in method.shapes.iter().filter(|(_, shape)| shape.is_some()) {
            if let (false, Some(target)) = (
                golden.iter().any(|(other, _)| other == version),
                target(endpoint, &method.name, *version),
            ) {
                golden.push((*version, target.message()));
            }
        }
        golden.sort_by_key(|(version, _)| *version);
        method.golden = golden;
    }
    // what is new comes last
    now.methods.sort_by_key(|method| {
        let place = was.iter().position(|was| was.name == method.name);
        place.unwrap_or(was.len())
    });
    now
}

/// Keeps the messages, and lines in which only the order of arguments is another.
fn keep(was: &Method, now: &mut Method) {
    now.golden.clone_from(&was.golden);
    for (version, shape) in &mut now.shapes {
        let before = was.shapes.iter().find(|(before, _)| before == version);
        if let (Some(shape), Some((_, Some(before)))) = (shape, before) {
            let place = |name: &str| before.args.iter().position(|arg| arg.name == name);
            shape
                .args
                .sort_by_key(|arg| place(&arg.name).unwrap_or(before.args.len()));
        }
    }
}

/// What [`freeze`] did.
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
    fn new(path: PathBuf, changed: bool, history: &History) -> Self {
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
    fn new(path: &Path, what: impl fmt::Display) -> Self {
        Self {
            text: format!("{}: {what}", path.display()),
        }
    }

    fn broken(path: &Path, api: &ApiInfo, problems: &[Problem]) -> Self {
        use fmt::Write;
        let mut text = format!(
            "`{}` is not what was released as {}",
            api.name(),
            path.display()
        );
        for Problem { what, write } in problems {
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
