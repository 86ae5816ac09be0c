//! Rounds, medians, and the lines of the report.

use crate::load::Scale;
use crate::process::Server;
use crate::{Outcome, floor, ours};
use std::time::Duration;
use tokio::time::timeout;

/// How long one side may take for one round.
const ROUND: Duration = Duration::from_secs(120);

/// A floor that varies by more than this from round to round says little.
const STEADY: f64 = 1.5;

/// What one round of one side came to: a figure for each series of the benchmark. `None`: this system does not tell.
pub(crate) type Sample = Vec<Option<f64>>;

/// What a server is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    Sequential,
    InFlight,
    StreamReady,
    StreamPaced,
    Cast,
    Large,
}

/// One benchmark.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) name: &'static str,
    work: Work,
    series: &'static [Series],
}

/// One line of the report: a figure of each side, and what their ratio has to be.
#[derive(Debug)]
struct Series {
    name: &'static str,
    what: &'static str,
    unit: &'static str,
    criterion: Criterion,
}

/// What the ratio of ours to the floor has to be.
#[derive(Clone, Copy, Debug)]
enum Criterion {
    AtMost(f64),
    AtLeast(f64),
    /// It is told, and not judged.
    None,
}

pub(crate) const BENCHES: [Bench; 6] = [
    Bench {
        name: "sequential",
        work: Work::Sequential,
        series: &[Series {
            name: "sequential",
            what: "p50 of an echo of 64 bytes, one after another",
            unit: "µs",
            criterion: Criterion::AtMost(2.0),
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
                criterion: Criterion::AtLeast(0.7),
            },
            Series {
                name: "  cpu",
                what: "processor time for one, both processes",
                unit: "µs",
                criterion: Criterion::None,
            },
            Series {
                name: "  cpu client",
                what: "the client's part of it",
                unit: "µs",
                criterion: Criterion::None,
            },
            Series {
                name: "  cpu server",
                what: "the server's part of it",
                unit: "µs",
                criterion: Criterion::None,
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
            criterion: Criterion::AtLeast(1.0),
        }],
    },
    Bench {
        name: "stream_paced",
        work: Work::StreamPaced,
        series: &[
            Series {
                name: "stream_paced",
                what: "p50 delay of an item a millisecond; floor: p50 of an echo",
                unit: "µs",
                criterion: Criterion::AtMost(2.0),
            },
            Series {
                name: "  alike",
                what: "the same delay; floor: of the same stream",
                unit: "µs",
                criterion: Criterion::None,
            },
        ],
    },
    Bench {
        name: "cast_64",
        work: Work::Cast,
        series: &[Series {
            name: "cast_64",
            what: "accepted casts by 64 tasks; floor: one-way messages",
            unit: "/s",
            criterion: Criterion::AtLeast(0.5),
        }],
    },
    Bench {
        name: "echo_1mib",
        work: Work::Large,
        series: &[Series {
            name: "echo_1mib",
            what: "echoes of 1 MiB, one after another",
            unit: "MiB/s",
            criterion: Criterion::None,
        }],
    },
];

/// The lines of one benchmark.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) lines: Vec<String>,
    /// A criterion was missed.
    pub(crate) missed: bool,
}

/// What stands above the lines.
pub(crate) fn heading(rounds: usize) -> String {
    let processors = std::thread::available_parallelism()
        .map_or_else(|_| "unknown".into(), |number| number.to_string());
    format!(
        "medians of {rounds} rounds; processors: {processors}; the ratio is ours to floor, with its lowest and highest\n\n{:<14}{:>12}{:>12} {:<6}{:>7}  {:<15}{:<13}",
        "benchmark", "ours", "floor", "", "ratio", "(rounds)", "criterion"
    )
}

/// Runs the rounds of a benchmark: floor, ours, floor, ours …
pub(crate) async fn run(bench: &Bench, rounds: usize, scale: &Scale) -> Outcome<Report> {
    let mut samples = Vec::new();
    for round in 1..=rounds {
        let floor = side(bench.work, scale, Side::Floor).await;
        let floor = floor.map_err(|problem| at(bench, round, "floor", &problem))?;
        let ours = side(bench.work, scale, Side::Ours).await;
        let ours = ours.map_err(|problem| at(bench, round, "ours", &problem))?;
        samples.push((floor, ours));
    }
    let mut report = Report::default();
    for (index, series) in bench.series.iter().enumerate() {
        let figures: Option<Vec<Pair>> = samples
            .iter()
            .map(|(floor, ours)| {
                Some(Pair {
                    floor: (*floor.get(index)?)?,
                    ours: (*ours.get(index)?)?,
                })
            })
            .collect();
        match figures {
            Some(figures) => series.report(&figures, &mut report),
            None => report
                .lines
                .push(format!("{:<14}this system does not tell", series.name)),
        }
    }
    Ok(report)
}

fn at(bench: &Bench, round: usize, side: &str, problem: &str) -> String {
    format!("{}, round {round}, {side}: {problem}", bench.name)
}

#[derive(Clone, Copy, Debug)]
enum Side {
    Floor,
    Ours,
}

/// One round of one side, with a server process of its own, so that nothing is left over from the round before.
async fn side(work: Work, scale: &Scale, side: Side) -> Outcome<Sample> {
    let mut server = Server::start(match side {
        Side::Floor => "serve-floor",
        Side::Ours => "serve-ours",
    })
    .await?;
    let (port, id) = (server.port, server.id);
    let work = async {
        match side {
            Side::Floor => floor::run(work, scale, port, id).await,
            Side::Ours => ours::run(work, scale, port, id).await,
        }
    };
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

/// The figures of one round.
#[derive(Clone, Copy, Debug)]
struct Pair {
    floor: f64,
    ours: f64,
}

/// The median, the lowest and the highest of several figures.
#[derive(Clone, Copy, Debug)]
struct Spread {
    median: f64,
    lowest: f64,
    highest: f64,
}

impl Spread {
    fn of(figures: impl Iterator<Item = f64>) -> Self {
        let mut figures: Vec<f64> = figures.collect();
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

impl Criterion {
    fn is_met(self, ratio: f64) -> Option<bool> {
        match self {
            Self::AtMost(limit) => Some(ratio <= limit),
            Self::AtLeast(limit) => Some(ratio >= limit),
            Self::None => None,
        }
    }

    fn describe(self) -> String {
        match self {
            Self::AtMost(limit) => format!("at most {limit:.1}"),
            Self::AtLeast(limit) => format!("at least {limit:.1}"),
            Self::None => String::new(),
        }
    }
}

impl Series {
    fn report(&self, figures: &[Pair], report: &mut Report) {
        let ours = Spread::of(figures.iter().map(|pair| pair.ours));
        let floor = Spread::of(figures.iter().map(|pair| pair.floor));
        let ratio = Spread::of(figures.iter().map(|pair| pair.ours / pair.floor));
        let met = self.criterion.is_met(ratio.median);
        let verdict = match met {
            Some(true) => "pass",
            Some(false) => "MISS",
            None => "",
        };
        let varied = floor.highest / floor.lowest;
        let unsteady = if varied > STEADY {
            format!("; NOT RELIABLE: the floor varied by {varied:.1}x")
        } else {
            String::new()
        };
        report.missed |= met == Some(false);
        report.lines.push(format!(
            "{:<14}{:>12}{:>12} {:<6}{:>7.2}  {:<15}{:<13}{verdict:<6}{}{unsteady}",
            self.name,
            figure(ours.median),
            figure(floor.median),
            self.unit,
            ratio.median,
            format!("({:.2}..{:.2})", ratio.lowest, ratio.highest),
            self.criterion.describe(),
            self.what,
        ));
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
