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
}

impl Peer {
    /// A client of a transport, under the name that it has there: an address, or what tells links apart.
    #[must_use]
    pub fn new(transport: &'static str, name: &str) -> Self {
        Self(Arc::new(Known {
            transport,
            name: text::shown(name),
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
}

/// `zmq:127.0.0.1:40312`.
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0.transport, self.0.name)
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peer({self})")
    }
}
