//! `cargo xtask bench`: the benchmarks, with the arguments given.

use std::ffi::OsString;
use std::time::Duration;

use crate::run::{Outcome, cargo, through};

/// Long enough for any benchmark that somebody waits for.
const LIMIT: Duration = Duration::from_secs(6 * 60 * 60);

/// Builds and runs the benchmark program.
pub(crate) fn run(args: &[OsString]) -> Outcome {
    let mut command = cargo(["bench", "--package", "rpc-benches", "--bench", "rpc", "--"]);
    through(command.args(args), LIMIT)
}
