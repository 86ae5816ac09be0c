//! The time by which answers are waited for, on one link: one timer for all who wait, however many and for how long.
//!
//! A timer of each request would be put into the runtime's and taken out again, by threads that all want the same lock, although
//! hardly one ever rings. So the link has one, set for whoever waits the shortest. When it rings, those whose time is over are woken,
//! and one more, who sets it again. Whoever leaves while it is not set hands that on.
//!
//! Each runtime in which somebody waits has one of its own: another one may not be driven any more.

use super::link::ClientLink;
use crate::lock;
use crate::sync::Mutex;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Wake, Waker};
use tokio::runtime::{self, Handle};
use tokio::time::{Instant, Sleep, sleep_until};

/// By when somebody waits, and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Until {
    pub(super) at: Instant,
    pub(super) runtime: runtime::Id,
}

impl Until {
    /// Of whoever runs in this runtime.
    pub(super) fn here(at: Instant) -> Self {
        Self {
            at,
            runtime: Handle::current().id(),
        }
    }
}

/// The alarms of a link that are set. More than one only if it is used in several runtimes.
#[derive(Debug, Default)]
pub(super) struct Alarms(Vec<Alarm>);

/// One that is set.
#[derive(Debug)]
pub(super) struct Alarm {
    until: Until,
    timer: Arc<Timer>,
}

/// A timer that has to be set once the link's lock has been given back.
#[must_use]
pub(super) struct Unset(Arc<Timer>);

impl Alarms {
    /// Whether somebody who waits until then is woken by then.
    pub(super) fn cover(&self, until: &Until) -> bool {
        let mut set = self.0.iter().map(|alarm| &alarm.until);
        set.any(|set| set.runtime == until.runtime && set.at <= until.at)
    }

    /// Whether one is set in this runtime.
    pub(super) fn are_set(&self, runtime: runtime::Id) -> bool {
        let mut set = self.0.iter().map(|alarm| &alarm.until);
        set.any(|set| set.runtime == runtime)
    }

    /// Sets the alarm of this runtime, for no later than it is set for. To be called there.
    pub(super) fn set(&mut self, until: Until, link: &Arc<ClientLink>) -> Unset {
        let mut set = self.0.iter_mut();
        let known = set.find(|alarm| alarm.until.runtime == until.runtime);
        if let Some(alarm) = known {
            alarm.until.at = alarm.until.at.min(until.at);
            return Unset(Arc::clone(&alarm.timer));
        }
        let timer = Arc::new(Timer {
            bell: Arc::new(Bell {
                link: Arc::downgrade(link),
                runtime: until.runtime,
            }),
            sleep: Mutex::new(Box::pin(sleep_until(until.at))),
        });
        self.0.push(Alarm {
            until,
            timer: Arc::clone(&timer),
        });
        Unset(timer)
    }

    /// It rang, and is not set any more. To be dropped without the link's lock.
    pub(super) fn rang(&mut self, runtime: runtime::Id) -> Option<Alarm> {
        let is_it = |alarm: &Alarm| alarm.until.runtime == runtime;
        let at = self.0.iter().position(is_it)?;
        Some(self.0.swap_remove(at))
    }

    /// When it is to ring, if this is the timer of its runtime.
    fn time_of(&self, timer: &Arc<Timer>) -> Option<Instant> {
        let mut set = self.0.iter();
        let alarm = set.find(|alarm| Arc::ptr_eq(&alarm.timer, timer))?;
        Some(alarm.until.at)
    }
}

/// The timer of one runtime. It does not refer to itself, so that it goes with its link.
struct Timer {
    bell: Arc<Bell>,
    sleep: Mutex<Pin<Box<Sleep>>>,
}

impl Unset {
    /// Sets it, for whenever the link says by now. Whoever comes last does so for the earliest.
    pub(super) fn set(self) {
        let Self(timer) = self;
        let Some(link) = timer.bell.link.upgrade() else {
            return;
        };
        let mut sleep = lock(&timer.sleep);
        let Some(at) = link.with_alarms(|alarms| alarms.time_of(&timer)) else {
            // it has rung meanwhile
            return;
        };
        sleep.as_mut().reset(at);
        let waker = Waker::from(Arc::clone(&timer.bell));
        let rings = sleep.as_mut().poll(&mut Context::from_waker(&waker));
        drop(sleep);
        if rings.is_ready() {
            waker.wake();
        }
    }
}

/// What a timer rings.
struct Bell {
    link: Weak<ClientLink>,
    runtime: runtime::Id,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        if let Some(link) = self.link.upgrade() {
            link.rang(self.runtime);
        }
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Timer")
    }
}

#[cfg(test)]
mod tests {
    use super::Until;
    use crate::exchange::frame::{self, Frame, Kind};
    use crate::exchange::in_flight::InFlight;
    use crate::exchange::link::ClientLink;
    use crate::exchange::routes::Route;
    use crate::exchange::tests::{announced_link, answered, request};
    use futures_util::FutureExt;
    use futures_util::future::join_all;
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::runtime::Runtime;
    use tokio::time::{Instant, timeout};

    const SECOND: Duration = Duration::from_secs(1);

    fn send(link: &Arc<ClientLink>) -> InFlight<'_> {
        let (place, route) = (link.window.try_place(1).unwrap(), Route::first_of(link));
        let sent = link.send(place, &route, Kind::Call, request(), None, None);
        sent.unwrap().0
    }

    /// Waits until the time is over. How long that took.
    async fn late(mut in_flight: InFlight<'_>, limit: Duration) -> Duration {
        let start = Instant::now();
        let until = Until::here(start + limit);
        assert!(in_flight.answer(Some(until)).await.is_err());
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn each_waits_no_longer_than_it_may_whoever_came_first() {
        let link = announced_link();
        let limits = [4, 2, 3, 1].map(|seconds| seconds * SECOND);
        let waits = limits.map(|limit| late(send(&link), limit));
        let waited = join_all(waits).await;
        for (waited, limit) in waited.into_iter().zip(limits) {
            assert!((limit..limit + SECOND / 2).contains(&waited), "{waited:?}");
        }
    }

    /// Three wait, for one, two and three seconds, and the last of them is asked only when it is woken. The alarm rings for the first, and
    /// the second is to set it again; then something happens to these.
    async fn when_it_has_rung(happens: impl FnOnce(&ClientLink, InFlight<'_>, InFlight<'_>)) {
        let link = announced_link();
        let [mut first, mut second] = [send(&link), send(&link)];
        for (in_flight, limit) in [(&mut first, SECOND), (&mut second, 2 * SECOND)] {
            let until = Until::here(Instant::now() + limit);
            assert!(in_flight.answer(Some(until)).now_or_never().is_none());
        }
        let last = tokio::spawn({
            let link = Arc::clone(&link);
            async move { late(send(&link), 3 * SECOND).await }
        });
        tokio::task::yield_now().await;
        tokio::time::advance(SECOND).await;
        happens(&link, first, second);
        let waited = timeout(10 * SECOND, last).await.unwrap().unwrap();
        assert!(waited < 4 * SECOND, "{waited:?}");
    }

    fn answer(link: &ClientLink, id: u64) {
        let reply = Frame::parse(frame::bare(Kind::Reply, id)).unwrap();
        assert_eq!(answered(link, Kind::Reply, reply), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn who_leaves_when_the_alarm_has_rung_hands_it_on() {
        when_it_has_rung(|_, first, second| drop((first, second))).await;
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_answered_when_the_alarm_has_rung_hands_it_on() {
        when_it_has_rung(|link, first, mut second| {
            drop(first);
            answer(link, 2);
            assert!(matches!(second.answer(None).now_or_never(), Some(Ok(_))));
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_answered_and_does_not_look_any_more_hands_it_on() {
        when_it_has_rung(|link, first, second| {
            drop(first);
            answer(link, 2);
            drop(second);
        })
        .await;
    }

    #[test]
    fn a_runtime_that_nobody_drives_delays_nobody_in_another() {
        let runtime = || -> Runtime {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            builder.enable_time().build().unwrap()
        };
        let (idle, driven, link) = (runtime(), runtime(), announced_link());
        let first = send(&link);
        let mut first = Box::pin(late(first, Duration::from_millis(1)));
        idle.block_on(async { assert!((&mut first).now_or_never().is_none()) });
        let second = late(send(&link), Duration::from_millis(2));
        let waited = driven.block_on(async { timeout(10 * SECOND, second).await });
        assert!(waited.is_ok());
        // and one that is gone takes nothing along
        drop(idle);
        let waited = driven.block_on(async { timeout(10 * SECOND, first).await });
        assert!(waited.is_ok());
    }
}
