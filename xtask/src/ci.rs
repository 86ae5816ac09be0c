//! `cargo xtask ci`: every check, in order; the first that fails ends it.

use std::process::Stdio;
use std::time::Duration;

use crate::bench::PEERS;
use crate::counts::Counts;
use crate::run::{CARGO_LIMIT, Outcome, cargo, lines, through};
use crate::say;
use crate::step::step;
use crate::{examples, shuttle, test};

/// Runs every check. `tests` gets what ran, also when something failed.
pub(crate) fn run(tests: &mut Option<Counts>) -> Outcome {
    step("format", format)?;
    step("clippy", clippy)?;
    step("docs", docs)?;
    step("dependencies", dependencies)?;
    step("test", || test::run(tests))?;
    step("shuttle", shuttle::run)?;
    step("examples", examples::run)
}

fn format() -> Outcome {
    // the benchmarks' peers are a workspace of their own
    for which in [["--all"].as_slice(), &["--manifest-path", PEERS]] {
        let mut command = cargo(["fmt"]);
        through(command.args(which).args(["--", "--check"]), CARGO_LIMIT).map_err(|problem| {
            format!("{problem}; `cargo fmt {}` puts it right", which.join(" "))
        })?;
    }
    Ok(())
}

fn clippy() -> Outcome {
    through(
        &mut cargo([
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]),
        CARGO_LIMIT,
    )
}

fn docs() -> Outcome {
    through(
        cargo(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"),
        CARGO_LIMIT,
    )
}

/// The rules of deny.toml that need nothing from the network but the crates themselves.
fn dependencies() -> Outcome {
    if !has_cargo_deny() {
        say::line(
            "skipped: cargo-deny is not installed; `cargo install --locked cargo-deny` installs it",
        );
        return Ok(());
    }
    through(
        &mut cargo(["deny", "check", "bans", "licenses", "sources"]),
        CARGO_LIMIT,
    )
}

fn has_cargo_deny() -> bool {
    let mut command = cargo(["deny", "--version"]);
    let ended = lines(
        command.stderr(Stdio::null()),
        Duration::from_secs(60),
        |_| {},
    );
    matches!(ended, Ok(Some(status)) if status.success())
}
