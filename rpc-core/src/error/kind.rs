//! The closed kinds of failures, and what each says about whether the method ran.

/// Why a message failed, other than by the method's own error.
///
/// The kinds are closed: each says whether the method ran.
///
/// | the method | kinds |
/// |---|---|
/// | did not run | `VersionCap`, `InvalidTarget`, `Encode`, `Undeliverable`, `UnsupportedVersion`, `NoSuchMethod`, `Overloaded`, `Unavailable`, `Denied`, `DecodeArguments` |
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
    /// A middleware refused it, at the client or at the server: who sent it may not.
    Denied,
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
    const ALL: [(Self, &'static str); 16] = [
        (Self::VersionCap, "VersionCap"),
        (Self::InvalidTarget, "InvalidTarget"),
        (Self::Encode, "Encode"),
        (Self::Undeliverable, "Undeliverable"),
        (Self::UnsupportedVersion, "UnsupportedVersion"),
        (Self::NoSuchMethod, "NoSuchMethod"),
        (Self::Overloaded, "Overloaded"),
        (Self::Unavailable, "Unavailable"),
        (Self::Denied, "Denied"),
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
}
