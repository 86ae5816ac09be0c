//! How fast the requests of a client begin that is behind with reading its answers.

use crate::sync::atomic::{AtomicUsize, Ordering};
use std::pin::pin;
use std::time::Duration;
use tokio::sync::{Mutex, Notify};
use tokio::time::{Instant, timeout_at};

/// A client is behind when more bytes than this wait for it.
const BEHIND: usize = 1024 * 1024;

/// How long after a request of such a client the next one begins, for each so many bytes that wait.
const PACE: Duration = Duration::from_millis(1);

/// Answers that nobody reads would be made as fast as the machine can, all at once: others had to wait for their turn meanwhile.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// How many bytes wait. Beside the lock of the link, so that a request which begins need not take that.
    unread: AtomicUsize,
    /// When the next request begins. Whoever is the first in the line holds it.
    next: Mutex<Option<Instant>>,
    caught_up: Notify,
}

impl Pace {
    /// So many bytes wait now. `true` if the client has caught up by that: it is to be told when the lock of the link has been given
    /// back.
    #[must_use]
    pub(super) fn unread(&self, bytes: usize) -> bool {
        let before = self.unread.swap(bytes, Ordering::Relaxed);
        before > BEHIND && bytes <= BEHIND
    }

    pub(super) fn tell(&self, has_caught_up: bool) {
        if has_caught_up {
            self.caught_up.notify_waiters();
        }
    }

    pub(super) fn is_behind(&self) -> bool {
        self.unread.load(Ordering::Relaxed) > BEHIND
    }

    /// Waits until a request may begin: in its turn, or when the client is not behind any more. Cancel safe.
    pub(super) async fn turn(&self) {
        let mut next = self.next.lock().await;
        let caught_up = pin!(self.caught_up.notified());
        if let Some(next) = *next
            && self.is_behind()
        {
            // whichever is first
            let _ = timeout_at(next, caught_up).await;
        }
        let behind = self.unread.load(Ordering::Relaxed) / BEHIND;
        let pause = PACE.saturating_mul(u32::try_from(behind).unwrap_or(u32::MAX));
        *next = Instant::now().checked_add(pause);
    }
}

#[cfg(test)]
mod tests {
    use super::{BEHIND, PACE, Pace};
    use futures_util::future::join_all;
    use tokio::time::Instant;

    /// When so many requests begin that come now.
    async fn begin(pace: &Pace, count: u32) -> Vec<u32> {
        let came = Instant::now();
        let all = (0..count).map(|_| async {
            if pace.is_behind() {
                pace.turn().await;
            }
            u32::try_from(came.elapsed().as_millis() / PACE.as_millis()).unwrap()
        });
        join_all(all).await
    }

    #[tokio::test(start_paused = true)]
    async fn only_who_is_behind_waits_for_turns() {
        let pace = Pace::default();
        assert!(!pace.unread(BEHIND));
        assert_eq!(begin(&pace, 3).await, [0, 0, 0]);
        assert!(!pace.unread(BEHIND + 1));
        assert_eq!(begin(&pace, 4).await, [0, 1, 2, 3]);
        tokio::time::advance(10 * PACE).await;
        // the further behind, the slower
        assert!(!pace.unread(5 * BEHIND));
        assert_eq!(begin(&pace, 4).await, [0, 5, 10, 15]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_caught_up_waits_no_longer() {
        let pace = Pace::default();
        assert!(!pace.unread(BEHIND + 1));
        let read = async {
            tokio::time::sleep(10 * PACE).await;
            pace.tell(pace.unread(BEHIND));
        };
        let (begun, ()) = tokio::join!(begin(&pace, 100), read);
        assert_eq!(begun[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert!(begun[10..].iter().all(|at| *at == 10), "{begun:?}");
    }
}
