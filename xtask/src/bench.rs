//! `cargo xtask bench`: the benchmarks beside their floors, or beside other frameworks as well.

use std::ffi::OsString;
use std::time::Duration;

use crate::run::{Outcome, cargo, through};
use crate::workspace::root;

/// Long enough for any benchmark that somebody waits for.
const LIMIT: Duration = Duration::from_secs(6 * 60 * 60);

/// Where the tables are written.
const DOCUMENT: &str = "docs/benchmarks.md";

/// The benchmarks beside other frameworks.
pub(crate) const PEERS: &str = "benches/peers/Cargo.toml";

/// Builds and runs a benchmark program.
pub(crate) fn run(args: &[OsString]) -> Outcome {
    let asked = Asked::parse(args)?;
    let mut command = if asked.peers {
        // a workspace of its own, built beside this one
        cargo([
            "run",
            "--release",
            "--manifest-path",
            PEERS,
            "--target-dir",
            "target/peers",
            "--",
        ])
    } else {
        cargo(["bench", "--package", "rpc-benches", "--bench", "rpc", "--"])
    };
    if asked.write {
        command.arg("--write").arg(root().join(DOCUMENT));
    }
    through(command.args(asked.rest), LIMIT)
}

/// The arguments that are not for the benchmark program, and those that are.
#[derive(Debug, PartialEq, Eq)]
struct Asked<'a> {
    peers: bool,
    write: bool,
    rest: Vec<&'a OsString>,
}

impl<'a> Asked<'a> {
    fn parse(args: &'a [OsString]) -> Outcome<Self> {
        let mut asked = Self {
            peers: false,
            write: false,
            rest: Vec::new(),
        };
        for arg in args {
            match arg.to_str() {
                Some("--peers") => asked.peers = true,
                Some("--write") => asked.write = true,
                _ => asked.rest.push(arg),
            }
        }
        if asked.write && !asked.peers {
            return Err(format!(
                "{DOCUMENT} shows the peers too: write `cargo xtask bench --peers --write`"
            ));
        }
        Ok(asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_here_goes_to_the_benchmark_program() {
        let args = ["--rounds", "3", "--peers", "--quick"].map(OsString::from);
        let asked = Asked::parse(&args).expect("it is a command line");
        assert!(asked.peers && !asked.write);
        assert_eq!(asked.rest, ["--rounds", "3", "--quick"]);
    }

    #[test]
    fn the_document_is_not_written_without_the_peers() {
        let problem = Asked::parse(&["--write".into()]).expect_err("it must be refused");
        assert!(problem.contains("--peers"), "{problem}");
    }
}
