//! The request context, which travels with every message.

use crate::Peer;
use std::collections::BTreeMap;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The most bytes that the metadata of one message may take, keys and values together.
pub const MAX_METADATA: usize = 16 * 1024;

/// What travels with a message beside its arguments: metadata, and the time that is left.
///
/// The first argument of every method is the context. A client makes one; a handler receives one, and passes it on to the
/// calls that it makes itself, so that they inherit its deadline and metadata.
///
/// ```
/// use rpc_core::Context;
/// use std::time::Duration;
///
/// let ctx = Context::new().with("user", "ada").deadline_in(Duration::from_secs(5));
/// assert_eq!(ctx.get("user"), Some("ada"));
/// assert!(ctx.remaining().is_some());
/// assert!(ctx.detached().deadline().is_none());
/// ```
#[derive(Clone, Default)]
pub struct Context {
    metadata: Option<Arc<BTreeMap<String, String>>>,
    deadline: Option<Instant>,
    /// The request whose handler got it, if that can be cancelled.
    request: Option<Arc<dyn Sender>>,
}

/// The request that a handler's context came with.
pub(crate) trait Sender: Send + Sync {
    fn peer(&self) -> &Peer;

    /// Casts are not cancelled.
    fn is_cast(&self) -> bool;

    fn is_cancelled(&self) -> bool;

    /// What is notified when it is cancelled, unless it is already.
    fn cancellation(&self) -> Arc<Notify>;
}

impl Context {
    /// An empty context. It costs no allocation.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same context with one more entry of metadata; an entry of the same key is replaced.
    ///
    /// All metadata of a message may take [`MAX_METADATA`] bytes; a message with more fails with
    /// [`Encode`](crate::ErrorKind::Encode).
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        Arc::make_mut(self.metadata.get_or_insert_default()).insert(key.into(), value.into());
        self
    }

    /// The metadata of this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.metadata.as_ref()?.get(key).map(String::as_str)
    }

    /// All metadata, by key.
    pub fn metadata(&self) -> impl Iterator<Item = (&str, &str)> {
        self.metadata
            .iter()
            .flat_map(|metadata| metadata.iter())
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The same context with a deadline, unless it has an earlier one. A call made with it never takes longer, whatever its
    /// own timeout says.
    #[must_use]
    pub fn deadline_in(self, limit: Duration) -> Self {
        // a limit beyond what the clock can say is no limit
        match Instant::now().checked_add(limit) {
            Some(deadline) => self.by(Some(deadline)),
            None => self,
        }
    }

    pub(crate) fn by(mut self, deadline: Option<Instant>) -> Self {
        self.deadline = match (self.deadline, deadline) {
            (Some(own), Some(other)) => Some(own.min(other)),
            (own, other) => own.or(other),
        };
        self
    }

    pub(crate) fn received(metadata: BTreeMap<String, String>, deadline: Option<Instant>) -> Self {
        Self {
            metadata: (!metadata.is_empty()).then(|| Arc::new(metadata)),
            deadline,
            request: None,
        }
    }

    /// The context of a request's handler.
    pub(crate) fn sent_by(mut self, request: Arc<dyn Sender>) -> Self {
        self.request = Some(request).filter(|request| !request.is_cast());
        self
    }

    /// Who sent the request, unless it was a cast.
    pub(crate) fn sender(&self) -> Option<&Peer> {
        self.request.as_ref().map(|request| request.peer())
    }

    /// When the time is over, if there is a deadline.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// How much time is left, if there is a deadline; zero when it has passed.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Whether nobody waits any more for the answer to the request that the handler got this context with: the caller gave up, its
    /// time is over, or the server is at its end. Of a stream also when the client is gone. It never is for a cast, and for a context
    /// that came with no request.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.request
            .as_ref()
            .is_some_and(|request| request.is_cancelled())
    }

    /// Waits until [`is_cancelled`](Self::is_cancelled), for ever if that never comes.
    ///
    /// A handler need not ask: it is dropped at its next await, unless its method is `no_cancel`. This is for what it has spawned,
    /// which gets a clone of the context. Calls that are made with a cancelled context fail as
    /// [`Cancelled`](crate::ErrorKind::Cancelled). Any number of tasks may wait. Cancel safe.
    ///
    /// ```
    /// # use rpc_core::Context;
    /// fn warm_up(ctx: &Context) {
    ///     let ctx = ctx.clone();
    ///     tokio::spawn(async move {
    ///         tokio::select! {
    ///             () = ctx.cancelled() => {} // nobody wants it any more
    ///             () = tokio::time::sleep(std::time::Duration::from_secs(5)) => {}
    ///         }
    ///     });
    /// }
    /// ```
    pub async fn cancelled(&self) {
        let Some(request) = &self.request else {
            return std::future::pending().await;
        };
        let cancellation = request.cancellation();
        let mut cancelled = pin!(cancellation.notified());
        // from here on, it is not missed
        cancelled.as_mut().enable();
        if !request.is_cancelled() {
            cancelled.await;
        }
    }

    /// Whether it may be cancelled.
    pub(crate) fn is_cancellable(&self) -> bool {
        self.request.is_some()
    }

    /// The same metadata without the deadline and the cancellation, for work that goes on after the request has been answered, or
    /// whether it is wanted or not.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self {
            metadata: self.metadata.clone(),
            deadline: None,
            request: None,
        }
    }
}

impl fmt::Debug for Context {
    /// Shows the keys of the metadata, never the values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field(
                "metadata",
                &self.metadata().map(|(key, _)| key).collect::<Vec<_>>(),
            )
            .field("remaining", &self.remaining())
            .finish()
    }
}
