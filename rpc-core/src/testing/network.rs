//! What the suite asks of a transport: nodes, and clients that know some of them.

use crate::transport;
use crate::{Transport, Transports};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A place where nodes and clients of the transport under test see each other, and nobody else. Each rule gets its own.
///
/// Its methods are written as `async fn`, and panic when they fail: a rule that cannot be tried does not hold.
pub trait Network: 'static {
    /// A transport for one more node, which listens where nobody else does. Clients do not know it yet.
    ///
    /// `options` is the query of its URL, such as `window=2` or `window_bytes=1000`, or empty.
    /// [`Exchange::open`](crate::exchange::Exchange::open) understands what there may be.
    fn node(&self, options: &str) -> impl Future<Output = Transport>;

    /// From now on, new clients know this node. A server has been started on it.
    fn list(&mut self, node: &Transport);

    /// From now on, new clients know a node at which nobody is. Returns its address, in the form that errors have it.
    fn list_absent(&mut self) -> String;

    /// A transport for the node at an address at which nobody was. Clients that have been made know it when a server has been
    /// started on it.
    fn appear(&self, address: &str) -> impl Future<Output = Transport>;

    /// A transport for a client, which knows every node that has been listed.
    fn client(&self) -> impl Future<Output = Transport>;
}

/// The in-process transport as a [`Network`]: a bus of its own for each rule.
///
/// On a bus nobody is listed, and so nobody can be missing: a node is known as soon as a server has been started on it.
#[derive(Debug)]
pub struct MemoryNetwork {
    bus: String,
}

impl MemoryNetwork {
    /// A bus that nobody else has.
    #[must_use]
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            bus: format!("conformance-{}", NEXT.fetch_add(1, Relaxed)),
        }
    }
}

impl Default for MemoryNetwork {
    fn default() -> Self {
        Self::new()
    }
}

impl Network for MemoryNetwork {
    async fn node(&self, options: &str) -> Transport {
        Transports::new()
            .open(&format!("memory://{}?{options}", self.bus))
            .await
            .expect("a good URL")
    }

    fn list(&mut self, _: &Transport) {}

    fn list_absent(&mut self) -> String {
        "memory".into()
    }

    async fn appear(&self, _: &str) -> Transport {
        transport::memory(&self.bus)
    }

    async fn client(&self) -> Transport {
        transport::memory(&self.bus)
    }
}
