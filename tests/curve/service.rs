//! The service behind the links.

use crate::keys::{Folder, List};
use bytes::Bytes;
use futures_util::stream;
use rpc_core::{Context, ErrorKind, Server, Stream, Target, Transport, rpc_api};
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long somebody is looked for who is not there.
const SOON: Duration = Duration::from_millis(700);

/// What is asked for over the links.
#[rpc_api(version = "1.0", topic = "vault")]
pub(crate) trait Vault {
    /// The same again.
    async fn echo(&self, ctx: &Context, bytes: Bytes) -> Bytes;

    /// Who asks: address, key, and the name of that.
    async fn who(&self, ctx: &Context) -> (String, Option<String>, Option<String>);

    /// Is noted.
    #[rpc(cast)]
    async fn note(&self, ctx: &Context);

    /// Is noted by everybody.
    #[rpc(cast, fanout)]
    async fn everyone(&self, ctx: &Context);

    /// Ends once so much was noted.
    async fn noted(&self, ctx: &Context, times: u32);

    /// Never ends.
    async fn wait(&self, ctx: &Context);

    /// The numbers below this.
    #[rpc(multicall)]
    fn count(&self, ctx: &Context, to: u64) -> impl Stream<Item = u64> + Send;

    /// Whoever is there.
    #[rpc(gather)]
    async fn present(&self, ctx: &Context) -> bool;
}

/// Counts what was noted.
pub(crate) struct Safe(Semaphore);

impl Default for Safe {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

impl Vault for Safe {
    async fn echo(&self, _: &Context, bytes: Bytes) -> Bytes {
        bytes
    }

    async fn who(&self, ctx: &Context) -> (String, Option<String>, Option<String>) {
        let peer = ctx.peer().unwrap();
        let owned = |text: Option<&str>| text.map(str::to_owned);
        (
            peer.name().to_owned(),
            owned(peer.key()),
            owned(peer.owner()),
        )
    }

    async fn note(&self, _: &Context) {
        self.0.add_permits(1);
    }

    async fn everyone(&self, _: &Context) {
        self.0.add_permits(1);
    }

    async fn noted(&self, _: &Context, times: u32) {
        let _noted = self.0.acquire_many(times).await.unwrap();
    }

    async fn wait(&self, _: &Context) {
        std::future::pending::<()>().await;
    }

    fn count(&self, _: &Context, to: u64) -> impl Stream<Item = u64> + Send {
        stream::iter(0..to)
    }

    async fn present(&self, _: &Context) -> bool {
        true
    }
}

pub(crate) async fn open(url: &str) -> Transport {
    rpc_zmq::connect(url).await.expect("a good URL")
}

/// A node that runs.
pub(crate) struct Node {
    pub(crate) server: Server,
    pub(crate) transport: Transport,
}

impl Node {
    pub(crate) async fn serve(name: &str, options: &str) -> Self {
        Self::serve_at(&format!("zmq://?listen=127.0.0.1:0&{options}"), name).await
    }

    pub(crate) async fn serve_at(url: &str, name: &str) -> Self {
        let transport = open(url).await;
        let server = Server::builder(transport.clone())
            .target(Target::topic("vault").server(name))
            .endpoint(VaultDispatcher::new(Safe::default()))
            .start()
            .await
            .expect("a server");
        Self { server, transport }
    }

    pub(crate) fn address(&self) -> String {
        self.transport.local_addr().unwrap()
    }
}

pub(crate) async fn client(address: &str, options: &str) -> VaultClient {
    VaultClient::new(open(&format!("zmq://{address}?{options}")).await)
}

/// Why a client gets nothing.
pub(crate) async fn refusal(client: &VaultClient) -> String {
    let client = client.prepare(|call| call.timeout(SOON));
    let error = client
        .echo(&Context::new(), Bytes::new())
        .await
        .unwrap_err();
    let kind = error.rpc().unwrap().kind();
    assert_eq!(kind, ErrorKind::Undeliverable, "{error}");
    error.to_string()
}

/// A node, and the files by which a client may do everything there: `node.key`, `client.key`, and for both `peers.toml`.
pub(crate) async fn guarded() -> (Folder, Node) {
    let folder = Folder::new();
    let list = List::default()
        .node(folder.key("node.key"))
        .client(folder.key("client.key"));
    folder.list("peers.toml", list);
    let node = Node::serve("node-1", &folder.options("node.key", "peers.toml")).await;
    (folder, node)
}
