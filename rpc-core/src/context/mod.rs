//! The request context, which travels with every message.

mod entry;
mod metadata;
mod request_id;
#[cfg(test)]
mod tests;

pub use entry::Entry;
pub use metadata::{MAX_METADATA, MAX_METADATA_KEYS, Metadata};
pub use request_id::{ParseRequestIdError, RequestId};

use crate::Peer;
use entry::Entries;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The key under which W3C's trace context travels.
const TRACEPARENT: &str = "traceparent";

/// What travels with a message beside its arguments: metadata, the request's id, and the time that is left.
///
/// The first argument of every method is the context. A client makes one; a handler receives one, and passes it on to the
/// calls that it makes itself, so that they inherit its deadline, metadata and id.
///
/// ```
/// use rpc_core::Context;
/// use std::time::Duration;
///
/// let ctx = Context::new().with("user", "ada").deadline_in(Duration::from_secs(5));
/// assert_eq!(ctx.metadata("user"), Some("ada"));
/// assert!(ctx.remaining().is_some());
/// assert!(ctx.detached().deadline().is_none());
/// ```
#[derive(Clone, Default)]
pub struct Context {
    held: Option<Arc<Held>>,
    deadline: Option<Instant>,
    peer: Option<Peer>,
    request_id: Option<RequestId>,
    /// The request whose handler got it, if that can be cancelled.
    request: Option<Arc<dyn Cancellable>>,
}

/// The request that a handler's context came with.
pub(crate) trait Cancellable: Send + Sync {
    /// Casts are not cancelled.
    fn is_cast(&self) -> bool;

    fn is_cancelled(&self) -> bool;

    /// What is notified when it is cancelled, unless it is already.
    fn cancellation(&self) -> Arc<Notify>;
}

/// What was put into a context, shared by its clones.
#[derive(Clone, Default)]
struct Held {
    metadata: Metadata,
    entries: Entries,
}

/// What there is before anything was put in.
static NO_METADATA: Metadata = Metadata::new();

impl Context {
    /// An empty context. It costs no allocation.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same context with one more text; one of the same key is replaced.
    ///
    /// A message travels with at most [`MAX_METADATA_KEYS`] of them, which take at most [`MAX_METADATA`] bytes together; one with
    /// more fails with [`Encode`](crate::ErrorKind::Encode).
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.insert(key, value);
        self
    }

    /// Sets a text in place: see [`with`](Self::with).
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.held_mut().metadata.insert(key, value);
    }

    /// The text of this key.
    #[must_use]
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.all_metadata().get(key)
    }

    /// All texts, by key.
    #[must_use]
    pub fn all_metadata(&self) -> &Metadata {
        match &self.held {
            Some(held) => &held.metadata,
            None => &NO_METADATA,
        }
    }

    /// The same context with one more typed entry: see [`set`](Self::set).
    #[must_use]
    pub fn with_entry<T: Entry>(mut self, entry: T) -> Self {
        self.set(entry);
        self
    }

    /// Sets a typed entry, one of each type. It travels if its type [says](Entry::write) so, within the bounds of metadata. What
    /// an entry of the same type has written before is taken away.
    pub fn set<T: Entry>(&mut self, entry: T) {
        let before = self.get::<T>();
        let held = self.held_mut();
        if let Some(before) = before {
            let mut written = Metadata::default();
            before.write(&mut written);
            for (key, _) in written.iter() {
                held.metadata.remove(key);
            }
        }
        entry.write(&mut held.metadata);
        held.entries.insert(entry);
    }

    /// A clone of the entry of this type: the one that was [set](Self::set) in this process, else what the type
    /// [reads](Entry::read) from the metadata, each time that it is asked for.
    #[must_use]
    pub fn get<T: Entry>(&self) -> Option<T> {
        let held = self.held.as_ref()?;
        held.entries.get().or_else(|| T::read(&held.metadata))
    }

    fn held_mut(&mut self) -> &mut Held {
        Arc::make_mut(self.held.get_or_insert_default())
    }

    /// Where a trace stands, as W3C's Trace Context writes it: `00-<trace id>-<parent id>-<flags>`. It is metadata of the key
    /// `traceparent`, carried as it is; the bridge to a tracing system reads and writes it. (`tracestate`, which belongs to
    /// it, is [metadata](Self::with) of that key.)
    #[must_use]
    pub fn traceparent(&self) -> Option<&str> {
        self.metadata(TRACEPARENT)
    }

    /// The same context with another [`traceparent`](Self::traceparent).
    #[must_use]
    pub fn with_traceparent(self, traceparent: impl Into<String>) -> Self {
        self.with(TRACEPARENT, traceparent)
    }

    /// The id of the request, in a handler. In a context that a client made, the one that it was [given](Self::with_request_id);
    /// without one, each message gets an id of its own when it is sent.
    #[must_use]
    pub fn request_id(&self) -> Option<RequestId> {
        self.request_id
    }

    /// The same context with this id: all messages that are sent with it have it.
    #[must_use]
    pub fn with_request_id(mut self, id: RequestId) -> Self {
        self.request_id = Some(id);
        self
    }

    /// Who sent the request, in a handler. Where links have keys, it knows the client's: [`Peer::key`].
    #[must_use]
    pub fn peer(&self) -> Option<&Peer> {
        self.peer.as_ref()
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

    /// What a handler receives.
    pub(crate) fn received(metadata: Metadata, deadline: Option<Instant>) -> Self {
        let held = (!metadata.is_empty()).then(|| {
            Arc::new(Held {
                metadata,
                entries: Entries::default(),
            })
        });
        Self {
            held,
            deadline,
            ..Self::default()
        }
    }

    /// Names who sent the request, and what it is called.
    pub(crate) fn sent_by(mut self, peer: Peer, request_id: Option<RequestId>) -> Self {
        self.peer = Some(peer);
        self.request_id = request_id;
        self
    }

    /// Gives it an id, unless it has one.
    pub(crate) fn identified(mut self) -> Self {
        self.request_id.get_or_insert_with(RequestId::random);
        self
    }

    /// The context of a request's handler.
    pub(crate) fn of_request(mut self, request: Arc<dyn Cancellable>) -> Self {
        self.request = Some(request).filter(|request| !request.is_cast());
        self
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

    /// The same context without the deadline and the cancellation, for work that goes on after the request has been answered, or
    /// whether it is wanted or not.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self {
            deadline: None,
            request: None,
            ..self.clone()
        }
    }
}

impl fmt::Debug for Context {
    /// Shows the keys of the metadata, never the values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.held.as_ref().map_or(0, |held| held.entries.len());
        f.debug_struct("Context")
            .field("metadata", self.all_metadata())
            .field("entries", &entries)
            .field("request_id", &self.request_id)
            .field("peer", &self.peer)
            .field("remaining", &self.remaining())
            .finish()
    }
}
