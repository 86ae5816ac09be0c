//! The tasks of one transport.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;

/// Tasks of one transport. They end when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Tasks(Mutex<JoinSet<()>>);

impl Tasks {
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.lock();
        // those that have ended would be kept otherwise
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// Ends all of them, and waits for that.
    pub(crate) fn shutdown(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut tasks = std::mem::take(&mut *self.lock());
        async move { tasks.shutdown().await }
    }

    /// Waits until all of them have ended by themselves, and ends those that have not in time.
    pub(crate) fn end(&self, limit: Duration) -> impl Future<Output = ()> + Send + 'static {
        let mut tasks = std::mem::take(&mut *self.lock());
        async move {
            let ended = async { while tasks.join_next().await.is_some() {} };
            if tokio::time::timeout(limit, ended).await.is_err() {
                tasks.shutdown().await;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
