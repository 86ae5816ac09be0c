//! A transport whose other end is the fuzzer.

use rpc_core::exchange::{Exchange, Inbound, Links, NodeId, Outbound};
use rpc_core::transport::BoxFuture;
use rpc_core::{StartError, Transport};
use std::sync::{Arc, OnceLock};

/// Both halves of it, once they are used.
#[derive(Default)]
pub(crate) struct Ends {
    inbound: OnceLock<Arc<Inbound>>,
    outbound: OnceLock<(Arc<Outbound>, NodeId)>,
}

impl Ends {
    pub(crate) fn open() -> (Arc<Self>, Transport) {
        let ends = Arc::new(Self::default());
        let url = "fuzz://?window=16".parse().expect("a URL");
        let transport = Exchange::open(&url, Handle(Arc::clone(&ends))).expect("good options");
        (ends, transport)
    }

    pub(crate) fn inbound(&self) -> &Arc<Inbound> {
        self.inbound.get().expect("it listens")
    }

    pub(crate) fn outbound(&self) -> (&Arc<Outbound>, NodeId) {
        let (outbound, node) = self.outbound.get().expect("it dials");
        (outbound, *node)
    }
}

struct Handle(Arc<Ends>);

impl Links for Handle {
    fn dial(&self, outbound: &Arc<Outbound>) {
        let node = outbound.add_node("fuzz");
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
