//! How many requests of a server run, which wait, and whether new ones are taken in.

use super::handler::{Ended, Job};
use super::limits::Limits;
use super::queue::Queue;
use super::runner::{Desk, Runners};
use crate::lock;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Mutex, MutexGuard};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

#[cfg(all(test, shuttle))]
mod races;
#[cfg(test)]
pub(super) mod tests;

/// What became of the requests of a server that was stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// Handlers that came to their end, since the server was started.
    pub finished: u64,
    /// Handlers that were dropped at the limit of [`wait_at_most`](crate::Server::wait_at_most).
    pub cut_off: u64,
    /// Requests that were accepted and still waited at that limit, or when the runtimes of all that ran ended.
    pub not_run: u64,
}

/// How much longer than it took a full queue is left alone, after it was looked through for requests that nobody waits for.
const RARELY: u32 = 20;

/// Of so many places, some are kept for clients that have few requests; of fewer, none.
const SPARED_OF: usize = 64;
const SPARED: usize = 16;

/// The most that are kept.
const MOST_SPARED: usize = 256;

/// They are for clients that have at most one request at the node for each so many of them that are free. So a crowd of clients that
/// want all of them leaves some.
const SHARED_BY: usize = 8;

fn spared(places: usize) -> usize {
    (places / SPARED_OF * SPARED).min(MOST_SPARED)
}

/// What keeps a server within its limits.
pub(super) struct Gate {
    state: Mutex<State>,
    concurrency: usize,
    /// How many of these are for anybody. The others are for clients that have few requests at the node.
    common: usize,
    queue: usize,
    /// Something ended: there may be nothing left.
    ended: Notify,
    /// Handlers that still run are to be dropped.
    cut: Notify,
    is_cut: AtomicBool,
}

struct State {
    running: usize,
    /// How many of them run in places that are kept for clients that have few requests.
    in_spare: usize,
    queue: Queue<Job>,
    /// Tasks that wait for a request.
    runners: Runners,
    /// How many requests were taken in.
    accepted: u64,
    /// How many of both are of methods that a server runs while it drains.
    of_drain: usize,
    draining: bool,
    /// When it was looked for requests that nobody waits for, and how long that took.
    looked: Option<(Instant, Duration)>,
    /// Nothing at all is taken in any more.
    closed: bool,
}

impl State {
    /// How many run in places that are for anybody.
    fn in_common(&self) -> usize {
        self.running - self.in_spare
    }

    /// Whether what runs or waits is only there because a draining server still runs it.
    fn has_drained(&self) -> bool {
        self.draining && self.running + self.queue.len() == self.of_drain
    }

    fn is_idle(&self) -> bool {
        self.draining && self.running == 0 && self.queue.len() == 0
    }

    /// Takes out those that wait and that nobody waits for any more. Looking for them may take a part of the time, however often a full
    /// queue is knocked at.
    fn remove_dead(&mut self) -> Vec<Job> {
        let now = Instant::now();
        if self
            .looked
            .is_some_and(|(at, took)| now < at + RARELY * took)
        {
            return Vec::new();
        }
        let dead = self.queue.remove_dead();
        self.looked = Some((now, now.elapsed()));
        dead
    }

    fn left(&mut self, job: &Job) {
        self.of_drain -= usize::from(job.is_of_drain());
    }
}

/// What comes next for a task whose request is over.
#[expect(
    clippy::large_enum_variant,
    reason = "a box would be one more allocation for a request that waited"
)]
pub(super) enum Next {
    /// Another request, in the same place.
    Job(Job),
    /// It keeps ready.
    Ready,
    /// Enough others do.
    End,
}

/// What becomes of a request that arrives.
pub(super) enum Entered {
    /// It is to be run now, by a task that keeps ready if there is one.
    Runs(Job, Option<Arc<Desk>>),
    /// It is run when another one has ended. Nobody waited any more for those that made room for it.
    Waits(Vec<Job>),
    /// The server is stopping.
    Draining(Job),
    /// As many run and wait as may.
    Full(Job),
}

impl Gate {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            state: Mutex::new(State {
                running: 0,
                in_spare: 0,
                queue: Queue::new(limits.methods.limits()),
                runners: Runners::default(),
                accepted: 0,
                of_drain: 0,
                draining: false,
                looked: None,
                closed: false,
            }),
            concurrency: limits.concurrency,
            common: limits.concurrency - spared(limits.concurrency),
            queue: limits.queue,
            ended: Notify::new(),
            cut: Notify::new(),
            is_cut: AtomicBool::new(false),
        }
    }

    /// Takes a request in, or does not. A stream that is taken in says so to its caller before it can run.
    pub(super) fn enter(&self, mut job: Job) -> Entered {
        let mut state = lock(&self.state);
        if state.closed || state.draining && !job.is_of_drain() {
            return Entered::Draining(job);
        }
        let lane = job.lane;
        let mut admitted = state.queue.admit(lane);
        if admitted && self.has_place(&state, &job) {
            job.in_spare = state.in_common() >= self.common;
            state.in_spare += usize::from(job.in_spare);
            state.running += 1;
            state.of_drain += usize::from(job.is_of_drain());
            state.accepted += 1;
            let desk = state.runners.ready();
            drop(state);
            job.accepted();
            return Entered::Runs(job, desk);
        }
        let mut dead = Vec::new();
        if state.queue.len() >= self.queue {
            // what nobody waits for any more makes room
            dead = state.remove_dead();
            if dead.is_empty() {
                if admitted {
                    state.queue.release(lane);
                }
                return Entered::Full(job);
            }
            for job in &dead {
                state.left(job);
            }
            admitted = admitted || state.queue.admit(lane);
        }
        job.accepted();
        state.accepted += 1;
        state.of_drain += usize::from(job.is_of_drain());
        state.queue.push(job, admitted);
        Entered::Waits(dead)
    }

    /// Whether a request may run now. What runs for long, for whom ever, keeps nobody out who asks for little.
    fn has_place(&self, state: &State, job: &Job) -> bool {
        let few = (self.concurrency - state.running).div_ceil(SHARED_BY);
        let responder = &job.incoming.responder;
        state.in_common() < self.common
            || few > 0 && responder.places().is_some_and(|places| places <= few)
    }

    /// A handler has ended, or its task is gone: the next request takes its place. Without one, the place is free.
    pub(super) fn next(&self, ended: Ended) -> Option<Job> {
        match self.next_at(ended, None) {
            Next::Job(job) => Some(job),
            Next::Ready | Next::End => None,
        }
    }

    /// A handler has ended: the next request takes its place, or the place is free and its task may keep ready, at its desk.
    pub(super) fn next_at(&self, ended: Ended, desk: Option<&Arc<Desk>>) -> Next {
        let mut state = lock(&self.state);
        state.queue.release(ended.lane);
        state.of_drain -= usize::from(ended.of_drain);
        state.in_spare -= usize::from(ended.in_spare);
        // those that wait have common places only
        let next = if state.in_common() > self.common {
            None
        } else {
            state.queue.pop()
        };
        let next = match next {
            Some(job) => Next::Job(job),
            None if desk.is_some_and(|desk| state.runners.keep(desk)) => Next::Ready,
            None => Next::End,
        };
        self.ended(state, !matches!(next, Next::Job(_)));
        next
    }

    /// A task that keeps ready.
    pub(super) fn ready(&self) -> Option<Arc<Desk>> {
        lock(&self.state).runners.ready()
    }

    /// How many requests were taken in.
    pub(super) fn accepted(&self) -> u64 {
        lock(&self.state).accepted
    }

    /// There is no task for the next request: it waits for the end of another one that runs. If none does, all that wait are given up.
    pub(super) fn put_back(&self, job: Job) -> Vec<Job> {
        let mut state = lock(&self.state);
        state.queue.put_back(job);
        let mut given_up = Vec::new();
        if state.running == 1 {
            given_up = state.queue.take();
            for job in &given_up {
                state.left(job);
            }
        }
        self.ended(state, true);
        given_up
    }

    fn ended(&self, mut state: MutexGuard<'_, State>, place_is_free: bool) {
        state.running -= usize::from(place_is_free);
        let drained = state.has_drained();
        drop(state);
        if drained {
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

    /// Whether nothing runs any more. Once only what a draining server runs besides is left, nothing else is taken in: who waits
    /// for the end gets there.
    fn comes_to_its_end(&self) -> bool {
        let mut state = lock(&self.state);
        state.closed |= state.has_drained();
        state.is_idle()
    }

    /// Waits until nothing new is taken in and nothing runs.
    pub(super) async fn idle(&self) {
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            if self.comes_to_its_end() {
                return;
            }
            ended.await;
        }
    }

    /// Gives up what waits, and tells what runs to end.
    pub(super) fn cut_off(&self) -> Vec<Job> {
        let mut state = lock(&self.state);
        state.closed = true;
        let waiting = state.queue.take();
        for job in &waiting {
            state.left(job);
        }
        drop(state);
        self.is_cut.store(true, Ordering::Release);
        self.cut.notify_waiters();
        waiting
    }

    /// Waits for something, or until what runs is to end.
    pub(super) async fn unless_cut(&self, awaited: impl Future<Output = ()>) {
        let cut = self.cut.notified();
        if !self.is_cut() {
            tokio::select! {
                () = awaited => {}
                () = cut => {}
            }
        }
    }

    pub(super) fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::Acquire)
    }

    pub(super) fn cut(&self) -> &Notify {
        &self.cut
    }
}
