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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that unwraps nothing has failed")]

    use crate::codec::Encoded;
    use crate::exchange::execution::Execution;
    use crate::exchange::frame::{Credit, Frame, Kind, Window, parse_running};
    use crate::exchange::peer::ServerLink;
    use crate::server::{Ending, Responder};
    use crate::{ErrorKind, Peer};
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::time::timeout;

    const MONITOR: Duration = Duration::from_secs(60);

    fn begin(link: &Arc<ServerLink>, id: u64, kind: Kind, monitor: Duration) -> Arc<Execution> {
        let monitor = Some(monitor);
        let execution =
            Execution::new(Arc::clone(link), id, kind, None, Credit::default(), monitor);
        let execution = Arc::new(execution);
        link.begin(id, Window::of(100), &execution).unwrap();
        execution
    }

    fn link() -> Arc<ServerLink> {
        Arc::new(ServerLink::new(Peer::new("test", "client"), None))
    }

    /// The ids that the next heartbeat lists, and how long it took to come; `None` if there is none.
    async fn beat(link: &ServerLink) -> Option<(Vec<u64>, Duration)> {
        let began = tokio::time::Instant::now();
        loop {
            let mut frames = Vec::new();
            let next = timeout(10 * MONITOR, link.next_frames(&mut frames, 100));
            if !next.await.ok()? {
                return None;
            }
            let mut ids = Vec::new();
            for frame in frames.into_iter().map(|frame| Frame::parse(frame).unwrap()) {
                if frame.kind == Some(Kind::Running) {
                    parse_running(&frame.body, |id| ids.push(id)).unwrap();
                }
            }
            if !ids.is_empty() {
                ids.sort_unstable();
                return Some((ids, began.elapsed()));
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_beat_is_for_all_at_half_of_the_shortest_time() {
        let link = link();
        let executions: Vec<_> = (1..=3)
            .map(|id| begin(&link, id, Kind::Call, MONITOR))
            .collect();
        assert_eq!(beat(&link).await, Some((vec![1, 2, 3], MONITOR / 2)));
        assert_eq!(beat(&link).await, Some((vec![1, 2, 3], MONITOR / 2)));
        let hasty = begin(&link, 4, Kind::Call, MONITOR / 10);
        assert_eq!(beat(&link).await, Some((vec![1, 2, 3, 4], MONITOR / 20)));
        hasty.finish(Ending::Quiet);
        assert_eq!(beat(&link).await.unwrap().0, [1, 2, 3]);
        assert_eq!(beat(&link).await, Some((vec![1, 2, 3], MONITOR / 2)));
        drop(executions);
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_however_the_request_does() {
        type End = fn(&ServerLink, &Execution);
        let ends: [End; 5] = [
            |_, execution| execution.finish(Ending::Value(Encoded::new())),
            |_, execution| execution.finish(Ending::Quiet),
            |_, execution| execution.refuse(ErrorKind::NoSuchMethod, "no"),
            |link, _| link.cancel(1),
            |link, _| link.lose(),
        ];
        for end in ends {
            for beats in [0, 2] {
                let link = link();
                let execution = begin(&link, 1, Kind::Call, MONITOR);
                for _ in 0..beats {
                    assert_eq!(beat(&link).await, Some((vec![1], MONITOR / 2)));
                }
                end(&link, &execution);
                assert_eq!(beat(&link).await, None);
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_cast_has_none() {
        let link = link();
        let _cast = begin(&link, 1, Kind::Cast, MONITOR);
        assert_eq!(beat(&link).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_already_is_woken_for_the_first() {
        let link = link();
        let writer = tokio::spawn({
            let link = Arc::clone(&link);
            async move { beat(&link).await }
        });
        tokio::task::yield_now().await;
        let _call = begin(&link, 1, Kind::Call, MONITOR);
        assert_eq!(writer.await.unwrap(), Some((vec![1], MONITOR / 2)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_asks_for_too_many_gets_fewer() {
        let link = link();
        let _hasty = begin(&link, 1, Kind::Call, Duration::ZERO);
        let _patient = begin(&link, 2, Kind::Call, Duration::MAX);
        assert_eq!(beat(&link).await, Some((vec![1, 2], super::SHORTEST)));
    }
}
