//! Whether what clients were told is what servers did.

use super::load::WINDOW;
use super::log;
use super::node::Node;
use super::record::Record;
use super::request::Kind;
use std::fmt;
use std::path::PathBuf;

/// What was wrong, in lines to be shown.
#[derive(Default)]
pub(crate) struct Problems(Vec<String>);

const SAMPLES: usize = 5;

impl Problems {
    pub(crate) fn add(&mut self, problem: impl Into<String>) {
        self.0.push(problem.into());
    }

    /// Ids of which there should be none.
    fn ids(&mut self, what: &str, ids: &[u64], ran: &Ran) {
        if ids.is_empty() {
            return;
        }
        let samples = ids.iter().take(SAMPLES).map(|id| {
            let logs: Vec<&str> = ran.logs_of(*id).collect();
            format!("\n    {id:#x}, in the logs {logs:?}")
        });
        self.add(format!(
            "{what}: {}{}",
            ids.len(),
            samples.collect::<String>()
        ));
    }

    pub(crate) fn into_result(self) -> Result<(), String> {
        match self.0.is_empty() {
            true => Ok(()),
            false => Err(self.to_string()),
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

/// What the servers ran.
struct Ran {
    logs: Vec<String>,
    /// Each id with its log, sorted.
    ids: Vec<(u64, usize)>,
}

impl Ran {
    fn read(paths: &[PathBuf], problems: &mut Problems) -> Self {
        let mut ran = Self {
            logs: Vec::new(),
            ids: Vec::new(),
        };
        for path in paths {
            match log::read(path) {
                Ok(ids) if ids.is_empty() => {
                    problems.add(format!("a server ran nothing: {}", path.display()));
                }
                Ok(ids) => ran
                    .ids
                    .extend(ids.into_iter().map(|id| (id, ran.logs.len()))),
                Err(error) => problems.add(error),
            }
            let name = path.file_name().unwrap_or_default();
            ran.logs.push(name.to_string_lossy().into_owned());
        }
        ran.ids.sort_unstable();
        ran
    }

    fn places(&self, id: u64) -> &[(u64, usize)] {
        let from = self.ids.partition_point(|(other, _)| *other < id);
        let to = self.ids.partition_point(|(other, _)| *other <= id);
        &self.ids[from..to]
    }

    fn logs_of(&self, id: u64) -> impl Iterator<Item = &str> {
        self.places(id).iter().map(|(_, log)| &*self.logs[*log])
    }

    fn has(&self, id: u64) -> bool {
        !self.places(id).is_empty()
    }
}

/// Compares what clients were told with the logs. Returns how many accepted casts did not run.
pub(crate) fn judge(record: &Record, nodes: &[Node], problems: &mut Problems) -> usize {
    let logs: Vec<PathBuf> = nodes.iter().flat_map(|node| node.logs.clone()).collect();
    let ran = Ran::read(&logs, problems);
    let killed = nodes.iter().any(|node| !node.kills.is_empty());

    for (kind, errors) in &record.wrong {
        problems.add(format!("{kind}: {errors}"));
    }
    let mut twice: Vec<u64> = ran
        .ids
        .windows(2)
        .filter(|pair| pair[0].0 == pair[1].0)
        .map(|pair| pair[0].0)
        .collect();
    twice.dedup();
    problems.ids("ran more than once", &twice, &ran);

    let not_run =
        |ids: &[u64]| -> Vec<u64> { ids.iter().copied().filter(|id| !ran.has(*id)).collect() };
    problems.ids(
        "calls that were answered, but did not run",
        &not_run(&record.calls),
        &ran,
    );
    let casts = not_run(&record.casts);
    // one that was accepted dies with the process of its server
    if !killed {
        problems.ids("casts that were accepted, but did not run", &casts, &ran);
    }
    let refused: Vec<u64> = record
        .refused
        .iter()
        .copied()
        .filter(|id| ran.has(*id))
        .collect();
    problems.ids("refused, but ran", &refused, &ran);

    let (done, not_done): (Vec<u64>, Vec<u64>) =
        record.uncertain.iter().partition(|id| ran.has(**id));
    problems.ids("failed, but ran", &done, &ran);
    problems.ids("failed as if it may have run, and did not", &not_done, &ran);

    let mut sent: Vec<u64> = record
        .calls
        .iter()
        .chain(&record.casts)
        .chain(&record.refused)
        .chain(&record.uncertain)
        .copied()
        .collect();
    sent.extend(record.lost.iter().map(|lost| lost.id));
    sent.sort_unstable();
    let mut unknown: Vec<u64> = ran
        .ids
        .iter()
        .map(|(id, _)| *id)
        .filter(|id| sent.binary_search(id).is_err())
        .collect();
    unknown.dedup();
    problems.ids("ran, but was never sent", &unknown, &ran);
    let before = sent.len();
    sent.dedup();
    if sent.len() < before {
        problems.add("a client used an id twice: the test is wrong");
    }

    lost_by_kills(record, nodes, problems);
    for kind in Kind::ALL
        .into_iter()
        .filter(|kind| record.served(*kind) == 0)
    {
        problems.add(format!(
            "no {kind:?} was served at all, so nothing is proven of it"
        ));
    }
    casts.len()
}

/// No kill may cost more than what was in flight, and nothing may be lost without one.
fn lost_by_kills(record: &Record, nodes: &[Node], problems: &mut Problems) {
    for lost in &record.lost {
        let known = nodes.iter().any(|node| lost.server == node.full_name());
        if !known {
            problems.add(format!("lost without a server: {lost:?}"));
        }
    }
    for node in nodes {
        let mut by_kill = vec![0; node.kills.len() + 1];
        for lost in record
            .lost
            .iter()
            .filter(|lost| lost.server == node.full_name())
        {
            by_kill[node.kills.partition_point(|kill| *kill <= lost.noticed)] += 1;
        }
        if by_kill[0] > 0 {
            problems.add(format!(
                "{} was lost to {} requests before it was killed",
                node.name, by_kill[0]
            ));
        }
        let in_flight = WINDOW * super::fleet::CLIENTS;
        for (number, lost) in by_kill
            .iter()
            .enumerate()
            .skip(1)
            .filter(|(_, lost)| **lost > in_flight)
        {
            problems.add(format!(
                "kill {number} of {} cost {lost} requests, and {in_flight} were in flight",
                node.name
            ));
        }
    }
}
