//! Virtual environments of Python: made once, and again when the interpreter or the requirements change.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::debian;
use crate::run::{Outcome, capture, through};
use crate::say;

/// The oldest Python that will do.
const OLDEST: (u32, u32) = (3, 9);

/// The limit for one step: packages may have to be built.
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// What says that the environment is complete, and of what it was made.
const STAMP: &str = "made-of.txt";

/// Gives the interpreter of an environment that has what a file of pinned and hashed requirements lists, and nothing else.
pub(super) fn prepare(folder: &Path, requirements: &Path) -> Outcome<PathBuf> {
    let python = find().or_else(|()| install())?;
    let wanted = fs::read_to_string(requirements)
        .map_err(|error| format!("cannot read {}: {error}", requirements.display()))?;
    let stamp = format!("{}\n{}\n{wanted}", python.path, python.version);
    let interpreter = folder.join("bin").join("python");
    let made_of = fs::read_to_string(folder.join(STAMP)).unwrap_or_default();
    if made_of == stamp && works(&interpreter) {
        say::line("nothing to install");
        return Ok(interpreter);
    }

    // what is left of an attempt that failed is of no use
    let _ = fs::remove_dir_all(folder);
    through(
        Command::new(&python.path).args(["-m", "venv"]).arg(folder),
        LIMIT,
    )?;
    let mut pip = Command::new(&interpreter);
    pip.args(["-m", "pip", "--disable-pip-version-check", "--no-input"])
        .args(["install", "--quiet", "--require-hashes", "-r"])
        .arg(requirements);
    through(&mut pip, LIMIT)?;
    fs::write(folder.join(STAMP), stamp)
        .map_err(|error| format!("cannot write into {}: {error}", folder.display()))?;
    Ok(interpreter)
}

/// An interpreter that can make environments.
#[derive(Debug, PartialEq)]
struct Python {
    path: String,
    version: String,
}

impl Python {
    /// From what [`PROBE`] wrote. `None` if it is too old.
    fn from_probe(output: &str) -> Option<Self> {
        let mut lines = output.lines();
        let (path, version) = (lines.next()?.trim(), lines.next()?.trim());
        let mut numbers = version.split('.').map(str::parse);
        let is = (numbers.next()?.ok()?, numbers.next()?.ok()?);
        (is >= OLDEST).then(|| Self {
            path: path.to_owned(),
            version: version.to_owned(),
        })
    }
}

/// Debian has the two modules in a package of their own.
const PROBE: &str = "\
import sys, venv, ensurepip
print(sys.executable)
print('.'.join(str(part) for part in sys.version_info[:3]))";

fn find() -> Result<Python, ()> {
    ["python3", "/usr/bin/python3", "python"]
        .into_iter()
        .find_map(probe)
        .ok_or(())
}

fn probe(program: &str) -> Option<Python> {
    let mut command = Command::new(program);
    command.args(["-c", PROBE]).stderr(Stdio::null());
    let output = capture(&mut command, Duration::from_secs(60)).ok()?;
    Python::from_probe(&String::from_utf8_lossy(&output))
}

fn works(interpreter: &Path) -> bool {
    interpreter
        .to_str()
        .is_some_and(|path| probe(path).is_some())
}

fn install() -> Outcome<Python> {
    let (major, minor) = OLDEST;
    let needed = format!(
        "no Python of version {major}.{minor} or newer with its modules `venv` and `ensurepip` is on the PATH"
    );
    say::line(&needed);
    debian::install(&["python3-venv"])
        .map_err(|problem| format!("{needed}; install one, and run this again: {problem}"))?;
    find().map_err(|()| format!("{needed}, and Debian's package python3-venv did not bring it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interpreter_is_taken_by_its_version() {
        let python = |version: &str| Python::from_probe(&format!("/usr/bin/python3\n{version}\n"));
        let taken = python("3.11.2").expect("it is new enough");
        assert_eq!(taken.path, "/usr/bin/python3");
        assert_eq!(taken.version, "3.11.2");
        assert!(python("3.9.0").is_some());
        assert!(python("4.0.0").is_some());
        assert_eq!(python("3.8.20"), None);
        assert_eq!(python("2.7.18"), None);
    }

    #[test]
    fn what_is_no_interpreter_is_not_taken() {
        for output in [
            "",
            "\n",
            "/usr/bin/python3",
            "/usr/bin/python3\nPython 3.11",
            "x\n3",
        ] {
            assert_eq!(Python::from_probe(output), None, "{output:?}");
        }
        assert_eq!(probe("no-such-program"), None);
    }
}
