//! What a rule is given: servers and clients on the network under test.

use super::Network;
use super::probe::{Probe, ProbeClient, ProbeDispatcher, Seen};
use rpc_core::{Context, Endpoint, Server, ServerBuilder, StartError, Target, Transport};
use std::pin::Pin;
use std::sync::Arc;

/// A future of a rule. Rules run on the thread of their test, so it need not be sent to another.
pub(crate) type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A [`Network`], whichever it is.
trait AnyNetwork {
    fn node<'a>(&'a self, options: &'a str) -> LocalFuture<'a, Transport>;
    fn list(&mut self, node: &Transport);
    fn list_absent(&mut self) -> String;
    fn appear<'a>(&'a self, address: &'a str) -> LocalFuture<'a, Transport>;
    fn client(&self) -> LocalFuture<'_, Transport>;
}

impl<N: Network> AnyNetwork for N {
    fn node<'a>(&'a self, options: &'a str) -> LocalFuture<'a, Transport> {
        Box::pin(Network::node(self, options))
    }

    fn list(&mut self, node: &Transport) {
        Network::list(self, node);
    }

    fn list_absent(&mut self) -> String {
        Network::list_absent(self)
    }

    fn appear<'a>(&'a self, address: &'a str) -> LocalFuture<'a, Transport> {
        Box::pin(Network::appear(self, address))
    }

    fn client(&self) -> LocalFuture<'_, Transport> {
        Box::pin(Network::client(self))
    }
}

/// A place where nodes see each other.
pub(crate) struct World(Box<dyn AnyNetwork>);

/// A server on a node of its own.
pub(crate) struct Node {
    pub(crate) server: Server,
    pub(crate) transport: Transport,
    pub(crate) seen: Arc<Seen>,
}

impl World {
    pub(crate) fn new(network: impl Network) -> Self {
        Self(Box::new(network))
    }

    /// A transport for one more node. `options` are those of its URL, like `window=2`.
    pub(crate) async fn node(&self, options: &str) -> Transport {
        self.0.node(options).await
    }

    /// From now on, clients know this node.
    pub(crate) fn list(&mut self, node: &Transport) {
        self.0.list(node);
    }

    /// From now on, clients know a node at which nobody is. Returns its address.
    pub(crate) fn list_absent(&mut self) -> String {
        self.0.list_absent()
    }

    /// A transport for the node at an address at which nobody was.
    pub(crate) async fn appear(&self, address: &str) -> Transport {
        self.0.appear(address).await
    }

    /// A transport whose clients know every node that was listed.
    pub(crate) async fn client_transport(&self) -> Transport {
        self.0.client().await
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
            .expect("a server of this name");
    }
}

pub(crate) fn start(transport: &Transport, name: &str, endpoint: impl Endpoint) -> ServerBuilder {
    Server::builder(transport.clone())
        .target(Target::topic("probe").server(name))
        .endpoint(endpoint)
}
