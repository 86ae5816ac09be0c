//! What the command line asks for.

use crate::Outcome;
use crate::list::{Bench, names};
use crate::load::Scale;
use crate::program::Program;
use crate::side::Side;

const OPTIONS: &str = "

  --rounds N    how many rounds: 7 unless it is said, 3 with --quick
  --only NAME   one benchmark
  --side NAME   only this side beside the first; it may be given several times
  --quick       shorter rounds, for a first look
  --check       fail if a criterion does not hold
  --write FILE  write the tables into a document, between its marks; for a run of all benchmarks and sides
  --help        print this text

benchmarks: ";

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) rounds: usize,
    pub(crate) only: Option<&'static Bench>,
    pub(crate) sides: Vec<Side>,
    pub(crate) scale: Scale,
    pub(crate) check: bool,
    pub(crate) write: Option<String>,
}

impl Program {
    pub(crate) fn usage(&self) -> String {
        format!(
            "usage: {} [OPTIONS]{OPTIONS}{}\nsides: {}",
            self.usage,
            names(),
            self.side_names()
        )
    }
}

impl Options {
    /// `None`: help was asked for.
    pub(crate) fn parse(program: &Program, words: &[String]) -> Outcome<Option<Self>> {
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
                "--only" => only = Some(Bench::named(value()?)?),
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
        if write.is_some() && (only.is_some() || !sides.is_empty()) {
            return Err(
                "a document gets all or nothing: leave out `--only` and `--side`, or `--write`"
                    .into(),
            );
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
