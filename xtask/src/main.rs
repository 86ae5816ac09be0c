//! The commands that work on the whole workspace: `cargo xtask help` lists them.

mod api;
mod bench;
mod ci;
mod counts;
mod environment;
mod examples;
mod fuzz;
mod run;
mod say;
mod shuttle;
mod step;
mod test;
mod workspace;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use counts::Counts;
use run::Outcome;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test              install what tests need, then build and run every test of the workspace, doctests included
  shuttle           test what threads share, in many orders
  fuzz [TARGET] [SECONDS]
                     try bytes that chance makes up, 60 seconds a target; needs cargo-fuzz and a nightly compiler
  bench [ARGS…]     run the benchmarks beside their floors; ARGS go to the benchmark program: see --help
    --peers         beside other frameworks as well; builds them in target/peers
    --write         with --peers: write the tables into docs/benchmarks.md
  examples          build and run every example
  api check         check that what was released of the APIs in this repository is kept
  api freeze        write what they are now as released; commit the files
  ci                all checks: format, clippy, docs, dependencies, tests, shuttle, examples
  help              print this text";

fn main() -> ExitCode {
    let words: Vec<OsString> = env::args_os().skip(1).collect();
    let mut tests = None;
    let outcome = obey(&words, &mut tests);
    if let Err(problem) = &outcome {
        say::problem(problem);
    }
    // The last line of all, so that whoever reads the end of a log knows.
    if let Some(counts) = tests {
        say::line(&counts.to_string());
    }
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Carries out the command line. `tests` gets the counts as soon as tests have run, also when they failed.
fn obey(words: &[OsString], tests: &mut Option<Counts>) -> Outcome {
    let Some((command, rest)) = words.split_first() else {
        return Err(format!("no command given\n\n{USAGE}"));
    };
    match command.to_str() {
        Some("api") => api::run(rest),
        Some("bench") => bench::run(rest),
        Some("fuzz") => fuzz::run(rest),
        Some("test") => alone("test", rest).and_then(|()| test::run(tests)),
        Some("shuttle") => alone("shuttle", rest).and_then(|()| shuttle::run()),
        Some("examples") => alone("examples", rest).and_then(|()| examples::run()),
        Some("ci") => alone("ci", rest).and_then(|()| ci::run(tests)),
        Some("help" | "--help" | "-h") => {
            say::line(USAGE);
            Ok(())
        }
        _ => Err(format!(
            "there is no command {}\n\n{USAGE}",
            command.display()
        )),
    }
}

/// Refuses arguments after a command that takes none.
fn alone(command: &str, rest: &[OsString]) -> Outcome {
    match rest.first() {
        None => Ok(()),
        Some(extra) => Err(format!(
            "`{command}` takes no arguments; leave out {}",
            extra.display()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(words: &[&str]) -> String {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        obey(&words, &mut None).expect_err("this command line must be refused")
    }

    #[test]
    fn no_command_is_answered_with_the_usage() {
        assert!(refused(&[]).contains(USAGE));
    }

    #[test]
    fn an_unknown_command_is_named_and_answered_with_the_usage() {
        let problem = refused(&["tset"]);
        assert!(problem.contains("tset"), "{problem}");
        assert!(problem.contains(USAGE), "{problem}");
    }

    #[test]
    fn an_argument_after_a_command_that_takes_none_is_refused() {
        let problem = refused(&["ci", "--fast"]);
        assert!(
            problem.contains("`ci`") && problem.contains("--fast"),
            "{problem}"
        );
    }
}
