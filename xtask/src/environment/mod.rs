//! What tests need that is no crate, such as peers in other languages and hosts to run on. It is installed below `target/`, or from Debian's packages.
//!
//! A test that needs an entry is in a module `with_NAME`, and is `#[ignore]`d with the words "needs …", so that `cargo test` does
//! without. It finds by the entry's variable what it needs.

mod debian;
mod network;
mod programs;
mod python;
mod venv;

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use crate::run::Outcome;
use crate::say;
use crate::step::step;
use crate::workspace::{metadata, target_folder};

/// One thing that some tests need.
struct Entry {
    name: &'static str,
    /// The environment variable that tells the tests where it is.
    variable: &'static str,
    /// Gives the variable's value. It is given the folder in which it may keep things between runs.
    prepare: fn(&Path) -> Outcome<OsString>,
}

/// All of them, in the order in which they are made ready.
const ENTRIES: &[Entry] = &[
    Entry {
        name: "python",
        variable: "RPC_TEST_PYTHON",
        prepare: python::prepare,
    },
    Entry {
        name: "redis",
        variable: "RPC_TEST_REDIS_SERVER",
        prepare: programs::redis_server,
    },
    Entry {
        name: "dnsmasq",
        variable: "RPC_TEST_DNSMASQ",
        prepare: programs::dnsmasq,
    },
    Entry {
        name: "network",
        variable: "RPC_TEST_IP",
        prepare: network::prepare,
    },
];

/// What is ready.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    variables: Vec<(&'static str, OsString)>,
    missing: Vec<&'static str>,
}

impl Environment {
    /// Makes everything ready. What can't be is an error if everything `must` be ready; else it is said, and the tests that need it
    /// are left out.
    pub(crate) fn prepare(must: bool) -> Outcome<Self> {
        let target = target_folder(&metadata()?);
        Self::of(ENTRIES, &target.join("environment"), must)
    }

    fn of(entries: &[Entry], folder: &Path, must: bool) -> Outcome<Self> {
        let mut environment = Self::default();
        for entry in entries {
            match step(entry.name, || (entry.prepare)(folder)) {
                Ok(value) => environment.variables.push((entry.variable, value)),
                Err(problem) if must => return Err(problem),
                Err(problem) => {
                    say::problem(&format!("{problem}; the tests that need it are skipped"));
                    environment.missing.push(entry.name);
                }
            }
        }
        Ok(environment)
    }

    /// Makes a run of `cargo test` one that has all this, and of the tests that are ignored elsewhere those that can run.
    pub(crate) fn tell(&self, command: &mut Command) {
        command
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .args(["--", "--include-ignored"]);
        for name in &self.missing {
            command.args(["--skip", &format!("with_{name}::")]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THERE: Entry = Entry {
        name: "there",
        variable: "RPC_TEST_THERE",
        prepare: |folder| Ok(folder.join("there").into()),
    };
    const MISSING: Entry = Entry {
        name: "missing",
        variable: "RPC_TEST_MISSING",
        prepare: |_| Err("it is not there; install it".to_owned()),
    };

    fn told(environment: &Environment) -> Command {
        let mut command = Command::new("test");
        environment.tell(&mut command);
        command
    }

    #[test]
    fn what_is_ready_is_told_by_its_variable_and_its_tests_run() {
        let environment = Environment::of(&[THERE], Path::new("folder"), true).expect("it is");
        let command = told(&environment);
        let place = Path::new("folder").join("there");
        let variables: Vec<_> = command.get_envs().collect();
        assert_eq!(
            variables,
            [("RPC_TEST_THERE".as_ref(), Some(place.as_os_str()))]
        );
        let arguments: Vec<_> = command.get_args().collect();
        assert_eq!(arguments, ["--", "--include-ignored"]);
    }

    #[test]
    fn what_is_missing_is_an_error_only_where_it_must_be_there() {
        let folder = Path::new("folder");
        let problem = Environment::of(&[MISSING], folder, true).expect_err("it is missing");
        assert!(problem.contains("install it"), "{problem}");
        let environment = Environment::of(&[MISSING, THERE], folder, false).expect("it need not");
        let command = told(&environment);
        let arguments: Vec<_> = command.get_args().collect();
        assert_eq!(
            arguments,
            ["--", "--include-ignored", "--skip", "with_missing::"]
        );
        assert_eq!(command.get_envs().count(), 1);
    }
}
