//! Whether what clients were told is what nodes did, and whether there was a reason for it.

use crate::load::{Entry, Kind, Told};
use crate::weather::{Fault, HEARTBEAT};
use rpc_core::ErrorKind;
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

/// How much later than its deadline a future may end, on a machine that does much else.
const MARGIN: Duration = Duration::from_secs(2);

/// How long after a fault its consequences may show.
const AFTERMATH: Duration = Duration::from_secs(12);

/// How long an accepted cast may wait and run, on a node that does not stand still.
const RUNS: Duration = Duration::from_secs(5);

/// A fault that happened.
#[derive(Debug)]
pub(crate) struct Incident {
    pub(crate) node: usize,
    pub(crate) fault: Fault,
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
}

/// How often each request began to run on each node.
struct Ran(HashMap<u64, Vec<u32>>);

impl Ran {
    fn of(logs: &[Vec<u64>]) -> Self {
        let mut ran: HashMap<u64, Vec<u32>> = HashMap::new();
        for (node, log) in logs.iter().enumerate() {
            for id in log {
                ran.entry(*id).or_insert_with(|| vec![0; logs.len()])[node] += 1;
            }
        }
        Self(ran)
    }

    fn on(&self, id: u64, node: usize) -> u32 {
        self.0.get(&id).map_or(0, |nodes| nodes[node])
    }

    fn times(&self, id: u64) -> u32 {
        self.0.get(&id).map_or(0, |nodes| nodes.iter().sum())
    }
}

struct Judge<'a> {
    incidents: &'a [Incident],
    ran: Ran,
    nodes: usize,
    /// Accepted requests that did not run, since their process was killed.
    died: u64,
}

/// Compares, and shows figures. What is wrong comes back.
pub(crate) fn verdict(entries: &[Entry], incidents: &[Incident], logs: &[Vec<u64>]) -> Vec<String> {
    let mut judge = Judge {
        incidents,
        ran: Ran::of(logs),
        nodes: logs.len(),
        died: 0,
    };
    let mut problems = Vec::new();
    for entry in entries {
        let wrong = judge.of_answer(entry).and_then(|()| judge.of_runs(entry));
        problems.extend(wrong.err().map(|wrong| format!("{wrong}: {entry:?}")));
    }
    let outcomes = outcomes(entries);
    for kind in [Kind::Call, Kind::Cast, Kind::Fanout, Kind::Multicall] {
        if !["ran", "accepted"]
            .iter()
            .any(|good| outcomes.contains_key(&(kind, *good)))
        {
            problems.push(format!(
                "no {kind:?} was served, so nothing is proven of it"
            ));
        }
    }
    let mut faults: BTreeMap<Fault, u64> = BTreeMap::new();
    for incident in incidents {
        *faults.entry(incident.fault).or_default() += 1;
    }
    let late = entries
        .iter()
        .map(|entry| took(entry).saturating_sub(entry.limit));
    println!(
        "{} requests; {faults:?}; {} accepted ones died with their process; the latest future was {:?} late",
        entries.len(),
        judge.died,
        late.max().unwrap_or_default()
    );
    for ((kind, outcome), count) in &outcomes {
        println!("{kind:?} {outcome}: {count}");
    }
    problems
}

fn outcomes(entries: &[Entry]) -> BTreeMap<(Kind, &'static str), u64> {
    let mut outcomes = BTreeMap::new();
    for entry in entries {
        *outcomes
            .entry((entry.kind, outcome(&entry.told)))
            .or_default() += 1;
    }
    outcomes
}

fn outcome(told: &Told) -> &'static str {
    match told {
        Told::Ran => "ran",
        Told::Accepted | Told::Fanout { .. } => "accepted",
        Told::Failed { kind, .. } => kind.name(),
        Told::Wrong(_) => "wrong",
        Told::Hangs => "hangs",
    }
}

fn took(entry: &Entry) -> Duration {
    entry.ended - entry.began
}

impl Judge<'_> {
    /// Whether the answer came in time, and there was a reason for its kind.
    fn of_answer(&self, entry: &Entry) -> Result<(), &'static str> {
        if took(entry) > entry.limit + MARGIN {
            return Err("it is late");
        }
        let Told::Failed {
            kind,
            may_have_run,
            by,
            ..
        } = &entry.told
        else {
            return match entry.told {
                Told::Wrong(_) | Told::Hangs => Err("that is no answer"),
                _ => Ok(()),
            };
        };
        let waited = took(entry) >= entry.limit;
        let written = matches!(kind, ErrorKind::Timeout | ErrorKind::PeerLost);
        if *may_have_run != written {
            return Err("what was not written did not run, and what was may have run");
        }
        let by = by.or(entry.named);
        match kind {
            ErrorKind::Timeout | ErrorKind::Undeliverable if !waited => Err("it gave up early"),
            ErrorKind::Timeout | ErrorKind::Undeliverable | ErrorKind::Overloaded => Ok(()),
            ErrorKind::PeerLost if self.was_in_trouble(by, entry, |_| true) => Ok(()),
            ErrorKind::PeerLost => Err("nothing happened to the peer"),
            ErrorKind::Unavailable
                if self.was_in_trouble(by, entry, |fault| fault == Fault::Restart) =>
            {
                Ok(())
            }
            ErrorKind::Unavailable => Err("nobody told the node to stop"),
            _ => Err("no fault makes an error of this kind"),
        }
    }

    /// Whether something happened to this node, or to any if it is not known, that can be the reason of a failure.
    fn was_in_trouble(
        &self,
        node: Option<usize>,
        entry: &Entry,
        is: impl Fn(Fault) -> bool,
    ) -> bool {
        self.incidents.iter().any(|incident| {
            node.is_none_or(|node| node == incident.node)
                && is(incident.fault)
                && incident.began <= entry.ended
                && entry.began <= incident.ended + AFTERMATH
        })
    }

    /// Whether it ran as often as its client was told.
    fn of_runs(&mut self, entry: &Entry) -> Result<(), &'static str> {
        let times = self.ran.times(entry.id);
        match entry.told {
            Told::Fanout { accepted, refused } => {
                for node in 0..self.nodes {
                    let is = |mask: u8| mask & (1 << node) != 0;
                    match self.ran.on(entry.id, node) {
                        0 if is(accepted) && !self.may_have_died(Some(node), entry) => {
                            return Err("accepted, and not run");
                        }
                        0 if is(accepted) => self.died += 1,
                        1 if is(refused) => return Err("refused, and run"),
                        0 | 1 => {}
                        _ => return Err("run twice"),
                    }
                }
                Ok(())
            }
            // every server was to be asked
            Told::Failed {
                may_have_run: true, ..
            } if entry.kind == Kind::Fanout => Ok(()),
            Told::Accepted if times == 0 && self.may_have_died(entry.named, entry) => {
                self.died += 1;
                Ok(())
            }
            Told::Ran | Told::Accepted if times == 0 => Err("answered, and not run"),
            Told::Failed {
                may_have_run: false,
                ..
            } if times > 0 => Err("refused, and run"),
            _ if times > 1 => Err("run twice"),
            _ => Ok(()),
        }
    }

    /// Whether the process that accepted it may have been killed before it ran it.
    fn may_have_died(&self, node: Option<usize>, entry: &Entry) -> bool {
        self.incidents.iter().any(|incident| {
            node.is_none_or(|node| node == incident.node)
                && incident.fault == Fault::Kill
                && incident.ended >= entry.began
                && incident.began <= entry.ended + RUNS + HEARTBEAT
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(1);

    fn entry(kind: Kind, took: Duration, told: Told) -> Entry {
        let began = Instant::now() + Duration::from_secs(60);
        Entry {
            id: 1,
            kind,
            named: Some(0),
            began,
            ended: began + took,
            limit: LIMIT,
            told,
        }
    }

    fn failed(kind: ErrorKind) -> Told {
        Told::Failed {
            kind,
            may_have_run: matches!(kind, ErrorKind::Timeout | ErrorKind::PeerLost),
            by: Some(0),
            text: String::new(),
        }
    }

    /// What is found wrong with one request that the two nodes ran so often, of which the first had this fault meanwhile.
    fn found(entry: &Entry, fault: Option<Fault>, ran: [usize; 2]) -> Result<(), &'static str> {
        let incident = |fault| Incident {
            node: 0,
            fault,
            began: entry.began,
            ended: entry.ended,
        };
        let mut judge = Judge {
            incidents: &fault.into_iter().map(incident).collect::<Vec<_>>(),
            ran: Ran::of(&ran.map(|times| vec![entry.id; times])),
            nodes: 2,
            died: 0,
        };
        judge.of_answer(entry).and_then(|()| judge.of_runs(entry))
    }

    #[test]
    fn what_is_as_it_should_be_is_no_problem() {
        let (call, cast, soon) = (Kind::Call, Kind::Cast, LIMIT / 2);
        let lost = entry(call, soon, failed(ErrorKind::PeerLost));
        for times in [[0, 0], [1, 0]] {
            assert_eq!(found(&lost, Some(Fault::Cable), times), Ok(()));
        }
        let died = entry(cast, soon, Told::Accepted);
        assert_eq!(found(&died, Some(Fault::Kill), [0, 0]), Ok(()));
        let nobody = entry(call, LIMIT, failed(ErrorKind::Undeliverable));
        assert_eq!(found(&nobody, None, [0, 0]), Ok(()));
        let (accepted, refused) = (0b01, 0b10);
        let fanout = entry(Kind::Fanout, soon, Told::Fanout { accepted, refused });
        assert_eq!(found(&fanout, None, [1, 0]), Ok(()));
    }

    #[test]
    fn whatever_is_wrong_is_found() {
        let (call, cast, soon) = (Kind::Call, Kind::Cast, LIMIT / 2);
        let cable = Some(Fault::Cable);
        let (accepted, refused) = (0b01, 0b10);
        let fanout = || Told::Fanout { accepted, refused };
        for (entry, fault, ran) in [
            (entry(call, soon, Told::Ran), None, [1, 1]),
            (entry(call, soon, Told::Ran), None, [0, 0]),
            (entry(call, LIMIT + 2 * MARGIN, Told::Ran), None, [1, 0]),
            (entry(call, soon, Told::Hangs), None, [1, 0]),
            (entry(cast, soon, Told::Accepted), cable, [0, 0]),
            (entry(call, soon, failed(ErrorKind::PeerLost)), None, [1, 0]),
            (
                entry(call, soon, failed(ErrorKind::PeerLost)),
                cable,
                [2, 0],
            ),
            (entry(call, soon, failed(ErrorKind::Timeout)), cable, [1, 0]),
            (
                entry(call, LIMIT, failed(ErrorKind::Undeliverable)),
                cable,
                [1, 0],
            ),
            (
                entry(call, soon, failed(ErrorKind::Unavailable)),
                cable,
                [0, 0],
            ),
            (
                entry(call, soon, failed(ErrorKind::NoSuchMethod)),
                cable,
                [0, 0],
            ),
            (entry(Kind::Fanout, soon, fanout()), None, [1, 1]),
            (entry(Kind::Fanout, soon, fanout()), None, [0, 0]),
            (entry(Kind::Fanout, soon, fanout()), None, [2, 0]),
        ] {
            assert!(
                found(&entry, fault, ran).is_err(),
                "{entry:?} {fault:?} {ran:?}"
            );
        }
    }
}
