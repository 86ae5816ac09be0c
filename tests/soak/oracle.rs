//! What clients were told, what servers did, and whether these agree.

use rpc_core::RpcError;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How much later than its deadline a future may end.
const GRACE: Duration = Duration::from_millis(100);

/// The most nodes: what ran where is counted in so many parts of a word.
pub(crate) const NODES: usize = 4;
const BITS: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Call,
    Cast,
    Fanout,
    Multicall,
}

/// What a client was told of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Told {
    /// It ran, and this is what came of it.
    Ran,
    /// A cast was accepted.
    Accepted,
    NotRun,
    MayHaveRun,
    /// Of a fanout: which nodes accepted it, and which surely did not run it.
    Fanout {
        accepted: u8,
        refused: u8,
    },
}

/// Everything that is known of the requests of one run.
pub(crate) struct Oracle {
    /// What ran, by id: how often on each node.
    ran: Vec<AtomicU64>,
    next: AtomicUsize,
    /// What the program holds without a request.
    idle: usize,
    state: Mutex<State>,
}

struct State {
    told: Vec<Option<Told>>,
    outcomes: BTreeMap<(Kind, &'static str), u64>,
    problems: Vec<String>,
    /// Requests that servers had accepted and did not run, because they were killed.
    died: u64,
    /// What was held besides all this.
    heap: Vec<usize>,
}

/// How often the memory is looked at in one run.
pub(crate) const SAMPLES: usize = 10_000;

impl Oracle {
    pub(crate) fn new(messages: usize) -> Self {
        let ran = (0..messages).map(|_| AtomicU64::new(0)).collect();
        let state = State {
            told: vec![None; messages],
            outcomes: BTreeMap::new(),
            problems: Vec::with_capacity(16),
            died: 0,
            heap: Vec::with_capacity(SAMPLES + 1),
        };
        Self {
            ran,
            next: AtomicUsize::new(0),
            idle: crate::memory::live(),
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The id of the next request, until there have been enough.
    pub(crate) fn next(&self) -> Option<u32> {
        let id = self.next.fetch_add(1, Relaxed);
        if id.is_multiple_of((self.ran.len() / SAMPLES).max(1)) {
            let held = crate::memory::live().saturating_sub(self.idle);
            self.state().heap.push(held);
        }
        (id < self.ran.len()).then(|| u32::try_from(id).expect("few enough"))
    }

    /// A handler has begun.
    pub(crate) fn ran(&self, id: u32, node: usize) {
        self.ran[id as usize].fetch_add(1 << (BITS * node), Relaxed);
    }

    /// A server is gone: what it had accepted and not run died with it.
    pub(crate) fn died(&self, requests: u64) {
        self.state().died += requests;
    }

    pub(crate) fn problem(&self, problem: impl FnOnce() -> String) {
        let mut state = self.state();
        if state.problems.len() < 16 {
            state.problems.push(problem());
        }
    }

    /// A wait of a client is over.
    pub(crate) fn waited(&self, id: u32, kind: Kind, began: Instant, limit: Duration) {
        let took = began.elapsed();
        if took > limit + GRACE {
            self.problem(|| format!("{kind:?} {id} took {took:?}, its limit was {limit:?}"));
        }
    }

    /// A client was told what became of a request.
    pub(crate) fn told(&self, id: u32, kind: Kind, outcome: &'static str, told: Told) {
        let mut state = self.state();
        *state.outcomes.entry((kind, outcome)).or_default() += 1;
        state.told[id as usize] = Some(told);
    }

    pub(crate) fn failed(&self, id: u32, kind: Kind, error: &RpcError) {
        let told = match error.may_have_run() {
            true => Told::MayHaveRun,
            false => Told::NotRun,
        };
        self.told(id, kind, error.kind().name(), told);
    }

    pub(crate) fn outcomes(&self) -> BTreeMap<(Kind, &'static str), u64> {
        self.state().outcomes.clone()
    }

    /// What the program held, on average, in one tenth of the run.
    pub(crate) fn heap(&self, tenth: usize) -> usize {
        let state = self.state();
        let length = state.heap.len() / 10;
        let samples = &state.heap[tenth * length..(tenth + 1) * length];
        samples.iter().sum::<usize>() / samples.len().max(1)
    }

    /// Whether everything was as it should be; otherwise what was not. To be asked when nothing runs any more.
    pub(crate) fn verdict(&self) -> Vec<String> {
        let mut state = self.state();
        let mut problems = std::mem::take(&mut state.problems);
        let mut died = 0;
        for (id, (ran, told)) in self.ran.iter().zip(&state.told).enumerate() {
            let on = |node: usize| (ran.load(Relaxed) >> (BITS * node)) & 0xffff;
            let times: u64 = (0..NODES).map(on).sum();
            let problem = match told {
                None => Some("its client was told nothing".to_owned()),
                Some(Told::Fanout { accepted, refused }) => {
                    let is = |mask: &u8, node: usize| mask & (1 << node) != 0;
                    died += (0..NODES)
                        .filter(|node| is(accepted, *node) && on(*node) == 0)
                        .count() as u64;
                    (0..NODES).find_map(|node| match on(node) {
                        0 | 1 if !is(refused, node) => None,
                        0 => None,
                        times => Some(format!("it ran {times} times on node {node}")),
                    })
                }
                Some(Told::Accepted) if times == 0 => {
                    died += 1;
                    None
                }
                Some(Told::Ran | Told::Accepted) if times == 1 => None,
                Some(Told::NotRun) if times == 0 => None,
                Some(Told::MayHaveRun) if times <= 1 => None,
                Some(_) => Some(format!("it ran {times} times")),
            };
            if let (Some(problem), true) = (problem, problems.len() < 16) {
                problems.push(format!("request {id}, {told:?}: {problem}"));
            }
        }
        // what was accepted runs, unless its server is killed before
        if died > state.died {
            problems.push(format!(
                "{died} accepted requests were not run, and only {} died with their servers",
                state.died
            ));
        }
        problems
    }
}
