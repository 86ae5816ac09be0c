//! Servers and clients on one transport or another.

use crate::probe::{Probe, ProbeClient, ProbeDispatcher, Seen};
use rpc_core::{
    Context, Endpoint, Server, ServerBuilder, StartError, Target, Transport, Transports,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// No rule takes longer than this; one that hangs fails.
pub(crate) async fn within_limit(rule: impl Future<Output = ()>) {
    tokio::time::timeout(Duration::from_secs(30), rule)
        .await
        .expect("the test hangs");
}

enum Kind {
    Memory(String),
    Zmq(Vec<String>),
}

/// A place where nodes see each other.
pub(crate) struct World(Kind);

/// A server on a node of its own.
pub(crate) struct Node {
    pub(crate) server: Server,
    pub(crate) transport: Transport,
    pub(crate) seen: Arc<Seen>,
}

pub(crate) async fn open(url: &str) -> Transport {
    Transports::new()
        .with(rpc_zmq::scheme())
        .open(url)
        .await
        .expect("a good URL")
}

impl World {
    pub(crate) fn memory() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(Kind::Memory(format!(
            "semantics-{}",
            NEXT.fetch_add(1, Relaxed)
        )))
    }

    pub(crate) fn zmq() -> Self {
        Self(Kind::Zmq(Vec::new()))
    }

    /// A transport for one more node. `options` are those of its URL, like `window=2`.
    pub(crate) async fn node(&self, options: &str) -> Transport {
        match &self.0 {
            Kind::Memory(bus) => open(&format!("memory://{bus}?{options}")).await,
            Kind::Zmq(_) => open(&format!("zmq://?listen=127.0.0.1:0&{options}")).await,
        }
    }

    /// From now on, clients know this node.
    pub(crate) fn list(&mut self, node: &Transport) {
        if let Kind::Zmq(addresses) = &mut self.0 {
            addresses.extend(node.local_addr());
        }
    }

    /// From now on, clients know a node at which nobody is. A server that is started on what this returns appears there.
    pub(crate) fn list_absent(&mut self) -> String {
        match &mut self.0 {
            Kind::Memory(bus) => format!("memory://{bus}"),
            Kind::Zmq(addresses) => {
                let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
                let address = free.local_addr().expect("bound").to_string();
                addresses.push(address.clone());
                format!("zmq://{address}")
            }
        }
    }

    /// A transport whose clients know every node that was listed.
    pub(crate) async fn client_transport(&self) -> Transport {
        match &self.0 {
            Kind::Memory(bus) => open(&format!("memory://{bus}")).await,
            Kind::Zmq(addresses) => open(&format!("zmq://{}", addresses.join(","))).await,
        }
    }

    pub(crate) async fn client(&self) -> ProbeClient {
        ProbeClient::new(self.client_transport().await)
    }

    /// A server of a probe, on a node of its own.
    pub(crate) async fn serve(&mut self, name: &str) -> Node {
        self.serve_with(name, "", |server| server).await
    }

    pub(crate) async fn serve_with(
        &mut self,
        name: &str,
        options: &str,
        set: impl FnOnce(ServerBuilder) -> ServerBuilder,
    ) -> Node {
        let transport = self.node(options).await;
        let seen = Arc::new(Seen::default());
        let probe = ProbeDispatcher::new(Probe::new(name, Arc::clone(&seen)));
        let server = set(start(&transport, name, probe))
            .start()
            .await
            .expect("a server");
        self.list(&transport);
        Node {
            server,
            transport,
            seen,
        }
    }

    pub(crate) async fn serve_endpoint(
        &mut self,
        name: &str,
        endpoint: impl Endpoint,
    ) -> Result<Server, StartError> {
        let transport = self.node("").await;
        let server = start(&transport, name, endpoint).start().await;
        self.list(&transport);
        server
    }

    /// One node with a probe, and a client of it.
    pub(crate) async fn pair(&mut self) -> (Node, ProbeClient) {
        let node = self.serve("node-1").await;
        let client = self.client().await;
        (node, client)
    }
}

/// Waits until a client has a link to all of these.
pub(crate) async fn meet(client: &ProbeClient, servers: &[&str]) {
    for server in servers {
        client
            .prepare(|call| call.server(*server))
            .name(&Context::new())
            .await
            .unwrap();
    }
}

pub(crate) fn start(transport: &Transport, name: &str, endpoint: impl Endpoint) -> ServerBuilder {
    Server::builder(transport.clone())
        .target(Target::topic("probe").server(name))
        .endpoint(endpoint)
}
