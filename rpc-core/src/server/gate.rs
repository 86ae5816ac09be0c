//! How many requests of a server run, which wait, and whether new ones are taken in.

use super::handler::Job;
use crate::lock;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Mutex, MutexGuard};
use std::collections::VecDeque;
use tokio::sync::Notify;

#[cfg(all(test, shuttle))]
mod races;
#[cfg(test)]
mod tests;

/// What became of the requests of a server that was stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// Handlers that came to their end, since the server was started.
    pub finished: u64,
    /// Handlers that were dropped at the limit of [`wait_at_most`](crate::Server::wait_at_most).
    pub cut_off: u64,
    /// Requests that were accepted and still waited at that limit.
    pub not_run: u64,
}

/// What keeps a server within its limits.
pub(super) struct Gate {
    state: Mutex<State>,
    concurrency: usize,
    queue: usize,
    /// Something ended: there may be nothing left.
    ended: Notify,
    /// Handlers that still run are to be dropped.
    cut: Notify,
    is_cut: AtomicBool,
}

#[derive(Default)]
struct State {
    running: usize,
    waiting: VecDeque<Job>,
    draining: bool,
}

/// What becomes of a request that arrives.
pub(super) enum Entered {
    /// It is to be run now.
    Runs(Job),
    /// It is run when another one has ended. Nobody waited any more for those that made room for it.
    Waits(Vec<Job>),
    /// The server is stopping.
    Draining(Job),
    /// As many run and wait as may.
    Full(Job),
}

impl Gate {
    pub(super) fn new(concurrency: usize, queue: usize) -> Self {
        Self {
            state: Mutex::default(),
            concurrency,
            queue,
            ended: Notify::new(),
            cut: Notify::new(),
            is_cut: AtomicBool::new(false),
        }
    }

    /// Takes a request in, or does not. One that is taken in says so to its caller before it can run.
    pub(super) fn enter(&self, job: Job) -> Entered {
        let mut state = lock(&self.state);
        if state.draining {
            return Entered::Draining(job);
        }
        if state.running < self.concurrency {
            state.running += 1;
            drop(state);
            job.accepted();
            return Entered::Runs(job);
        }
        if state.waiting.len() >= self.queue {
            // what nobody waits for any more makes room
            let (dead, waiting): (Vec<_>, Vec<_>) = state.waiting.drain(..).partition(Job::is_dead);
            state.waiting = waiting.into();
            if dead.is_empty() {
                return Entered::Full(job);
            }
            job.accepted();
            state.waiting.push_back(job);
            return Entered::Waits(dead);
        }
        job.accepted();
        state.waiting.push_back(job);
        Entered::Waits(Vec::new())
    }

    /// A handler has ended: the next request takes its place. Without one, the place is free.
    pub(super) fn next(&self) -> Option<Job> {
        let mut state = lock(&self.state);
        let next = state.waiting.pop_front();
        if next.is_none() {
            self.free(state);
        }
        next
    }

    /// A task that ran handlers is gone, with the runtime for instance.
    pub(super) fn abandon(&self) {
        self.free(lock(&self.state));
    }

    fn free(&self, mut state: MutexGuard<'_, State>) {
        state.running -= 1;
        let idle = state.draining && state.running == 0;
        drop(state);
        if idle {
            self.ended.notify_waiters();
        }
    }

    /// How many handlers run.
    pub(super) fn running(&self) -> usize {
        lock(&self.state).running
    }

    /// `true` the first time.
    pub(super) fn drain(&self) -> bool {
        let mut state = lock(&self.state);
        let first = !std::mem::replace(&mut state.draining, true);
        drop(state);
        self.ended.notify_waiters();
        first
    }

    pub(super) fn is_draining(&self) -> bool {
        lock(&self.state).draining
    }

    fn is_idle(&self) -> bool {
        let state = lock(&self.state);
        state.draining && state.running == 0 && state.waiting.is_empty()
    }

    /// Waits until nothing new is taken in and nothing runs.
    pub(super) async fn idle(&self) {
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            if self.is_idle() {
                return;
            }
            ended.await;
        }
    }

    /// Gives up what waits, and tells what runs to end.
    pub(super) fn cut_off(&self) -> VecDeque<Job> {
        let waiting = std::mem::take(&mut lock(&self.state).waiting);
        self.is_cut.store(true, Ordering::Release);
        self.cut.notify_waiters();
        waiting
    }

    pub(super) fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::Acquire)
    }

    pub(super) fn cut(&self) -> &Notify {
        &self.cut
    }
}
