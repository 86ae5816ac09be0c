//! The Python that the peers of `tests/python` run with.

use std::ffi::OsString;
use std::path::Path;

use super::venv;
use crate::run::Outcome;
use crate::workspace::root;

/// Gives the interpreter that has what the peers need.
pub(super) fn prepare(folder: &Path) -> Outcome<OsString> {
    let requirements = root().join("tests").join("python").join("requirements.txt");
    let interpreter = venv::prepare(&folder.join("python"), &requirements)?;
    Ok(interpreter.into_os_string())
}
