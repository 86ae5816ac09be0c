//! Waking many tasks at once.
//!
//! A thread of the runtime that wakes a second task wakes another thread as well, to help. That one finds a task or two, has nothing
//! more to do, and sleeps, only to be woken for the next ones: with twenty answers that arrived together, threads change several times,
//! and all that requests share goes to and fro between processors. So many tasks are handed to the runtime in one go: they are woken
//! where it wakes tasks that have yielded, after it has looked for what has arrived meanwhile. Then there is something to share.
//! (Measured with 64 tasks that cast, on two processors: a fifth of the changes of threads, and half as many casts again.)

use crate::sync::{Mutex, lock};
use std::mem;
use std::pin::pin;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

/// Fewer are woken one by one.
const MANY: usize = 4;

/// A thread in which tasks have waited so long to be woken is held up by a task that does not let others have their turn.
const HELD_UP: Duration = Duration::from_millis(10);

/// For so long, tasks are woken one by one then, so that threads which have nothing to do can take them over at once.
const ONE_BY_ONE: Duration = Duration::from_secs(1);

/// When that is over, as [`since_start`] counts.
static UNTIL: AtomicU64 = AtomicU64::new(0);

/// Wakes a task, if there is one. Never called with a lock held: a waker may be anybody's.
pub(crate) fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Wakes all of them. Never called with a lock held, either.
pub(crate) fn wake_all(wakers: Vec<Waker>) {
    if wakers.len() < MANY || since_start() < UNTIL.load(Ordering::Relaxed) {
        return wakers.into_iter().for_each(Waker::wake);
    }
    let all = Waker::from(Arc::new(Together {
        wakers: Mutex::new(wakers),
        since: Instant::now(),
    }));
    // to yield once is to be woken in that place; whoever is not in a runtime is woken at once, and so is what is let go unwoken
    let _ = pin!(tokio::task::yield_now()).poll(&mut Context::from_waker(&all));
}

/// Milliseconds since this was asked first.
fn since_start() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let elapsed = START.get_or_init(Instant::now).elapsed();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

/// Tasks that are woken together.
struct Together {
    wakers: Mutex<Vec<Waker>>,
    since: Instant,
}

impl Together {
    fn wake_now(&self) {
        let wakers = mem::take(&mut *lock(&self.wakers));
        if !wakers.is_empty() && self.since.elapsed() > HELD_UP {
            let pause = u64::try_from(ONE_BY_ONE.as_millis()).unwrap_or(u64::MAX);
            UNTIL.store(since_start().saturating_add(pause), Ordering::Relaxed);
        }
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Wake for Together {
    fn wake(self: Arc<Self>) {
        self.wake_now();
    }
}

impl Drop for Together {
    fn drop(&mut self) {
        self.wake_now();
    }
}

#[cfg(test)]
mod tests {
    use super::{HELD_UP, MANY, wake_all};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::task::{Wake, Waker};
    use std::time::Duration;
    use tokio::sync::Notify;
    use tokio::task::JoinSet;
    use tokio::time::timeout;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    impl Count {
        fn wakers(self: &Arc<Self>, count: usize) -> Vec<Waker> {
            vec![Waker::from(Arc::clone(self)); count]
        }

        fn woken(&self) -> usize {
            self.0.load(SeqCst)
        }
    }

    #[test]
    fn all_are_woken_once_wherever_that_is() {
        let woken = Arc::new(Count::default());
        wake_all(woken.wakers(3 * MANY));
        assert_eq!(woken.woken(), 3 * MANY, "in no runtime");
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.build().unwrap();
        // it ends before it comes to wake anybody
        runtime.block_on(async { wake_all(woken.wakers(MANY)) });
        assert_eq!(woken.woken(), 4 * MANY, "at the end of a runtime's turn");
        runtime.block_on(async {
            wake_all(woken.wakers(MANY));
            tokio::task::yield_now().await;
        });
        assert_eq!(woken.woken(), 5 * MANY, "in a runtime");
        runtime.block_on(async { wake_all(woken.wakers(MANY - 1)) });
        assert_eq!(woken.woken(), 6 * MANY - 1, "a few");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn tasks_on_all_threads_go_on() {
        let gates: Vec<_> = (0..64).map(|_| Arc::new(Notify::new())).collect();
        let mut tasks = JoinSet::new();
        for (at, gate) in gates.iter().enumerate() {
            let (gate, next) = (Arc::clone(gate), Arc::clone(&gates[(at + 1) % 64]));
            tasks.spawn(async move {
                for _ in 0..100 {
                    gate.notified().await;
                    let count = Arc::new(Count::default());
                    wake_all(count.wakers(MANY));
                    next.notify_one();
                    while count.woken() < MANY {
                        tokio::task::yield_now().await;
                    }
                }
            });
        }
        gates[0].notify_one();
        let all = async { while tasks.join_next().await.is_some() {} };
        assert!(timeout(Duration::from_secs(30), all).await.is_ok());
    }

    #[test]
    fn a_thread_that_was_held_up_wakes_one_by_one() {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.build().unwrap().block_on(async {
            let woken = Arc::new(Count::default());
            wake_all(woken.wakers(MANY));
            // what a task does that does not let others have their turn
            std::thread::sleep(2 * HELD_UP);
            tokio::task::yield_now().await;
            wake_all(woken.wakers(MANY));
            assert_eq!(woken.woken(), 2 * MANY, "without waiting for their turn");
        });
    }
}
