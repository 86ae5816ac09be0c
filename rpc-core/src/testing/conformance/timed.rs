//! A service that tells how much time is left.

use crate::testing::probe::Seen;
use rpc_core::{Context, Stream, rpc_api};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

#[rpc_api(version = "2.5", topic = "probe")]
pub(crate) trait Time {
    async fn left(&self, ctx: &Context) -> Option<Duration>;

    #[rpc(timeout = "10s")]
    async fn left_of_ten(&self, ctx: &Context) -> Option<Duration>;

    #[rpc(multicall)]
    fn items(&self, ctx: &Context) -> impl Stream<Item = u64> + Send;

    #[rpc(cast)]
    async fn note(&self, ctx: &Context, #[rpc(since = "2.3")] text: Option<String>);
}

#[derive(Default)]
pub(crate) struct Clock {
    pub(crate) notes: AtomicU64,
    pub(crate) seen: Arc<Seen>,
}

impl Time for Clock {
    async fn left(&self, ctx: &Context) -> Option<Duration> {
        ctx.remaining()
    }

    async fn left_of_ten(&self, ctx: &Context) -> Option<Duration> {
        ctx.remaining()
    }

    fn items(&self, _: &Context) -> impl Stream<Item = u64> + Send {
        futures_util::stream::iter(0..3)
    }

    async fn note(&self, _: &Context, _: Option<String>) {
        self.notes.fetch_add(1, SeqCst);
        self.seen.ran.add_permits(1);
    }
}
