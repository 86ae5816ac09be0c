//! Rounds: each side in turn, again and again.

use crate::Outcome;
use crate::criterion::{Criterion, Verdict};
use crate::list::{Bench, Series};
use crate::load::Scale;
use crate::process::{self, Server};
use crate::side::{Sample, Side};
use crate::spread::Spread;

/// What one figure of a benchmark came to at all sides.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) series: &'static Series,
    /// Those that do it. The first side is what the others are compared with.
    pub(crate) figures: Vec<Figures>,
    pub(crate) verdicts: Vec<Verdict>,
}

/// What one figure came to at one side.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) side: &'static str,
    /// `None`: this system does not tell.
    pub(crate) spread: Option<Spread>,
    /// That of the first side to this one, round by round. `None`: this is the first side.
    pub(crate) ratio: Option<Spread>,
}

/// Runs the rounds of a benchmark.
pub(crate) async fn run(
    bench: &'static Bench,
    sides: &[Side],
    criteria: &[Criterion],
    rounds: usize,
    scale: &Scale,
) -> Outcome<Vec<Row>> {
    let able: Vec<&Side> = sides
        .iter()
        .filter(|side| side.does.contains(&bench.work))
        .collect();
    let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); able.len()];
    for round in 1..=rounds {
        for (side, samples) in able.iter().zip(&mut samples) {
            let sample = once(bench, scale, side).await.map_err(|problem| {
                format!("{}, round {round}, {}: {problem}", bench.name, side.name)
            })?;
            samples.push(sample);
        }
    }
    let row = |(index, series)| {
        let figure = |sample: &Sample| *sample.get(index)?;
        let of_rounds = |rounds: &Vec<Sample>| rounds.iter().map(figure).collect();
        let figures = samples.iter().map(of_rounds);
        let names = able.iter().map(|side| side.name);
        Row::new(series, criteria, &names.zip(figures).collect::<Vec<_>>())
    };
    Ok(bench.series.iter().enumerate().map(row).collect())
}

/// One round of one side, with processes of its own, so that nothing is left over from the round before.
async fn once(bench: &Bench, scale: &Scale, side: &Side) -> Outcome<Sample> {
    let mut server = Server::start(side.name, bench.name).await?;
    let client = process::client(side.name, bench.name, scale, server.place());
    let sample = tokio::select! {
        sample = client => sample,
        problem = server.gone() => Err(problem),
    };
    let stopped = server.stop().await;
    let sample = sample?;
    stopped?;
    Ok(sample)
}

impl Row {
    fn new(
        series: &'static Series,
        criteria: &[Criterion],
        sides: &[(&'static str, Option<Vec<f64>>)],
    ) -> Self {
        let first = sides.first().and_then(|(_, rounds)| rounds.as_ref());
        let ratio = |rounds: &Vec<f64>| {
            let ratios: Vec<f64> = first?.iter().zip(rounds).map(|(a, b)| a / b).collect();
            Some(Spread::of(&ratios))
        };
        let figures: Vec<Figures> = sides
            .iter()
            .enumerate()
            .map(|(index, (side, rounds))| {
                let rounds = rounds.as_ref();
                Figures {
                    side,
                    spread: rounds.map(|rounds| Spread::of(rounds)),
                    ratio: rounds.filter(|_| index > 0).and_then(ratio),
                }
            })
            .collect();
        let judged = |criterion: &Criterion| {
            let spread = match criterion.against {
                Some(against) => figures.iter().find(|it| it.side == against)?.ratio,
                None => figures.first()?.spread,
            };
            Some(criterion.judge(spread?))
        };
        let of_this = |criterion: &&Criterion| criterion.series == series.name;
        let verdicts = criteria.iter().filter(of_this).filter_map(judged).collect();
        Self {
            series,
            figures,
            verdicts,
        }
    }
}
