//! Servers that say who they are, and clients that ask them.

use rpc_core::{Context, FanoutError, Server, Target, Transport, Transports, rpc_api};
use std::collections::BTreeSet;
use std::time::Duration;

#[rpc_api(version = "1.0", topic = "who")]
pub(crate) trait Who {
    async fn who(&self, ctx: &Context) -> String;
    #[rpc(cast, fanout)]
    async fn all(&self, ctx: &Context);
}

pub(crate) struct Named(pub(crate) String);

impl Who for Named {
    async fn who(&self, _: &Context) -> String {
        self.0.clone()
    }

    async fn all(&self, _: &Context) {}
}

/// A server on a node.
pub(crate) struct Node {
    pub(crate) server: Server,
    pub(crate) transport: Transport,
}

impl Node {
    pub(crate) async fn stop(self) {
        self.server.stop().await;
        self.server.wait().await;
        self.transport.close(Duration::from_secs(5)).await;
    }

    pub(crate) fn port(&self) -> u16 {
        let address = self.transport.local_addr().unwrap();
        address.rsplit_once(':').unwrap().1.parse().unwrap()
    }
}

pub(crate) async fn open(url: &str) -> Transport {
    Transports::new()
        .with(rpc_zmq::scheme())
        .open(url)
        .await
        .unwrap()
}

/// A server of this name on a node of its own.
pub(crate) async fn serve(url: &str, name: &str) -> Node {
    let transport = open(url).await;
    let server = serve_on(&transport, Target::topic("who"), name).await;
    Node { server, transport }
}

pub(crate) async fn serve_on(transport: &Transport, target: Target, name: &str) -> Server {
    Server::builder(transport.clone())
        .target(target.server(name))
        .endpoint(WhoDispatcher::new(Named(name.into())))
        .start()
        .await
        .unwrap()
}

pub(crate) async fn client(url: &str) -> WhoClient {
    WhoClient::new(open(url).await)
}

/// The servers of a client's topic, if every node that there should be could be reached.
pub(crate) async fn names(client: &WhoClient) -> Result<BTreeSet<String>, FanoutError> {
    let client = client.prepare(|call| call.timeout(Duration::from_secs(10)));
    let fanout = client.all(&Context::new()).await?;
    Ok(fanout.accepted.into_iter().collect())
}

/// Whether these, and nobody else, are the servers of a client's topic.
pub(crate) async fn are(client: &WhoClient, expected: &[&str]) -> Option<()> {
    let expected: BTreeSet<String> = expected.iter().map(|name| (*name).to_owned()).collect();
    (names(client).await.ok()? == expected).then_some(())
}

/// Why a call finds nobody within this time.
pub(crate) async fn absence(client: &WhoClient, millis: u64) -> String {
    let client = client.prepare(|call| call.timeout(Duration::from_millis(millis)));
    let error = client.who(&Context::new()).await.unwrap_err().to_string();
    assert!(error.contains("no server was there"), "{error}");
    error
}
