//! The service that the tests call, and what it saw.

use futures_util::stream;
use rpc_core::{Context, Stream, rpc_api};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use tokio::sync::{Semaphore, watch};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum ProbeError {
    Code(u32),
    NotFound { path: String },
}

/// What the tests call.
#[rpc_api(version = "2.5", topic = "probe")]
pub(crate) trait Probing {
    async fn name(&self, ctx: &Context) -> String;

    async fn echo(&self, ctx: &Context, body: &[u8]) -> Vec<u8>;

    async fn fail(&self, ctx: &Context, code: u32) -> Result<(), ProbeError>;

    async fn find(&self, ctx: &Context, path: &str) -> Result<u64, ProbeError>;

    async fn panics(&self, ctx: &Context, text: &str);

    /// Runs until it is released, or dropped.
    async fn hold(&self, ctx: &Context, id: u64) -> u64;

    #[rpc(timeout = "150ms")]
    async fn hold_briefly(&self, ctx: &Context);

    async fn remaining_ms(&self, ctx: &Context) -> Option<u64>;

    async fn metadata(&self, ctx: &Context, key: &str) -> Option<String>;

    #[rpc(since = "2.5")]
    async fn newest(&self, ctx: &Context) -> String;

    #[rpc(cast)]
    async fn note(&self, ctx: &Context, text: &str);

    #[rpc(cast)]
    async fn hold_cast(&self, ctx: &Context, id: u64);

    #[rpc(cast, fanout)]
    async fn forget(&self, ctx: &Context);

    #[rpc(multicall)]
    fn count(&self, ctx: &Context, to: u64) -> impl Stream<Item = Result<u64, ProbeError>> + Send;

    /// An error after so many items.
    #[rpc(multicall)]
    fn break_after(
        &self,
        ctx: &Context,
        items: u64,
    ) -> impl Stream<Item = Result<u64, ProbeError>> + Send;

    #[rpc(multicall)]
    fn options(&self, ctx: &Context) -> impl Stream<Item = Option<u64>> + Send;

    /// Items of so many bytes.
    #[rpc(multicall)]
    fn blobs(
        &self,
        ctx: &Context,
        count: u64,
        size: u64,
    ) -> impl Stream<Item = Result<Vec<u8>, ProbeError>> + Send;

    /// An item, and then none until it is released.
    #[rpc(multicall)]
    fn stall(&self, ctx: &Context) -> impl Stream<Item = Result<u64, ProbeError>> + Send;
}

pub(crate) use ProbingClient as ProbeClient;
pub(crate) use ProbingDispatcher as ProbeDispatcher;

/// What a probe saw, and what its handlers wait for.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) notes: Mutex<Vec<String>>,
    /// Items of streams that were made.
    pub(crate) produced: AtomicU64,
    /// A permit for each handler that began to hold.
    pub(crate) held: Semaphore,
    /// A permit for each handler or stream that was dropped.
    pub(crate) dropped: Semaphore,
    /// A permit for each note, fanout and held cast that has run.
    pub(crate) ran: Semaphore,
    release: watch::Sender<bool>,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            notes: Mutex::default(),
            produced: AtomicU64::default(),
            held: Semaphore::new(0),
            dropped: Semaphore::new(0),
            ran: Semaphore::new(0),
            release: watch::Sender::new(false),
        }
    }
}

impl Seen {
    pub(crate) fn release(&self) {
        self.release.send_replace(true);
    }

    pub(crate) async fn wait(what: &Semaphore, count: u32) {
        what.acquire_many(count)
            .await
            .expect("never closed")
            .forget();
    }

    async fn released(&self) {
        let _ = self
            .release
            .subscribe()
            .wait_for(|released| *released)
            .await;
    }

    pub(crate) fn produced(&self) -> u64 {
        self.produced.load(SeqCst)
    }
}

/// Tells that it was dropped.
struct Guard(Arc<Seen>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.dropped.add_permits(1);
    }
}

pub(crate) struct Probe {
    name: String,
    seen: Arc<Seen>,
}

impl Probe {
    pub(crate) fn new(name: &str, seen: Arc<Seen>) -> Self {
        Self {
            name: name.into(),
            seen,
        }
    }

    async fn held(&self) {
        let _guard = Guard(Arc::clone(&self.seen));
        self.seen.held.add_permits(1);
        self.seen.released().await;
    }
}

impl Probing for Probe {
    async fn name(&self, _: &Context) -> String {
        self.name.clone()
    }

    async fn echo(&self, _: &Context, body: &[u8]) -> Vec<u8> {
        body.to_vec()
    }

    async fn fail(&self, _: &Context, code: u32) -> Result<(), ProbeError> {
        Err(ProbeError::Code(code))
    }

    async fn find(&self, _: &Context, path: &str) -> Result<u64, ProbeError> {
        Err(ProbeError::NotFound { path: path.into() })
    }

    async fn panics(&self, _: &Context, text: &str) {
        panic!("{text}");
    }

    async fn hold(&self, _: &Context, id: u64) -> u64 {
        self.held().await;
        id
    }

    async fn hold_briefly(&self, _: &Context) {
        self.held().await;
    }

    async fn remaining_ms(&self, ctx: &Context) -> Option<u64> {
        ctx.remaining()
            .map(|remaining| u64::try_from(remaining.as_millis()).expect("short"))
    }

    async fn metadata(&self, ctx: &Context, key: &str) -> Option<String> {
        ctx.metadata(key).map(Into::into)
    }

    async fn newest(&self, _: &Context) -> String {
        self.name.clone()
    }

    async fn note(&self, _: &Context, text: &str) {
        self.seen
            .notes
            .lock()
            .expect("not poisoned")
            .push(text.into());
        self.seen.ran.add_permits(1);
    }

    async fn hold_cast(&self, _: &Context, _id: u64) {
        self.held().await;
        self.seen.ran.add_permits(1);
    }

    async fn forget(&self, _: &Context) {
        self.seen.ran.add_permits(1);
    }

    fn count(&self, _: &Context, to: u64) -> impl Stream<Item = Result<u64, ProbeError>> + Send {
        let guard = Guard(Arc::clone(&self.seen));
        stream::iter((0..to).map(move |item| {
            guard.0.produced.fetch_add(1, SeqCst);
            Ok(item)
        }))
    }

    fn break_after(
        &self,
        _: &Context,
        items: u64,
    ) -> impl Stream<Item = Result<u64, ProbeError>> + Send {
        stream::iter((0..=items).map(move |item| {
            if item < items {
                Ok(item)
            } else {
                Err(ProbeError::Code(7))
            }
        }))
    }

    fn options(&self, _: &Context) -> impl Stream<Item = Option<u64>> + Send {
        stream::iter([Some(1), None, None, Some(4)])
    }

    fn blobs(
        &self,
        _: &Context,
        count: u64,
        size: u64,
    ) -> impl Stream<Item = Result<Vec<u8>, ProbeError>> + Send {
        let seen = Arc::clone(&self.seen);
        stream::iter((0..count).map(move |_| {
            seen.produced.fetch_add(1, SeqCst);
            Ok(vec![7; usize::try_from(size).expect("small")])
        }))
    }

    fn stall(&self, _: &Context) -> impl Stream<Item = Result<u64, ProbeError>> + Send {
        let guard = Guard(Arc::clone(&self.seen));
        stream::unfold((0, guard), |(item, guard)| async move {
            if item == 1 {
                guard.0.released().await;
            }
            (item < 2).then_some((Ok(item), (item + 1, guard)))
        })
    }
}
