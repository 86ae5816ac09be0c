//! What the node serves.

use bytes::Bytes;
use futures_util::stream;
use rpc_core::{Context, Server, Stream, Target, Transport, rpc_api};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::time::Duration;

/// What peers ask for.
#[rpc_api(version = "1.0", topic = "bytes")]
pub(crate) trait Octets {
    /// The same again.
    async fn echo(&self, ctx: &Context, bytes: Bytes) -> Bytes;

    /// So many.
    async fn blob(&self, ctx: &Context, size: u32) -> Bytes;

    /// How many bytes the program has allocated.
    async fn allocated(&self, ctx: &Context) -> u64;

    /// Takes some seconds.
    async fn nap(&self, ctx: &Context, bytes: Bytes);

    /// Takes as long, and nobody waits for it.
    #[rpc(cast)]
    async fn doze(&self, ctx: &Context, bytes: Bytes);

    /// Numbers without end.
    #[rpc(multicall)]
    fn count(&self, ctx: &Context) -> impl Stream<Item = u64> + Send;
}

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const LONG: Duration = Duration::from_secs(5);

struct Plain;

impl Octets for Plain {
    async fn echo(&self, _: &Context, bytes: Bytes) -> Bytes {
        bytes
    }

    async fn blob(&self, _: &Context, size: u32) -> Bytes {
        vec![7; usize::try_from(size).unwrap()].into()
    }

    async fn allocated(&self, _: &Context) -> u64 {
        let stats = HEAP.stats();
        let allocated = stats
            .bytes_allocated
            .saturating_sub(stats.bytes_deallocated);
        u64::try_from(allocated).unwrap()
    }

    async fn nap(&self, _: &Context, bytes: Bytes) {
        tokio::time::sleep(LONG).await;
        drop(bytes);
    }

    async fn doze(&self, ctx: &Context, bytes: Bytes) {
        self.nap(ctx, bytes).await;
    }

    fn count(&self, _: &Context) -> impl Stream<Item = u64> + Send {
        stream::iter(0..)
    }
}

/// A node.
pub(crate) async fn serve(url: &str) -> (Server, Transport) {
    let transport = rpc_zmq::connect(url).await.expect("a good URL");
    let server = Server::builder(transport.clone())
        .target(Target::topic("bytes").server("node-1"))
        .endpoint(OctetsDispatcher::new(Plain))
        .start()
        .await
        .expect("a server");
    (server, transport)
}

/// A client with a link of its own.
pub(crate) async fn client(address: &str, options: &str) -> OctetsClient {
    let url = format!("zmq://{address}?{options}");
    OctetsClient::new(rpc_zmq::connect(&url).await.expect("a good URL"))
}
