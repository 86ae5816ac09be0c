//! The API that is measured, and its server.

use super::keys::Keys;
use super::servers::{SERVERS, server_name};
use crate::process::Serving;
use crate::side::Work;
use crate::{Outcome, because, load};
use bytes::Bytes;
use futures_util::stream;
use rpc_core::{Context, Server, Stream, Target, rpc_api};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::task::JoinSet;

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

/// Starts a server on a free port, or very many of them.
pub(super) async fn serve(work: Work) -> Outcome<Serving> {
    let count = if work == Work::Many { SERVERS } else { 1 };
    let (mut ports, mut servers) = (Vec::new(), JoinSet::new());
    for number in 0..count {
        let (server, port) = start(&server_name(number), "").await?;
        ports.push(port);
        servers.spawn(async move { server.wait().await });
    }
    Ok(Serving::new(ports, async move {
        servers.join_next().await;
        Err("a server has stopped by itself".into())
    }))
}

/// Starts a server on a free port that asks for keys.
pub(super) async fn serve_with_keys(work: Work) -> Outcome<Serving> {
    if work == Work::Many {
        return Err("this side has one server".into());
    }
    let keys = Keys::make()?;
    let (server, port) = start(&server_name(0), &keys.of_server()).await?;
    Ok(Serving::new([port], async move {
        server.wait().await;
        drop(keys);
        Err("the server has stopped by itself".into())
    }))
}

/// A node of its own, whose URL has these options.
async fn start(name: &str, options: &str) -> Outcome<(Server, u16)> {
    let transport = rpc_zmq::connect(&format!("zmq://?listen=127.0.0.1:0&{options}"))
        .await
        .map_err(because("the transport can't be opened"))?;
    let server = Server::builder(transport.clone())
        .target(Target::new().server(name))
        .endpoint(LoadDispatcher::new(Idle::default()))
        .start()
        .await
        .map_err(|error| error.to_string())?;
    let port = transport
        .local_addr()
        .and_then(|address| address.rsplit_once(':')?.1.parse().ok())
        .ok_or("the server does not say where it listens")?;
    Ok((server, port))
}
