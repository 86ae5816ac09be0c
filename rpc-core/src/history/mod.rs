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
mod extend;
mod file;
mod golden;
mod made_up;
mod node;
mod outcome;
#[cfg(test)]
mod rules;
mod scan;
mod shape;
#[cfg(test)]
mod tests;

pub use outcome::{Frozen, HistoryError};

use crate::Endpoint;
use compare::compare;
use extend::extended;
use golden::undecoded;
use shape::History;
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
        judged(&path, released, endpoint).map_err(HistoryError::unwritten)?;
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
    problems.extend(undecoded(released, endpoint, &problems));
    match problems.is_empty() {
        true => Ok(()),
        false => Err(HistoryError::broken(path, endpoint.api(), &problems)),
    }
}
