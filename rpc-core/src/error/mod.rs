//! What can go wrong with a call, and what that says about whether the method ran.

mod call;
mod kind;

pub use call::{CallError, Never};
pub use kind::ErrorKind;

use crate::{RequestId, Target, text};
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// The most bytes of a [traceback](RpcError::traceback).
pub const MAX_TRACEBACK: usize = 8 * 1024;

/// A message failed, other than by the method's own error.
///
/// It is the size of a pointer. Its text names the method, the target, what was seen, and as far as that is known the server,
/// how often it was tried, how long it took, and the request's id if it was sent. Texts that came from a peer are escaped and cut.
pub struct RpcError(Box<Parts>);

struct Parts {
    kind: ErrorKind,
    message: String,
    method: Option<String>,
    target: Option<Target>,
    server: Option<String>,
    elapsed: Option<Duration>,
    attempts: u32,
    request_id: Option<RequestId>,
    traceback: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl RpcError {
    /// An error of a kind, with what was seen.
    #[cold]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            kind,
            message: message.into(),
            method: None,
            target: None,
            server: None,
            elapsed: None,
            attempts: 0,
            request_id: None,
            traceback: None,
            source: None,
        }))
    }

    /// A message that a middleware refuses: [`Denied`](ErrorKind::Denied), with the reason.
    #[cold]
    pub fn denied(reason: impl Into<String>) -> Self {
        Self::new(ErrorKind::Denied, reason)
    }

    /// The same error with what caused it, which is its [source](Error::source).
    #[cold]
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Names what was sent where, unless the error says so already.
    #[cold]
    pub(crate) fn of_message(
        mut self,
        method: &str,
        target: &Target,
        elapsed: Option<Duration>,
    ) -> Self {
        let parts = &mut *self.0;
        parts.method.get_or_insert_with(|| method.into());
        parts.target.get_or_insert_with(|| target.clone());
        parts.elapsed = parts.elapsed.or(elapsed);
        self
    }

    /// Says what the request is called, and how often it was tried.
    #[cold]
    pub(crate) fn of_request(mut self, id: Option<RequestId>, attempts: u32) -> Self {
        self.0.request_id = id;
        self.0.attempts = attempts;
        self
    }

    /// What the server says about where it happened.
    #[cold]
    pub(crate) fn with_traceback(mut self, traceback: &str) -> Self {
        self.0.traceback = Some(text::block(traceback, MAX_TRACEBACK));
        self
    }

    /// The same failure under another kind.
    #[cold]
    pub(crate) fn of_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Names the server that it came from or was sent to.
    #[cold]
    pub(crate) fn of_server(mut self, server: &str) -> Self {
        self.0.server = Some(text::shown(server));
        self
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What was seen, without the method and the target.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The server that refused or failed, where one is known.
    #[must_use]
    pub fn server(&self) -> Option<&str> {
        self.0.server.as_deref()
    }

    /// How many times it was about to be written to a server: each server that refused it counts, and each link that was lost
    /// before. 0 if nobody was there, and where nothing is sent.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// The id under which servers have logged the request, if one was sent.
    #[must_use]
    pub fn request_id(&self) -> Option<RequestId> {
        self.0.request_id
    }

    /// Where a handler panicked, if its server [says so](crate::ServerBuilder::tracebacks): several lines, at most
    /// [`MAX_TRACEBACK`](crate::MAX_TRACEBACK) bytes.
    #[must_use]
    pub fn traceback(&self) -> Option<&str> {
        self.0.traceback.as_deref()
    }

    /// Whether the deadline passed.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.0.kind == ErrorKind::Timeout
    }

    /// Whether the method may have run: see [`ErrorKind`].
    #[must_use]
    pub fn may_have_run(&self) -> bool {
        self.0.kind.may_have_run()
    }

    /// Whether the same message may well succeed later, and surely did not run: nobody was there, or who was there refused.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.kind.is_retryable()
    }
}

impl fmt::Display for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = &*self.0;
        if let Some(method) = &parts.method {
            write!(f, "`{method}`")?;
            if let Some(target) = &parts.target {
                write!(f, " to {target}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&parts.message)?;
        write!(f, " ({}", parts.kind.name())?;
        if let Some(server) = &parts.server {
            write!(f, ", server {server}")?;
        }
        if parts.attempts > 1 {
            write!(f, ", {} attempts", parts.attempts)?;
        }
        if let Some(elapsed) = parts.elapsed {
            write!(f, ", after {elapsed:.1?}")?;
        }
        // servers have logged what they took in under it
        if let Some(id) = parts.request_id.filter(|_| parts.kind.may_have_run()) {
            write!(f, ", {id}")?;
        }
        f.write_str(")")
    }
}

impl fmt::Debug for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RpcError({self})")
    }
}

impl Error for RpcError {
    /// What caused it: what could not be encoded or decoded, or what a middleware [said](Self::with_source).
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source: &(dyn Error + 'static) = self.0.source.as_deref()?;
        Some(source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_as_small_as_a_pointer() {
        assert_eq!(size_of::<RpcError>(), size_of::<usize>());
    }

    #[test]
    fn the_text_says_what_where_and_how_long() {
        let error = RpcError::new(ErrorKind::Timeout, "no reply")
            .of_server("node\n1")
            .of_message(
                "reboot",
                &Target::topic("compute"),
                Some(Duration::from_millis(1500)),
            );
        assert_eq!(
            error.to_string(),
            "`reboot` to compute: no reply (Timeout, server node\\u{a}1, after 1.5s)"
        );
    }

    #[test]
    fn the_text_counts_attempts_and_names_the_request_where_it_was_sent() {
        let id = RequestId::from_bytes([0x11; 16]);
        let error = |kind| {
            RpcError::new(kind, "no")
                .of_request(Some(id), 3)
                .to_string()
        };
        assert_eq!(error(ErrorKind::Overloaded), "no (Overloaded, 3 attempts)");
        assert_eq!(
            error(ErrorKind::PeerLost),
            format!("no (PeerLost, 3 attempts, {id})")
        );
    }

    #[test]
    fn a_cause_is_its_source_at_every_level() {
        let error = RpcError::denied("no token").with_source("the vault is shut");
        let text = |error: &dyn Error| error.source().map(ToString::to_string);
        assert_eq!(text(&error).as_deref(), Some("the vault is shut"));
        let error = CallError::<Never>::Rpc(error);
        assert_eq!(text(&error).as_deref(), Some("the vault is shut"));
        assert_eq!(text(&CallError::Method(7)), None);
    }

    #[test]
    fn a_traceback_is_escaped_and_cut() {
        let error = RpcError::new(ErrorKind::Remote, "").with_traceback("0: main\n\u{1b}[31m");
        assert_eq!(error.traceback(), Some("0: main\n\\u{1b}[31m"));
        let error = error.with_traceback(&"\u{202e}".repeat(MAX_TRACEBACK));
        let len = error.traceback().unwrap_or_default().len();
        assert!(len <= MAX_TRACEBACK && len > MAX_TRACEBACK - 16, "{len}");
    }
}
