//! What can go wrong with a call, and what that says about whether the method ran.

use crate::{Target, text};
use std::fmt;
use std::time::Duration;

/// Why a message failed, other than by the method's own error.
///
/// The kinds are closed: each says whether the method ran.
///
/// | the method | kinds |
/// |---|---|
/// | did not run | `VersionCap`, `InvalidTarget`, `Encode`, `Undeliverable`, `UnsupportedVersion`, `NoSuchMethod`, `Overloaded`, `Unavailable`, `DecodeArguments` |
/// | may have run | `Timeout`, `PeerLost`, `Cancelled`, `Incomplete` |
/// | ran | `Remote`, `DecodeReply` |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The client's version cap, or what the named server announced, lies below what the message needs. Nothing was sent.
    VersionCap,
    /// The target can't be used for this: it has no topic, or a call has no single server to go to. Nothing was sent.
    InvalidTarget,
    /// An argument could not be encoded. Nothing was sent.
    Encode,
    /// Nobody was there within the deadline. Nothing was sent.
    Undeliverable,
    /// No server serves this version of the API (or this namespace). For a server that is called by name and announced an older
    /// version of the same major, it is [`VersionCap`](Self::VersionCap).
    UnsupportedVersion,
    /// The server has the API, in this version, but not the method.
    NoSuchMethod,
    /// The server has too much to do and refused.
    Overloaded,
    /// The server is stopping, or is gone from its node.
    Unavailable,
    /// The server could not decode the arguments.
    DecodeArguments,
    /// The deadline passed after the message was sent.
    Timeout,
    /// The link to the server was lost, or the server ended, after the message was sent.
    PeerLost,
    /// The handler was cancelled; or the call was: an argument was set on it after it had been sent, or it was made with the context
    /// of a request that nobody waits for any more.
    Cancelled,
    /// The handler panicked, or failed in another way that is no error of the method.
    Remote,
    /// The reply could not be decoded.
    DecodeReply,
    /// Some servers have accepted a cast that was to go to all, or may have, and others have not. The error's source is a
    /// [`FanoutIncomplete`](crate::FanoutIncomplete) that says which. It never travels.
    Incomplete,
}

impl ErrorKind {
    const ALL: [(Self, &'static str); 15] = [
        (Self::VersionCap, "VersionCap"),
        (Self::InvalidTarget, "InvalidTarget"),
        (Self::Encode, "Encode"),
        (Self::Undeliverable, "Undeliverable"),
        (Self::UnsupportedVersion, "UnsupportedVersion"),
        (Self::NoSuchMethod, "NoSuchMethod"),
        (Self::Overloaded, "Overloaded"),
        (Self::Unavailable, "Unavailable"),
        (Self::DecodeArguments, "DecodeArguments"),
        (Self::Timeout, "Timeout"),
        (Self::PeerLost, "PeerLost"),
        (Self::Cancelled, "Cancelled"),
        (Self::Remote, "Remote"),
        (Self::DecodeReply, "DecodeReply"),
        (Self::Incomplete, "Incomplete"),
    ];

    /// The kind's name, which is also its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or("", |(_, name)| name)
    }

    /// The kind of this name on the wire. `None` for a kind that only newer peers know.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(kind, _)| *kind)
    }

    /// Whether the method may have run, or did.
    #[must_use]
    pub fn may_have_run(self) -> bool {
        matches!(
            self,
            Self::Timeout
                | Self::PeerLost
                | Self::Cancelled
                | Self::Incomplete
                | Self::Remote
                | Self::DecodeReply
        )
    }

    /// Whether the same message may well succeed later: nobody was there, or who was there refused it.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::Undeliverable | Self::Overloaded | Self::Unavailable
        )
    }
}

/// A message failed, other than by the method's own error.
///
/// It is the size of a pointer. Its text names the method, the target, the server if it is known, and what was seen; texts
/// that came from a peer are escaped and cut.
pub struct RpcError(Box<Parts>);

struct Parts {
    kind: ErrorKind,
    message: String,
    method: Option<String>,
    target: Option<Target>,
    server: Option<String>,
    elapsed: Option<Duration>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
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
            source: None,
        }))
    }

    /// What it comes from.
    #[cold]
    pub(crate) fn with_source(
        mut self,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        self.0.source = Some(Box::new(source));
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
        if let Some(elapsed) = parts.elapsed {
            write!(f, ", after {elapsed:.1?}")?;
        }
        f.write_str(")")
    }
}

impl fmt::Debug for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RpcError({self})")
    }
}

impl std::error::Error for RpcError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source = self.0.source.as_deref()?;
        Some(source)
    }
}

/// Why a call failed: by the method's own error, or by anything else.
pub enum CallError<E> {
    /// The method ran, and this is its answer.
    Method(E),
    /// Something else: see [`RpcError::kind`].
    Rpc(RpcError),
}

impl<E> CallError<E> {
    /// The method's own error.
    pub fn method(&self) -> Option<&E> {
        match self {
            Self::Method(error) => Some(error),
            Self::Rpc(_) => None,
        }
    }

    /// The error that is not the method's own.
    pub fn rpc(&self) -> Option<&RpcError> {
        match self {
            Self::Method(_) => None,
            Self::Rpc(error) => Some(error),
        }
    }
}

impl<E> From<RpcError> for CallError<E> {
    fn from(error: RpcError) -> Self {
        Self::Rpc(error)
    }
}

impl<E: fmt::Debug> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method(error) => write!(f, "the method failed: {error:?}"),
            Self::Rpc(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method(error) => f.debug_tuple("Method").field(error).finish(),
            Self::Rpc(error) => f.debug_tuple("Rpc").field(error).finish(),
        }
    }
}

impl<E: fmt::Debug> std::error::Error for CallError<E> {}

/// The error of a method that has none: a value of it can't exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Never {}

impl fmt::Display for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl std::error::Error for Never {}

impl serde::Serialize for Never {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        match *self {}
    }
}

impl<'de> serde::Deserialize<'de> for Never {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom(
            "the method has no error of its own, but one arrived",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for (kind, name) in ErrorKind::ALL {
            assert_eq!(kind.name(), name);
            assert_eq!(ErrorKind::from_name(name), Some(kind));
            assert_eq!(format!("{kind:?}"), name);
        }
    }

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
}
