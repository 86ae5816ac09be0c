//! What became of requests.

use super::request::{Kind, Served, Trouble};
use rpc_core::{ErrorKind, RpcError};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What the scenario knows, by which a request's end is judged at once.
#[derive(Debug)]
pub(crate) struct Situation {
    old: Mutex<OldServers>,
    /// Whether servers are killed.
    kills: bool,
}

#[derive(Debug, Default)]
struct OldServers {
    present: usize,
    /// When every client knew that one was gone.
    gone: Option<Instant>,
}

impl Situation {
    pub(crate) fn new(kills: bool) -> Self {
        Self {
            old: Mutex::default(),
            kills,
        }
    }

    fn old(&self) -> MutexGuard<'_, OldServers> {
        self.old.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An old server is about to be started.
    pub(crate) fn old_comes(&self) {
        self.old().present += 1;
    }

    /// Every client knows that an old server is gone.
    pub(crate) fn old_is_gone(&self) {
        let mut old = self.old();
        old.present -= 1;
        old.gone = Some(Instant::now());
    }

    /// Whether the versions can have demanded that what was sent since then is refused.
    fn old_since(&self, began: Instant) -> bool {
        let old = self.old();
        old.present > 0 || old.gone.is_some_and(|gone| gone >= began)
    }
}

/// A request whose link was lost.
#[derive(Debug)]
pub(crate) struct Lost {
    pub(crate) id: u64,
    pub(crate) server: String,
    pub(crate) noticed: Instant,
}

/// Errors of one kind: how many, and the first few.
#[derive(Debug, Default)]
pub(crate) struct Errors {
    pub(crate) count: u64,
    samples: Vec<String>,
}

const SAMPLES: usize = 5;

impl Errors {
    fn add(&mut self, sample: impl FnOnce() -> String) {
        self.count += 1;
        if self.samples.len() < SAMPLES {
            self.samples.push(sample());
        }
    }

    fn append(&mut self, other: Self) {
        self.count += other.count;
        self.samples.extend(other.samples);
        self.samples.truncate(SAMPLES);
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} times", self.count)?;
        for sample in &self.samples {
            write!(f, "\n    {sample}")?;
        }
        Ok(())
    }
}

/// What became of many requests.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// Calls that were answered.
    pub(crate) calls: Vec<u64>,
    /// Casts that were accepted.
    pub(crate) casts: Vec<u64>,
    /// What surely did not run.
    pub(crate) refused: Vec<u64>,
    pub(crate) lost: Vec<Lost>,
    /// What failed as nothing should, and may have run.
    pub(crate) uncertain: Vec<u64>,
    served: [u64; Kind::ALL.len()],
    pub(crate) without_hint: u64,
    /// Refusals that the versions demand.
    pub(crate) refusals: BTreeMap<&'static str, Errors>,
    /// What should not be.
    pub(crate) wrong: BTreeMap<&'static str, Errors>,
}

impl Record {
    pub(crate) fn requests(&self) -> usize {
        self.calls.len()
            + self.casts.len()
            + self.refused.len()
            + self.lost.len()
            + self.uncertain.len()
    }

    pub(crate) fn served(&self, kind: Kind) -> u64 {
        self.served[kind as usize]
    }

    /// Takes down how a request ended, now.
    pub(crate) fn add(
        &mut self,
        id: u64,
        kind: Kind,
        began: Instant,
        result: Result<Served, Trouble>,
        situation: &Situation,
    ) {
        match result {
            Ok(served) => {
                self.served[kind as usize] += 1;
                self.without_hint += u64::from(served == Served::WithoutHint);
                match kind.is_cast() {
                    true => self.casts.push(id),
                    false => self.calls.push(id),
                }
            }
            Err(Trouble::Wrong(text)) => {
                self.calls.push(id);
                self.wrong.entry("wrong answer").or_default().add(|| text);
            }
            Err(Trouble::Rpc(error)) => self.failed(id, kind, began, &error, situation),
        }
    }

    fn failed(
        &mut self,
        id: u64,
        kind: Kind,
        began: Instant,
        error: &RpcError,
        situation: &Situation,
    ) {
        let name = error.kind().name();
        let sample = || format!("{kind:?} {id:#x}: {error}");
        match error.kind() {
            // an error that names a server came from there, so the message was sent
            ErrorKind::VersionCap | ErrorKind::UnsupportedVersion
                if kind.needs_new() && error.server().is_none() && situation.old_since(began) =>
            {
                self.refused.push(id);
                self.refusals.entry(name).or_default().add(sample);
            }
            ErrorKind::PeerLost if situation.kills => self.lost.push(Lost {
                id,
                server: error.server().unwrap_or_default().to_owned(),
                noticed: Instant::now(),
            }),
            _ => {
                self.wrong.entry(name).or_default().add(sample);
                match error.may_have_run() {
                    true => self.uncertain.push(id),
                    false => self.refused.push(id),
                }
            }
        }
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.calls.append(&mut other.calls);
        self.casts.append(&mut other.casts);
        self.refused.append(&mut other.refused);
        self.lost.append(&mut other.lost);
        self.uncertain.append(&mut other.uncertain);
        self.without_hint += other.without_hint;
        for (sum, more) in self.served.iter_mut().zip(other.served) {
            *sum += more;
        }
        for (name, errors) in other.refusals {
            self.refusals.entry(name).or_default().append(errors);
        }
        for (name, errors) in other.wrong {
            self.wrong.entry(name).or_default().append(errors);
        }
    }
}
