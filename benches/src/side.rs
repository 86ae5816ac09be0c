//! One of those that do the same work.

use crate::Outcome;
use crate::load::Scale;
use crate::process::Serving;
use std::pin::Pin;

/// What one round of one side came to: a figure for each series of the benchmark. `None`: this system does not tell.
pub type Sample = Vec<Option<f64>>;

/// What a side is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    Echo(Echoes),
    StreamReady,
    StreamPaced,
    Cast,
    /// Very many clients of one server, which do nothing.
    Idle,
    /// One client of very many servers.
    Many,
}

/// What every side does alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echoes {
    Sequential,
    InFlight,
    Large,
}

pub const SEQUENTIAL: Work = Work::Echo(Echoes::Sequential);
pub const IN_FLIGHT: Work = Work::Echo(Echoes::InFlight);
pub const LARGE: Work = Work::Echo(Echoes::Large);

/// One round, as the client process sees it.
#[derive(Clone, Debug)]
pub struct Job {
    pub work: Work,
    pub scale: Scale,
    /// Where the server listens, on the loopback interface.
    pub ports: Vec<u16>,
    /// The server's process.
    pub server: u32,
}

impl Job {
    /// Where the server listens, if that is one place.
    pub fn port(&self) -> u16 {
        self.ports.first().copied().unwrap_or_default()
    }

    /// The problem of a side that was asked for what is not in its [`Side::does`].
    pub fn not_done<T>(&self) -> Outcome<T> {
        Err(format!("this side does not do {:?}", self.work))
    }
}

pub type Future<T> = Pin<Box<dyn std::future::Future<Output = T> + Send>>;

/// A server, and a client of it.
#[derive(Clone, Copy)]
pub struct Side {
    pub name: &'static str,
    pub what: &'static str,
    /// What it does not do that others do.
    pub lacks: &'static str,
    /// The packages that it is made of, but for those of this workspace.
    pub packages: &'static [&'static str],
    pub does: &'static [Work],
    /// Starts the server on free ports.
    pub serve: fn(Work) -> Future<Outcome<Serving>>,
    /// Does one round of a benchmark, in a process of its own.
    pub run: fn(Job) -> Future<Outcome<Sample>>,
}

impl std::fmt::Debug for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Side({})", self.name)
    }
}
