//! What the framework costs: each figure beside its floor, a bare `zeromq` program that does the same work.
//!
//! `cargo bench -p rpc-benches --bench rpc -- [--rounds N] [--only NAME] [--quick] [--check]`
//!
//! Client and server are processes of their own: this program starts itself again as `serve-ours` and as `serve-floor`. Floor
//! and ours take turns, so that whatever else the machine does falls on both, and it is their ratio that is judged.
//!
//! | file | what it is about |
//! |---|---|
//! | `load` | the work that is asked of both sides, and how it is timed |
//! | `api`, `ours` | the framework's server and client |
//! | `floor` | the bare `zeromq` server and client |
//! | `process` | server processes, and what processors they used |
//! | `measure` | rounds, medians, and the lines of the report |

mod api;
mod floor;
mod load;
mod measure;
mod ours;
mod process;

use load::Scale;
use measure::{BENCHES, Bench};
use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

/// What something comes to; the error is for whoever runs the benchmarks.
pub(crate) type Outcome<T = ()> = Result<T, String>;

const USAGE: &str = "\
usage: cargo bench -p rpc-benches --bench rpc -- [OPTIONS]

  --rounds N    how many rounds: 7 unless it is said, 3 with --quick
  --only NAME   one benchmark
  --quick       shorter rounds, for a first look
  --check       fail if a criterion is missed
  --help        print this text

benchmarks: ";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match words.first().map(String::as_str) {
        Some("serve-ours") => run(process::serve(api::serve)),
        Some("serve-floor") => run(process::serve(floor::serve)),
        _ => Options::parse(&words).and_then(|options| match options {
            Some(options) => run(bench(&options)),
            None => {
                say(&usage());
                Ok(ExitCode::SUCCESS)
            }
        }),
    };
    done.unwrap_or_else(|problem| {
        let _ = writeln!(io::stderr().lock(), "error: {problem}");
        ExitCode::FAILURE
    })
}

/// Runs a process of either kind: all have the same runtime.
fn run(work: impl Future<Output = Outcome<ExitCode>>) -> Outcome<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(because("the runtime can't be started"))?;
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(Duration::from_secs(1));
    done
}

/// What the command line asks for.
#[derive(Debug)]
struct Options {
    rounds: usize,
    only: Option<&'static Bench>,
    scale: Scale,
    check: bool,
}

impl Options {
    /// `None`: help was asked for.
    fn parse(words: &[String]) -> Outcome<Option<Self>> {
        let (mut rounds, mut only, mut quick, mut check) = (None, None, false, false);
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .ok_or_else(|| format!("`{word}` needs a value after it\n\n{}", usage()))
            };
            match word.as_str() {
                "--rounds" => {
                    let text = value()?;
                    let number = text.parse().ok().filter(|number| *number > 0);
                    rounds = Some(number.ok_or_else(|| {
                        format!("`--rounds {text}`: write a number from 1 upwards")
                    })?);
                }
                "--only" => {
                    let name = value()?;
                    only = Some(BENCHES.iter().find(|bench| bench.name == name).ok_or_else(
                        || format!("there is no benchmark `{name}`; there are {}", names()),
                    )?);
                }
                "--quick" => quick = true,
                "--check" => check = true,
                "--help" | "-h" => return Ok(None),
                // `cargo bench` says this to every benchmark
                "--bench" => {}
                other => return Err(format!("there is no option `{other}`\n\n{}", usage())),
            }
        }
        Ok(Some(Self {
            rounds: rounds.unwrap_or(if quick { 3 } else { 7 }),
            only,
            scale: if quick { Scale::QUICK } else { Scale::FULL },
            check,
        }))
    }
}

fn names() -> String {
    let names: Vec<&str> = BENCHES.iter().map(|bench| bench.name).collect();
    names.join(", ")
}

fn usage() -> String {
    format!("{USAGE}{}", names())
}

/// Runs what is asked for, and prints each benchmark's lines as soon as there are any.
async fn bench(options: &Options) -> Outcome<ExitCode> {
    if cfg!(debug_assertions) {
        say("built without optimization: these figures say nothing; run `cargo bench`");
    }
    say(&measure::heading(options.rounds));
    let mut missed = false;
    for bench in &BENCHES {
        if options.only.is_some_and(|only| only.name != bench.name) {
            continue;
        }
        let report = measure::run(bench, options.rounds, &options.scale).await?;
        for line in &report.lines {
            say(line);
        }
        missed |= report.missed;
    }
    Ok(if missed && options.check {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// One line to standard output. A reader that went away is no reason to fail.
fn say(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Makes a message of an error: what went wrong, and why.
fn because<E: fmt::Display>(what: &str) -> impl FnOnce(E) -> String {
    move |error| format!("{what}: {error}")
}
