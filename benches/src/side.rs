//! One of those that do the same work.

use crate::Outcome;
use crate::load::Scale;
use crate::process::Serving;
use std::pin::Pin;

/// What one round of one side came to: a figure for each series of the benchmark. `None`: this system does not tell.
pub type Sample = Vec<Option<f64>>;

/// What a server is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    Sequential,
    InFlight,
    StreamReady,
    StreamPaced,
    Cast,
    Large,
}

pub type Future<'a, T> = Pin<Box<dyn std::future::Future<Output = T> + Send + 'a>>;

/// A server, and a client of it.
#[derive(Clone, Copy)]
pub struct Side {
    pub name: &'static str,
    /// What it is, and what it does not do that others do.
    pub what: &'static str,
    pub can: fn(Work) -> bool,
    /// Starts the server on a free port.
    pub serve: fn() -> Future<'static, Outcome<Serving>>,
    /// Does one round of a benchmark with the server of this port and process.
    pub run: fn(Work, &Scale, u16, u32) -> Future<'_, Outcome<Sample>>,
}

impl std::fmt::Debug for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Side({})", self.name)
    }
}
