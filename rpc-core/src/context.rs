//! The request context, which travels with every message.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
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
/// assert!(ctx.detached().remaining().is_none());
/// ```
#[derive(Clone, Default)]
pub struct Context {
    metadata: Option<Arc<BTreeMap<String, String>>>,
    deadline: Option<Instant>,
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
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// How much time is left, if there is a deadline; zero when it has passed.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// The same metadata without the deadline, for work that goes on after the request has been answered.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self {
            metadata: self.metadata.clone(),
            deadline: None,
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
