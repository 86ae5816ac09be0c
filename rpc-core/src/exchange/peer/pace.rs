//! How fast the requests of a client begin that is behind with reading its answers.

use crate::lock;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// A client is behind when more bytes than this wait for it. A message may have as many by default.
const BEHIND: usize = 8 * 1024 * 1024;

/// How long after another one a request of such a client begins.
const PACE: Duration = Duration::from_millis(1);

/// Answers that nobody reads would be made as fast as the machine can, all at once: others had to wait for their turn meanwhile.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// How many bytes wait. Beside the lock of the link, so that a request which begins need not take that.
    unread: AtomicUsize,
    /// The last turn that was given.
    last: Mutex<Option<Instant>>,
}

impl Pace {
    /// So many bytes wait now.
    pub(super) fn unread(&self, bytes: usize) {
        self.unread.store(bytes, Ordering::Relaxed);
    }

    /// When the next request may begin, if that is not at once.
    pub(super) fn turn(&self) -> Option<Instant> {
        if self.unread.load(Ordering::Relaxed) <= BEHIND {
            return None;
        }
        let mut last = lock(&self.last);
        let now = Instant::now();
        let turn = last.map_or(now, |last| now.max(last + PACE));
        *last = Some(turn);
        Some(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::{BEHIND, PACE, Pace};
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn only_who_is_behind_waits_for_turns() {
        let pace = Pace::default();
        let begun = Instant::now();
        pace.unread(BEHIND);
        assert_eq!([pace.turn(), pace.turn()], [None, None]);
        pace.unread(BEHIND + 1);
        let turns = [0, 1, 2].map(|turn| Some(begun + turn * PACE));
        assert_eq!([pace.turn(), pace.turn(), pace.turn()], turns);
        tokio::time::advance(10 * PACE).await;
        let turns = [10, 11].map(|turn| Some(begun + turn * PACE));
        assert_eq!([pace.turn(), pace.turn()], turns);
        pace.unread(0);
        assert_eq!(pace.turn(), None);
    }
}
