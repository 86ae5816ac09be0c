//! The API that is measured, and its server.

use crate::load;
use crate::process::Serving;
use crate::{Outcome, because};
use bytes::Bytes;
use futures_util::stream;
use rpc_core::{Context, Server, Stream, Target, rpc_api};
use std::sync::atomic::{AtomicU64, Ordering};

/// What there is to measure.
#[rpc_api(version = "1.0", topic = "load")]
pub(super) trait Load {
    /// Gives back what it gets.
    async fn echo(&self, ctx: &Context, body: Bytes) -> Bytes;

    /// Is counted.
    #[rpc(cast)]
    async fn note(&self, ctx: &Context, body: Bytes);

    /// How many notes have run.
    async fn noted(&self, ctx: &Context) -> u64;

    /// Numbers from 0 upwards, all of them ready.
    #[rpc(multicall)]
    fn ready(&self, ctx: &Context, count: u64) -> impl Stream<Item = u64> + Send;

    /// A stamp every millisecond.
    #[rpc(multicall)]
    fn paced(&self, ctx: &Context, count: u64) -> impl Stream<Item = u64> + Send;
}

/// The implementation: next to nothing, so that what is measured is the way there and back.
#[derive(Debug, Default)]
struct Idle {
    notes: AtomicU64,
}

impl Load for Idle {
    async fn echo(&self, _: &Context, body: Bytes) -> Bytes {
        body
    }

    async fn note(&self, _: &Context, _: Bytes) {
        self.notes.fetch_add(1, Ordering::Relaxed);
    }

    async fn noted(&self, _: &Context) -> u64 {
        self.notes.load(Ordering::Relaxed)
    }

    fn ready(&self, _: &Context, count: u64) -> impl Stream<Item = u64> + Send {
        stream::iter(0..count)
    }

    fn paced(&self, _: &Context, count: u64) -> impl Stream<Item = u64> + Send {
        load::paced(count)
    }
}

/// Starts the server on a free port.
pub(super) async fn serve() -> Outcome<Serving> {
    let transport = rpc_zmq::connect("zmq://?listen=127.0.0.1:0")
        .await
        .map_err(because("the transport can't be opened"))?;
    let server = Server::builder(transport.clone())
        .target(Target::new().server("bench"))
        .endpoint(LoadDispatcher::new(Idle::default()))
        .start()
        .await
        .map_err(|error| error.to_string())?;
    let port = transport
        .local_addr()
        .and_then(|address| address.rsplit_once(':')?.1.parse().ok())
        .ok_or("the server does not say where it listens")?;
    Ok(Serving::new(port, async move {
        server.wait().await;
        Err("the server has stopped by itself".into())
    }))
}
