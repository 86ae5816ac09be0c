//! Who sets the alarm of a link, and whom it wakes: see [`alarm`](crate::exchange::alarm).

use super::{ClientLink, State};
use crate::exchange::alarm::{Alarms, Unset, Until};
use crate::lock;
use std::sync::Arc;
use std::task::Waker;
use tokio::runtime;
use tokio::time::Instant;

impl ClientLink {
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
}
