//! The command line of a benchmark program.

use crate::load::Scale;
use crate::measure::{self, BENCHES, Bench, Criterion};
use crate::side::Side;
use crate::{Outcome, because, process, say};
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

/// What a program compares, and what has to come out.
#[derive(Debug)]
pub struct Program {
    /// How it is started.
    pub usage: &'static str,
    /// The first one is what the others are compared with.
    pub sides: &'static [Side],
    pub criteria: &'static [Criterion],
}

const OPTIONS: &str = "

  --rounds N    how many rounds: 7 unless it is said, 3 with --quick
  --only NAME   one benchmark
  --side NAME   only this side beside the first; it may be given several times
  --quick       shorter rounds, for a first look
  --check       fail if a criterion is missed
  --write FILE  write the table into a file, between its marks
  --help        print this text

benchmarks: ";

impl Program {
    /// The whole program. The server of a side is the same program, started as `serve NAME`.
    pub fn main(&self) -> ExitCode {
        let words: Vec<String> = std::env::args().skip(1).collect();
        let done = match (words.first().map(String::as_str), words.get(1)) {
            (Some(process::SERVE), Some(name)) => self
                .side(name)
                .and_then(|side| run(process::serve(side.serve))),
            _ => Options::parse(self, &words).and_then(|options| match options {
                Some(options) => run(self.bench(&options)),
                None => {
                    say(&self.usage());
                    Ok(ExitCode::SUCCESS)
                }
            }),
        };
        done.unwrap_or_else(|problem| {
            let _ = writeln!(io::stderr().lock(), "error: {problem}");
            ExitCode::FAILURE
        })
    }

    fn side(&self, name: &str) -> Outcome<&Side> {
        let found = self.sides.iter().find(|side| side.name == name);
        found.ok_or_else(|| {
            let names: Vec<&str> = self.sides.iter().map(|side| side.name).collect();
            format!("there is no side `{name}`; there are {}", names.join(", "))
        })
    }

    fn usage(&self) -> String {
        let names: Vec<&str> = self.sides.iter().map(|side| side.name).collect();
        format!(
            "usage: {} [OPTIONS]{OPTIONS}{}\nsides: {}",
            self.usage,
            bench_names(),
            names.join(", ")
        )
    }

    /// Runs what is asked for, and prints each benchmark's lines as soon as there are any.
    async fn bench(&self, options: &Options) -> Outcome<ExitCode> {
        if cfg!(debug_assertions) {
            say("built without optimization: these figures say nothing; run `cargo bench`");
        }
        say(&measure::heading(options.rounds));
        let mut missed = false;
        let mut table = measure::Table::new(&options.sides);
        for bench in &BENCHES {
            if options.only.is_some_and(|only| only.name != bench.name) {
                continue;
            }
            let report = measure::run(
                bench,
                &options.sides,
                self.criteria,
                options.rounds,
                &options.scale,
            )
            .await?;
            for line in &report.lines {
                say(line);
            }
            table.rows.extend(report.rows);
            missed |= report.missed;
        }
        if let Some(file) = &options.write {
            table.write(file, options.rounds)?;
        }
        Ok(if missed && options.check {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        })
    }
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
    sides: Vec<Side>,
    scale: Scale,
    check: bool,
    write: Option<String>,
}

impl Options {
    /// `None`: help was asked for.
    fn parse(program: &Program, words: &[String]) -> Outcome<Option<Self>> {
        let (mut rounds, mut only, mut quick, mut check) = (None, None, false, false);
        let (mut sides, mut write) = (Vec::new(), None);
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || {
                words.next().ok_or_else(|| {
                    format!("`{word}` needs a value after it\n\n{}", program.usage())
                })
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
                        || {
                            format!(
                                "there is no benchmark `{name}`; there are {}",
                                bench_names()
                            )
                        },
                    )?);
                }
                "--side" => sides.push(*program.side(value()?)?),
                "--quick" => quick = true,
                "--check" => check = true,
                "--write" => write = Some(value()?.clone()),
                "--help" | "-h" => return Ok(None),
                // `cargo bench` says this to every benchmark
                "--bench" => {}
                other => {
                    return Err(format!(
                        "there is no option `{other}`\n\n{}",
                        program.usage()
                    ));
                }
            }
        }
        let all = program.sides.iter().copied();
        Ok(Some(Self {
            rounds: rounds.unwrap_or(if quick { 3 } else { 7 }),
            only,
            sides: if sides.is_empty() {
                all.collect()
            } else {
                all.take(1).chain(sides).collect()
            },
            scale: if quick { Scale::QUICK } else { Scale::FULL },
            check,
            write,
        }))
    }
}

fn bench_names() -> String {
    let names: Vec<&str> = BENCHES.iter().map(|bench| bench.name).collect();
    names.join(", ")
}
