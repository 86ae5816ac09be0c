//! A transport whose other end is a fuzzer, or a test.

use rpc_core::exchange::{Exchange, Inbound, Links, NodeId, Outbound};
use rpc_core::transport::BoxFuture;
use rpc_core::{StartError, Transport};
use std::sync::{Arc, OnceLock};

/// Both halves of such a transport, once they are used.
#[derive(Debug, Default)]
pub struct Ends {
    inbound: OnceLock<Arc<Inbound>>,
    outbound: OnceLock<(Arc<Outbound>, NodeId)>,
}

impl Ends {
    /// Opens it, with options that nodes have.
    ///
    /// # Panics
    ///
    /// If an option is wrong.
    #[must_use]
    pub fn open(options: &str) -> (Arc<Self>, Transport) {
        let ends = Arc::new(Self::default());
        let url = format!("ends://?{options}").parse().expect("a URL");
        let transport = Exchange::open(&url, Handle(Arc::clone(&ends))).expect("good options");
        (ends, transport)
    }

    /// The half of the servers.
    ///
    /// # Panics
    ///
    /// If no server has been started.
    #[must_use]
    pub fn inbound(&self) -> &Arc<Inbound> {
        self.inbound.get().expect("it listens")
    }

    /// The half of the clients, and the only node that it knows.
    ///
    /// # Panics
    ///
    /// If nothing has been sent.
    #[must_use]
    pub fn outbound(&self) -> (&Arc<Outbound>, NodeId) {
        let (outbound, node) = self.outbound.get().expect("it dials");
        (outbound, *node)
    }
}

struct Handle(Arc<Ends>);

impl Links for Handle {
    fn dial(&self, outbound: &Arc<Outbound>) {
        let node = outbound.add_node("end");
        let _ = self.0.outbound.set((Arc::clone(outbound), node));
    }

    fn listen(
        self: Arc<Self>,
        inbound: Arc<Inbound>,
        _: Option<String>,
    ) -> BoxFuture<Result<(), StartError>> {
        let _ = self.0.inbound.set(inbound);
        Box::pin(std::future::ready(Ok(())))
    }

    fn local_addr(&self) -> Option<String> {
        None
    }

    fn written(&self) -> BoxFuture<()> {
        Box::pin(std::future::ready(()))
    }

    fn close(&self) -> BoxFuture<()> {
        Box::pin(std::future::ready(()))
    }
}
