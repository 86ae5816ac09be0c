//! A benchmark program, from its start to its end.

use crate::criterion::Criterion;
use crate::list::{BENCHES, Bench, names};
use crate::measure;
use crate::options::Options;
use crate::page::Page;
use crate::process::{self, ASK, SERVE};
use crate::side::{Job, Side};
use crate::{Outcome, because, lines, say};
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
    pub criteria: &'static [&'static [Criterion]],
    /// The text of the lock file that it was built with.
    pub lock: &'static str,
}

impl Program {
    /// The whole program. Its server and client processes are the same program, started otherwise.
    pub fn main(&self) -> ExitCode {
        let words: Vec<String> = std::env::args().skip(1).collect();
        self.obey(&words).unwrap_or_else(|problem| {
            // there is nobody else to tell
            let _ = writeln!(io::stderr().lock(), "error: {problem}");
            ExitCode::FAILURE
        })
    }

    fn obey(&self, words: &[String]) -> Outcome<ExitCode> {
        if let [kind, side, bench, rest @ ..] = words
            && (kind == SERVE || kind == ASK)
        {
            rlimit::increase_nofile_limit(u64::MAX)
                .map_err(because("the limit of open files can't be raised"))?;
            let (side, work) = (self.side(side)?, Bench::named(bench)?.work);
            if kind == SERVE {
                return run(process::serve((side.serve)(work)));
            }
            let (scale, ports, server) = process::read_job(rest)?;
            let job = Job {
                work,
                scale,
                ports,
                server,
            };
            return run(process::ask(side, job));
        }
        match Options::parse(self, words)? {
            Some(options) => run(self.bench(&options)),
            None => {
                say(&self.usage());
                Ok(ExitCode::SUCCESS)
            }
        }
    }

    pub(crate) fn side(&self, name: &str) -> Outcome<&Side> {
        let found = self.sides.iter().find(|side| side.name == name);
        found.ok_or_else(|| format!("there is no side `{name}`; there are {}", self.side_names()))
    }

    pub(crate) fn side_names(&self) -> String {
        let names: Vec<&str> = self.sides.iter().map(|side| side.name).collect();
        names.join(", ")
    }

    /// Runs what is asked for, and prints each benchmark's lines as soon as there are any.
    async fn bench(&self, options: &Options) -> Outcome<ExitCode> {
        if cfg!(debug_assertions) {
            say("built without optimization: these figures say nothing; run `cargo xtask bench`");
        }
        say(&lines::heading(options.rounds));
        let criteria: Vec<_> = self.criteria.iter().copied().flatten().copied().collect();
        let mut rows = Vec::new();
        for bench in BENCHES {
            if options.only.is_some_and(|only| only.name != bench.name) {
                continue;
            }
            let of_bench = measure::run(
                bench,
                &options.sides,
                &criteria,
                options.rounds,
                &options.scale,
            )
            .await?;
            for line in of_bench.iter().flat_map(measure::Row::lines) {
                say(&line);
            }
            rows.extend(of_bench);
        }
        if let Some(file) = &options.write {
            let page = Page {
                rounds: options.rounds,
                scale: options.scale.name,
                sides: &options.sides,
                lock: self.lock,
                rows: &rows,
            };
            page.write(file)?;
        }
        let holds = rows
            .iter()
            .flat_map(|row| &row.verdicts)
            .all(|verdict| verdict.holds);
        Ok(if holds || !options.check {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

impl Bench {
    pub(crate) fn named(name: &str) -> Outcome<&'static Self> {
        let found = BENCHES.iter().find(|bench| bench.name == name);
        found.ok_or_else(|| format!("there is no benchmark `{name}`; there are {}", names()))
    }
}

/// Runs a process of any kind: all have the same runtime.
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
