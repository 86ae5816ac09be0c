//! The service behind the sockets.

use bytes::Bytes;
use rpc_core::{Context, Server, Target, Transport, Transports, rpc_api};

/// What peers ask for.
#[rpc_api(version = "1.0", topic = "bytes")]
pub(crate) trait Octets {
    /// The same again.
    async fn echo(&self, ctx: &Context, bytes: Bytes) -> Bytes;

    /// So many.
    async fn blob(&self, ctx: &Context, size: u32) -> Bytes;
}

struct Plain;

impl Octets for Plain {
    async fn echo(&self, _: &Context, bytes: Bytes) -> Bytes {
        bytes
    }

    async fn blob(&self, _: &Context, size: u32) -> Bytes {
        vec![7; usize::try_from(size).unwrap()].into()
    }
}

pub(crate) async fn open(url: &str) -> Transport {
    Transports::new()
        .with(rpc_zmq::scheme())
        .open(url)
        .await
        .expect("a good URL")
}

/// A node at a free port.
pub(crate) async fn serve(options: &str) -> (Server, Transport) {
    serve_at(&format!("zmq://?listen=127.0.0.1:0&{options}")).await
}

pub(crate) async fn serve_at(url: &str) -> (Server, Transport) {
    let transport = open(url).await;
    let server = Server::builder(transport.clone())
        .target(Target::topic("bytes").server("node-1"))
        .endpoint(OctetsDispatcher::new(Plain))
        .start()
        .await
        .expect("a server");
    (server, transport)
}

/// A client of a node.
pub(crate) async fn client(address: &str, options: &str) -> OctetsClient {
    OctetsClient::new(open(&format!("zmq://{address}?{options}")).await)
}

/// Whether a node serves whoever behaves.
pub(crate) async fn is_served(address: &str) -> bool {
    let client = client(address, "").await;
    let client = client.prepare(|call| call.timeout(std::time::Duration::from_secs(10)));
    client.blob(&Context::new(), 3).await.is_ok()
}
