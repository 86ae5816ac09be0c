//! When an instance tells a client which of its requests are queued or running.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// The shortest time between heartbeats on one link, whatever the client asks for.
const SHORTEST: Duration = Duration::from_millis(50);

/// The longest wait that a client can ask for, and thereby have. Also what keeps the clock from overflowing.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The shortest wait for a heartbeat that a client can ask for: twice the time between them.
pub(crate) const SHORTEST_MONITOR: Duration = Duration::from_millis(100);

/// The heartbeats of one link. One beat is for all requests of the link that have asked for any, at half the shortest interval of
/// them, so that a late one is no reason to give up.
#[derive(Debug, Default)]
pub(super) struct Heartbeat {
    /// How many requests want it.
    monitored: usize,
    /// `None` while nobody wants any.
    next: Option<Instant>,
    every: Duration,
    /// Armed by the task that writes, and kept for later beats.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Heartbeat {
    /// A request wants to be heard of. `true` if whoever writes has to look at the clock anew.
    #[must_use]
    pub(super) fn begin(&mut self, monitor: Duration) -> bool {
        self.monitored += 1;
        let every = interval(monitor);
        let next = Instant::now() + every;
        if self.next.is_some_and(|known| known <= next) {
            self.every = self.every.min(every);
            return false;
        }
        self.every = match self.next {
            Some(_) => self.every.min(every),
            None => every,
        };
        self.next = Some(next);
        true
    }

    /// A request that wanted it has ended, or nobody waits for it any more.
    pub(super) fn end(&mut self) {
        self.monitored = self.monitored.saturating_sub(1);
        if self.monitored == 0 {
            self.next = None;
        }
    }

    /// Ready when it is time for a beat; otherwise the task is woken then.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(next) = self.next else {
            return Poll::Pending;
        };
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(next)));
        if timer.deadline() != next {
            timer.as_mut().reset(next);
        }
        timer.as_mut().poll(cx)
    }

    /// A beat was sent for requests that want it as often as this. Those that wanted it more often may have ended.
    pub(super) fn sent(&mut self, monitors: impl Iterator<Item = Duration>) {
        let every = monitors.map(interval).min();
        self.every = every.unwrap_or(self.every);
        self.next = every.map(|every| Instant::now() + every);
    }
}

fn interval(monitor: Duration) -> Duration {
    (monitor.min(LONGEST) / 2).max(SHORTEST)
}
