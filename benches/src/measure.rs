//! Rounds, medians, and the lines of the report.

use crate::load::Scale;
use crate::process::Server;
use crate::side::{Sample, Side, Work};
use crate::{Outcome, because};
use std::time::Duration;
use tokio::time::timeout;

/// How long one side may take for one round.
const ROUND: Duration = Duration::from_secs(120);

/// A side that varies by more than this from round to round says little.
const STEADY: f64 = 1.5;

/// One benchmark.
#[derive(Debug)]
pub struct Bench {
    pub name: &'static str,
    work: Work,
    series: &'static [Series],
}

/// A figure of each side.
#[derive(Debug)]
struct Series {
    name: &'static str,
    what: &'static str,
    unit: &'static str,
}

/// What the ratio of the first side to another has to be.
#[derive(Debug)]
pub struct Criterion {
    series: &'static str,
    against: &'static str,
    limit: Limit,
}

#[derive(Clone, Copy, Debug)]
enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

impl Criterion {
    pub const fn at_most(series: &'static str, against: &'static str, ratio: f64) -> Self {
        Self {
            series,
            against,
            limit: Limit::AtMost(ratio),
        }
    }

    pub const fn at_least(series: &'static str, against: &'static str, ratio: f64) -> Self {
        Self {
            series,
            against,
            limit: Limit::AtLeast(ratio),
        }
    }
}

impl Limit {
    fn is_met(self, ratio: f64) -> bool {
        match self {
            Self::AtMost(limit) => ratio <= limit,
            Self::AtLeast(limit) => ratio >= limit,
        }
    }

    fn describe(self) -> String {
        match self {
            Self::AtMost(limit) => format!("at most {limit:.1}"),
            Self::AtLeast(limit) => format!("at least {limit:.1}"),
        }
    }
}

pub const BENCHES: [Bench; 6] = [
    Bench {
        name: "sequential",
        work: Work::Sequential,
        series: &[Series {
            name: "sequential",
            what: "p50 of an echo of 64 bytes, one after another",
            unit: "µs",
        }],
    },
    Bench {
        name: "in_flight_64",
        work: Work::InFlight,
        series: &[
            Series {
                name: "in_flight_64",
                what: "echoes of 64 bytes by 64 tasks",
                unit: "/s",
            },
            Series {
                name: "  cpu",
                what: "processor time for one, both processes",
                unit: "µs",
            },
            Series {
                name: "  cpu client",
                what: "the client's part of it",
                unit: "µs",
            },
            Series {
                name: "  cpu server",
                what: "the server's part of it",
                unit: "µs",
            },
        ],
    },
    Bench {
        name: "stream_ready",
        work: Work::StreamReady,
        series: &[Series {
            name: "stream_ready",
            what: "items of a stream that is always ready",
            unit: "/s",
        }],
    },
    Bench {
        name: "stream_paced",
        work: Work::StreamPaced,
        series: &[
            Series {
                name: "stream_paced",
                what: "p50 delay of an item a millisecond; `zeromq`: p50 of an echo",
                unit: "µs",
            },
            Series {
                name: "  alike",
                what: "the same delay; `zeromq`: of the same stream",
                unit: "µs",
            },
        ],
    },
    Bench {
        name: "cast_64",
        work: Work::Cast,
        series: &[Series {
            name: "cast_64",
            what: "accepted casts by 64 tasks; the floors: one-way messages",
            unit: "/s",
        }],
    },
    Bench {
        name: "echo_1mib",
        work: Work::Large,
        series: &[Series {
            name: "echo_1mib",
            what: "echoes of 1 MiB, one after another",
            unit: "MiB/s",
        }],
    },
];

/// What one benchmark came to.
#[derive(Debug, Default)]
pub struct Report {
    pub lines: Vec<String>,
    pub rows: Vec<Row>,
    /// A criterion was missed.
    pub missed: bool,
}

/// What stands above the lines.
pub fn heading(rounds: usize) -> String {
    format!(
        "medians of {rounds} rounds in which the sides took turns; {}; a ratio is that of the first side to another, with its lowest and highest\n\n{:<14}{:<17}{:>12} {:<6}{:>7}  {:<15}criterion",
        machine(),
        "benchmark",
        "side",
        "",
        "",
        "ratio",
        "(rounds)",
    )
}

fn machine() -> String {
    let processors = std::thread::available_parallelism()
        .map_or_else(|_| "unknown".into(), |number| number.to_string());
    format!("processors: {processors}")
}

/// Runs the rounds of a benchmark: each side in turn, again and again.
pub async fn run(
    bench: &Bench,
    sides: &[Side],
    criteria: &[Criterion],
    rounds: usize,
    scale: &Scale,
) -> Outcome<Report> {
    let able: Vec<&Side> = sides.iter().filter(|side| (side.can)(bench.work)).collect();
    let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); able.len()];
    for round in 1..=rounds {
        for (side, samples) in able.iter().zip(&mut samples) {
            let sample = once(bench.work, scale, side).await.map_err(|problem| {
                format!("{}, round {round}, {}: {problem}", bench.name, side.name)
            })?;
            samples.push(sample);
        }
    }
    let mut report = Report::default();
    for (index, series) in bench.series.iter().enumerate() {
        let figures = samples.iter().map(|rounds| {
            let figure = |sample: &Sample| *sample.get(index)?;
            rounds.iter().map(figure).collect::<Option<Vec<f64>>>()
        });
        let figures: Vec<(&Side, Option<Vec<f64>>)> = able.iter().copied().zip(figures).collect();
        series.report(&figures, criteria, &mut report);
        let of = |side: &Side| {
            let (_, figures) = figures.iter().find(|(other, _)| other.name == side.name)?;
            figures.as_ref().map(|figures| Spread::of(figures).median)
        };
        report.rows.push(Row {
            what: series.what,
            unit: series.unit,
            figures: sides.iter().map(of).collect(),
        });
    }
    Ok(report)
}

/// One round of one side, with a server process of its own, so that nothing is left over from the round before.
async fn once(work: Work, scale: &Scale, side: &Side) -> Outcome<Sample> {
    let mut server = Server::start(side.name).await?;
    let work = (side.run)(work, scale, server.port, server.id);
    let sample = tokio::select! {
        sample = timeout(ROUND, work) => {
            sample.unwrap_or_else(|_| Err(format!("it took longer than {} s", ROUND.as_secs())))
        }
        problem = server.gone() => Err(problem),
    };
    let stopped = server.stop().await;
    let sample = sample?;
    stopped?;
    Ok(sample)
}

/// The median, the lowest and the highest of several figures.
#[derive(Clone, Copy, Debug)]
struct Spread {
    median: f64,
    lowest: f64,
    highest: f64,
}

impl Spread {
    fn of(figures: &[f64]) -> Self {
        let mut figures = figures.to_vec();
        figures.sort_unstable_by(f64::total_cmp);
        let at = |index: usize| figures.get(index).copied().unwrap_or(f64::NAN);
        let count = figures.len();
        Self {
            median: f64::midpoint(at(count.saturating_sub(1) / 2), at(count / 2)),
            lowest: at(0),
            highest: at(count.saturating_sub(1)),
        }
    }
}

impl Series {
    fn report(
        &self,
        sides: &[(&Side, Option<Vec<f64>>)],
        criteria: &[Criterion],
        report: &mut Report,
    ) {
        let mut first: Option<&[f64]> = None;
        for (index, (side, figures)) in sides.iter().enumerate() {
            let name = if index == 0 { self.name } else { "" };
            let Some(figures) = figures else {
                report.lines.push(format!(
                    "{name:<14}{:<17}this system does not tell",
                    side.name
                ));
                continue;
            };
            let spread = Spread::of(figures);
            let line = format!(
                "{name:<14}{:<17}{:>12} {:<6}",
                side.name,
                figure(spread.median),
                self.unit
            );
            let Some(first) = first else {
                first = Some(figures);
                report.lines.push(format!("{line}{:<24}{}", "", self.what));
                continue;
            };
            let ratios: Vec<f64> = first.iter().zip(figures).map(|(a, b)| a / b).collect();
            let ratio = Spread::of(&ratios);
            let criterion = criteria
                .iter()
                .find(|criterion| criterion.series == self.name && criterion.against == side.name);
            let verdict = criterion.map_or(String::new(), |criterion| {
                let met = criterion.limit.is_met(ratio.median);
                report.missed |= !met;
                let verdict = if met { "pass" } else { "MISS" };
                format!("{}: {verdict}", criterion.limit.describe())
            });
            let varied = spread.highest / spread.lowest;
            let unsteady = if varied > STEADY {
                format!(" (NOT RELIABLE: it varied by {varied:.1}x)")
            } else {
                String::new()
            };
            report.lines.push(format!(
                "{line}{:>7.2}  {:<15}{verdict}{unsteady}",
                ratio.median,
                format!("({:.2}..{:.2})", ratio.lowest, ratio.highest),
            ));
        }
    }
}

/// A figure with as many digits as say something.
fn figure(figure: f64) -> String {
    if figure >= 1_000.0 {
        format!("{figure:.0}")
    } else {
        format!("{figure:.1}")
    }
}

/// One line of the table: a figure of each side, where it has one.
#[derive(Debug)]
pub struct Row {
    what: &'static str,
    unit: &'static str,
    figures: Vec<Option<f64>>,
}

/// Everything that was measured, for a page.
#[derive(Debug)]
pub struct Table {
    sides: Vec<Side>,
    pub rows: Vec<Row>,
}

const BEGIN: &str = "<!-- measured: begin -->";
const END: &str = "<!-- measured: end -->";

impl Table {
    pub fn new(sides: &[Side]) -> Self {
        Self {
            sides: sides.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Puts the table between the marks of a page.
    pub fn write(&self, file: &str, rounds: usize) -> Outcome {
        let page = std::fs::read_to_string(file).map_err(because(file))?;
        let marked = page
            .split_once(BEGIN)
            .and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
        let (before, after) =
            marked.ok_or_else(|| format!("{file} has no lines `{BEGIN}` and `{END}`"))?;
        let page = format!("{before}{BEGIN}\n{}{END}{after}", self.markdown(rounds));
        std::fs::write(file, page).map_err(because(file))
    }

    fn markdown(&self, rounds: usize) -> String {
        let mut out = format!("\nMedians of {rounds} rounds; {}.\n\n| |", machine());
        for side in &self.sides {
            out += &format!(" {} |", side.name);
        }
        out += "\n|---|";
        out += &"---:|".repeat(self.sides.len());
        for row in &self.rows {
            out += &format!("\n| {} ({}) |", row.what, row.unit);
            for figures in &row.figures {
                out += &figures.map_or(" |".into(), |it| format!(" {} |", figure(it)));
            }
        }
        out += "\n\n| side | what it is |\n|---|---|\n";
        for side in &self.sides {
            out += &format!("| {} | {} |\n", side.name, side.what);
        }
        out + "\n"
    }
}
