//! The answers to requests: those that arrive, and whoever waits for them.

use super::{ClientLink, State};
use crate::exchange::alarm::{Alarms, Unset, Until};
use crate::exchange::frame::{self, Frame, Kind};
use crate::exchange::waiting::{Answer, Then};
use crate::lock;
use crate::wake::wake;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::runtime;
use tokio::time::Instant;

/// The answer has not come in time.
#[derive(Debug)]
pub(crate) struct Elapsed;

impl ClientLink {
    /// Takes answers from the instance, and leaves the vector empty. Adds those who are to be woken, and tells which rules were broken.
    pub(crate) fn answered(
        &self,
        answers: &mut Vec<(Kind, Frame)>,
        woken: &mut Vec<Waker>,
        mut broken: impl FnMut(String),
    ) {
        if answers.is_empty() {
            return;
        }
        let mut then = Vec::with_capacity(answers.len());
        let mut wrong = Vec::new();
        let (mut places, mut bytes) = (0, 0);
        let mut state = lock(&self.state);
        for (kind, frame) in answers.drain(..) {
            let (freed, kept) = state.answered(kind, frame, &mut then);
            if let Some(freed) = freed {
                (places, bytes) = (places + 1, bytes + freed);
            }
            wrong.extend(kept.err());
        }
        drop(state);
        if places > 0 {
            self.window.give_back(places, bytes);
        }
        for (id, then) in then {
            match then {
                Then::Wake(waker) => woken.push(waker),
                then => {
                    if let Err(text) = then.run() {
                        self.break_off(id, &text);
                        wrong.push(text);
                    }
                }
            }
        }
        wrong.into_iter().for_each(&mut broken);
    }

    /// Takes a heartbeat. Nobody is woken by it: who waits looks when its time is over.
    pub(crate) fn heard(&self, frame: &Frame) -> Result<(), String> {
        let now = Instant::now();
        let mut state = lock(&self.state);
        frame::parse_running(&frame.body, |id| {
            if let Some(in_flight) = state.waiting.get_mut(&id) {
                in_flight.heard = Some(now);
            }
        })
        .map_err(|error| error.to_string())
    }

    /// What was in a stream broke a rule.
    fn break_off(&self, id: u64, text: &str) {
        let mut then = Vec::new();
        let freed = lock(&self.state).broken(id, text, true, &mut then);
        if let Some(bytes) = freed {
            self.window.give_back(1, bytes);
        }
        for (_, then) in then {
            // it ends a stream, or wakes somebody
            let _ = then.run();
        }
    }

    /// The answer to the opening of a request, once there is one, and whether nothing follows; or that it has not come in time.
    pub(in crate::exchange) fn poll_answer(
        self: &Arc<Self>,
        id: u64,
        cx: &Context<'_>,
        until: Option<Until>,
    ) -> Poll<Result<(Answer, bool), Elapsed>> {
        let mut state = lock(&self.state);
        let Some(in_flight) = state.waiting.get_mut(&id) else {
            return Poll::Pending;
        };
        let other = match in_flight.waiting.take(cx) {
            Ok(answer) => {
                let is_over = in_flight.waiting.is_over();
                let left = in_flight.until.take();
                if is_over {
                    state.waiting.remove(&id);
                }
                let next = left.and_then(|left| state.hand_on(left));
                drop(state);
                wake(next);
                return Poll::Ready(Ok((answer, is_over)));
            }
            Err(other) => other,
        };
        in_flight.until = until;
        let uncovered = until.filter(|until| !state.alarms.cover(until));
        let is_late = uncovered.is_some_and(|until| until.at <= Instant::now());
        let alarm = uncovered
            .filter(|_| !is_late)
            .and_then(|until| state.alarm(until, self));
        drop(state);
        drop(other);
        if let Some(alarm) = alarm {
            alarm.set();
        }
        if is_late {
            Poll::Ready(Err(Elapsed))
        } else {
            Poll::Pending
        }
    }

    /// The alarm of a runtime has rung.
    pub(in crate::exchange) fn rang(&self, runtime: runtime::Id) {
        let mut state = lock(&self.state);
        let rung = state.alarms.rang(runtime);
        let now = Instant::now();
        let waiting = state.waiting.values();
        let late = waiting.filter(|in_flight| {
            let until = in_flight.until.filter(|until| until.runtime == runtime);
            until.is_some_and(|until| until.at <= now)
        });
        let mut woken: Vec<Waker> = late
            .filter_map(|in_flight| in_flight.waiting.waker().cloned())
            .collect();
        woken.extend(state.next_to_wait(runtime, Some(now)));
        drop(state);
        drop(rung);
        woken.into_iter().for_each(Waker::wake);
    }

    pub(in crate::exchange) fn with_alarms<T>(&self, look: impl FnOnce(&Alarms) -> T) -> T {
        look(&lock(&self.state).alarms)
    }

    /// When the instance last said that a request is queued or running.
    pub(in crate::exchange) fn heard_of(&self, id: u64) -> Option<Instant> {
        lock(&self.state).waiting.get(&id)?.heard
    }
}

impl State {
    /// Sets the alarm for whoever waits until then, unless it is set. Others may wait for less, if it has just rung.
    pub(super) fn alarm(&mut self, until: Until, link: &Arc<ClientLink>) -> Option<Unset> {
        if self.alarms.cover(&until) {
            return None;
        }
        let at = if self.alarms.are_set(until.runtime) {
            until.at
        } else {
            let waiting = self.waiting.values().filter_map(|waiting| waiting.until);
            let here = waiting.filter(|other| other.runtime == until.runtime);
            here.map(|other| other.at).fold(until.at, Instant::min)
        };
        Some(self.alarms.set(Until { at, ..until }, link))
    }

    /// Whoever waited until then waits no more: if the alarm is not set, another one sees to that.
    pub(super) fn hand_on(&self, left: Until) -> Option<Waker> {
        if self.alarms.are_set(left.runtime) {
            return None;
        }
        self.next_to_wait(left.runtime, None)
    }

    /// Who waits the shortest in a runtime, but longer than this.
    fn next_to_wait(&self, runtime: runtime::Id, after: Option<Instant>) -> Option<Waker> {
        let waiting = self.waiting.values().filter_map(|in_flight| {
            let until = in_flight.until.filter(|until| until.runtime == runtime)?;
            let is_after = after.is_none_or(|after| until.at > after);
            Some((until.at, in_flight.waiting.waker().filter(|_| is_after)?))
        });
        let (_, waker) = waiting.min_by_key(|(at, _)| *at)?;
        Some(waker.clone())
    }

    /// Takes an answer from the instance; adds what is left to do. Gives the bytes of the window that came free, and which rule was
    /// broken.
    fn answered(
        &mut self,
        kind: Kind,
        frame: Frame,
        then: &mut Vec<(u64, Then)>,
    ) -> (Option<u32>, Result<(), String>) {
        let id = frame.id;
        let in_flight = self.waiting.get_mut(&id);
        let Some(in_flight) = in_flight.filter(|in_flight| !in_flight.waiting.is_over()) else {
            // the answer to what was cancelled meets nobody, and that is no error
            let was_sent = (1..=self.last_id).contains(&id);
            let never = || "an answer to a request that was never sent".into();
            return (None, was_sent.then_some(()).ok_or_else(never));
        };
        let waiting = &mut in_flight.waiting;
        match waiting.receive(kind, frame) {
            Ok(next) => {
                then.push((id, next));
                let freed = waiting.is_over().then_some(in_flight.bytes);
                if waiting.is_done() {
                    self.waiting.remove(&id);
                }
                (freed, Ok(()))
            }
            Err(broken) => {
                let goes_on = matches!(kind, Kind::Accept | Kind::Items);
                (self.broken(id, &broken, goes_on, then), Err(broken))
            }
        }
    }

    /// The node broke a rule: whoever waits learns that it did, and the node is told to stop if it goes on.
    fn broken(
        &mut self,
        id: u64,
        text: &str,
        goes_on: bool,
        then: &mut Vec<(u64, Then)>,
    ) -> Option<u32> {
        let in_flight = self.waiting.get_mut(&id)?;
        if in_flight.waiting.is_over() {
            return None;
        }
        then.push((id, in_flight.waiting.broken(text)));
        let bytes = in_flight.bytes;
        if in_flight.waiting.is_done() {
            self.waiting.remove(&id);
        }
        if goes_on {
            let writer = self.outbox.push(frame::bare(Kind::Cancel, id));
            then.extend(writer.map(|writer| (id, Then::Wake(writer))));
        }
        Some(bytes)
    }
}
