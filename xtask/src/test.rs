//! `cargo xtask test`: everything that the tests need, then the tests.

use std::env;

use crate::counts::Counts;
use crate::environment::Environment;
use crate::run::{CARGO_LIMIT, Outcome, cargo, lines, name, through, too_long};
use crate::say;
use crate::step::step;

/// Builds and runs every test. `counts` gets what ran, also when something failed.
pub(crate) fn run(counts: &mut Option<Counts>) -> Outcome {
    let environment = step("install what tests need", || Environment::prepare(in_ci()))?;
    step("build the tests", || {
        through(&mut cargo(["test", "--workspace", "--no-run"]), CARGO_LIMIT)
    })?;
    step("run the tests", || run_tests(&environment, counts))
}

fn run_tests(environment: &Environment, counts: &mut Option<Counts>) -> Outcome {
    // No --all-targets: it would run the benchmarks and leave out the doctests.
    let mut command = cargo(["test", "--workspace", "--no-fail-fast"]);
    environment.tell(&mut command);
    let counts = counts.insert(Counts::default());
    let ended = lines(&mut command, CARGO_LIMIT, |line| {
        say::raw(line);
        if let Some(more) = Counts::from_line(&String::from_utf8_lossy(line)) {
            counts.add(more);
        }
    })?;
    let trouble = match ended {
        Some(status) if status.success() => None,
        Some(status) => Some(format!("`{}` ended with {status}", name(&command))),
        None => Some(too_long(&command, CARGO_LIMIT)),
    };
    judge(counts, trouble, in_ci())
}

/// Whether the run is good. `trouble` is how the test run itself ended, when that was not well.
fn judge(counts: &mut Counts, trouble: Option<String>, ci: bool) -> Outcome {
    if let Some(trouble) = trouble {
        if counts.failed > 0 {
            return Err(format!(
                "{trouble}: {} failed; what they wrote is above",
                tests(counts.failed)
            ));
        }
        // A program that died has no closing line to count, and is no success.
        counts.failed = 1;
        return Err(format!(
            "{trouble} and no test reported a failure, so a test program did not build, died or hung; \
             cargo's last lines above say which; it counts as one failed test"
        ));
    }
    if counts.failed > 0 {
        return Err(format!(
            "{} failed; what they wrote is above",
            tests(counts.failed)
        ));
    }
    if counts.passed == 0 {
        return Err(
            "no test ran; look above for why, and if the tests did run, teach xtask/src/counts.rs their closing line"
                .to_owned(),
        );
    }
    if ci && counts.skipped > 0 {
        return Err(format!(
            "{} skipped, and CI skips none; give each what it needs to run, or remove it",
            tests(counts.skipped)
        ));
    }
    Ok(())
}

fn tests(number: u64) -> String {
    match number {
        1 => "1 test".to_owned(),
        _ => format!("{number} tests"),
    }
}

fn in_ci() -> bool {
    env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64, skipped: u64) -> Counts {
        Counts {
            passed,
            failed,
            skipped,
        }
    }

    fn died() -> Option<String> {
        Some("`cargo test` ended with exit status: 101".to_owned())
    }

    #[test]
    fn a_run_in_which_all_tests_passed_is_good() {
        assert_eq!(judge(&mut counts(5, 0, 0), None, true), Ok(()));
    }

    #[test]
    fn a_failed_test_fails_the_run() {
        assert!(judge(&mut counts(5, 1, 0), died(), false).is_err());
        assert!(judge(&mut counts(5, 1, 0), None, false).is_err());
    }

    #[test]
    fn a_run_without_tests_fails() {
        assert!(judge(&mut counts(0, 0, 0), None, false).is_err());
        assert!(judge(&mut counts(0, 0, 2), None, false).is_err());
    }

    #[test]
    fn a_skipped_test_fails_the_run_in_ci_only() {
        assert_eq!(judge(&mut counts(5, 0, 1), None, false), Ok(()));
        assert!(judge(&mut counts(5, 0, 1), None, true).is_err());
    }

    #[test]
    fn a_test_program_that_died_without_a_closing_line_counts_as_one_failed_test() {
        let mut counts = counts(5, 0, 0);
        assert!(judge(&mut counts, died(), false).is_err());
        assert_eq!(counts.failed, 1);
    }
}
