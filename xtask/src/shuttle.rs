//! `cargo xtask shuttle`: what threads share, in many orders that chance makes up.

use std::env;

use crate::run::{CARGO_LIMIT, Outcome, cargo, through};
use crate::workspace::root;

/// Builds and runs the tests that shuttle schedules. They are built apart, so that nothing else is built anew for them.
pub(crate) fn run() -> Outcome {
    let flags = env::var("RUSTFLAGS").unwrap_or_default();
    let mut command = cargo(["test", "--quiet", "--package", "rpc-core", "--lib", "races"]);
    command
        .arg("--target-dir")
        .arg(root().join("target").join("shuttle"))
        .env("RUSTFLAGS", format!("{flags} --cfg shuttle"));
    through(&mut command, CARGO_LIMIT)
}
