//! Who sent a request.

use crate::text;
use std::fmt;
use std::sync::Arc;

/// The client that sent a request, as far as its transport knows it.
///
/// Transports make one for each link; a clone is cheap.
#[derive(Clone, PartialEq, Eq)]
pub struct Peer(Arc<Known>);

#[derive(Debug, PartialEq, Eq)]
struct Known {
    transport: &'static str,
    name: String,
    key: Option<Key>,
}

/// What a client has proved to own.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    written: String,
    owner: Option<String>,
}

/// How much of a key is shown.
const SHOWN: usize = 8;

impl Peer {
    /// A client of a transport, under the name that it has there: an address, or what tells links apart.
    #[must_use]
    pub fn new(transport: &'static str, name: &str) -> Self {
        Self(Arc::new(Known {
            transport,
            name: text::shown(name),
            key: None,
        }))
    }

    /// The same client, which has proved to own a public key; `owner` is what this side calls whoever has it.
    #[must_use]
    pub fn with_key(&self, key: &str, owner: Option<&str>) -> Self {
        Self(Arc::new(Known {
            transport: self.0.transport,
            name: self.0.name.clone(),
            key: Some(Key {
                written: key.into(),
                owner: owner.map(text::shown),
            }),
        }))
    }

    /// What carried the request: `memory` or `zmq`.
    #[must_use]
    pub fn transport(&self) -> &'static str {
        self.0.transport
    }

    /// How the transport calls the client, fit to be shown. It tells the links of one moment apart, and proves nothing.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The public key that the client has proved to own, as its transport writes keys. `None` when links have no keys.
    ///
    /// It stays the same over links and restarts, so it is what to decide by who may do what.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.0.key.as_ref().map(|key| key.written.as_str())
    }

    /// What this side calls whoever has that key, if it has a name for them.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.0.key.as_ref()?.owner.as_deref()
    }
}

/// `zmq:127.0.0.1:40312`; with a key also whose it is, or how it begins: `zmq:127.0.0.1:40312 (scheduler)`.
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0.transport, self.0.name)?;
        let Some(Key { written, owner }) = &self.0.key else {
            return Ok(());
        };
        match owner {
            Some(owner) => write!(f, " ({owner})"),
            None => write!(f, " ({}…)", written.chars().take(SHOWN).collect::<String>()),
        }
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peer({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_shown_by_the_name_of_its_key_or_how_that_begins() {
        let peer = Peer::new("zmq", "[::1]:5");
        assert_eq!((peer.key(), peer.owner()), (None, None));
        assert_eq!(peer.to_string(), "zmq:[::1]:5");
        let key = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
        let unnamed = peer.with_key(key, None);
        assert_eq!((unnamed.key(), unnamed.name()), (Some(key), "[::1]:5"));
        assert_eq!(unnamed.to_string(), "zmq:[::1]:5 (rq:rM>}U…)");
        let named = peer.with_key(key, Some("scheduler"));
        assert_eq!(named.owner(), Some("scheduler"));
        assert_eq!(named.to_string(), "zmq:[::1]:5 (scheduler)");
    }
}
