//! Serving: what a server is, from `start` to `wait`.

mod access;
mod builder;
mod dispatcher;
mod endpoint;
mod gate;
mod handler;
mod limits;
mod middleware;
mod panics;
mod queue;
mod runner;
mod service;
mod stats;

pub(crate) use access::Access;
pub use access::{AccessPolicy, AllMethods, OnlyMethods, PublicMethods};
pub use builder::{ServerBuilder, StartError};
pub(crate) use endpoint::{Ending, Failure, Responder};
pub use endpoint::{Endpoint, Incoming, ItemSink, Reply, Running, encoder, older_answer};
pub use gate::Stopped;
pub use middleware::{End, Ended, Handler, Received, ServerMiddleware};
pub(crate) use service::Service;
pub(crate) use service::{Arrived, Begins};
pub use stats::ServerStats;

use crate::Transport;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A running server: one presence on a topic, with endpoints behind it.
///
/// It is running when you have it, and is not restarted: build another one. Clones are handles to the same server; when the
/// last one is dropped, the server stops taking requests, and what it has accepted runs on; its answers leave as long as somebody
/// holds the transport.
///
/// ```
/// # use rpc_core::{Context, Server, Target, rpc_api, transport};
/// #[rpc_api(version = "1.0")]
/// trait Greeter {
///     async fn greet(&self, ctx: &Context, name: &str) -> String;
/// }
///
/// struct Polite;
///
/// impl Greeter for Polite {
///     async fn greet(&self, _: &Context, name: &str) -> String {
///         format!("Good day, {name}.")
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let transport = transport::memory("doc-server");
/// let server = Server::builder(transport.clone())
///     .target(Target::new().server("node-1"))
///     .endpoint(GreeterDispatcher::new(Polite))
///     .start()
///     .await?;
/// let client = GreeterClient::new(transport);
/// assert_eq!(client.greet(&Context::new(), "Ada").await?, "Good day, Ada.");
///
/// server.stop().await; // refuses what is new
/// let stopped = server.wait().await; // runs what it had accepted
/// assert_eq!(stopped.finished, 1);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Server(Arc<Handle>);

struct Handle {
    service: Arc<Service>,
    transport: Transport,
}

/// How long the last answers may take to be written: a client that does not read keeps nobody from stopping.
const FLUSH: Duration = Duration::from_secs(1);

/// How long handlers may take to be dropped.
const CUT_OFF: Duration = Duration::from_millis(500);

impl Server {
    /// A server on this transport, to be configured and started.
    pub fn builder(transport: Transport) -> ServerBuilder {
        ServerBuilder::new(transport)
    }

    fn new(service: Arc<Service>, transport: Transport) -> Self {
        Self(Arc::new(Handle { service, transport }))
    }

    /// Stops taking requests: new ones are refused as [`Unavailable`](crate::ErrorKind::Unavailable), but for methods that are
    /// `during_drain`, and clients are told that this server is draining. What was accepted still runs; [`wait`](Self::wait) waits
    /// for that.
    ///
    /// Idempotent, from any clone, before or after `wait`.
    #[expect(
        clippy::unused_async,
        reason = "transports to come have to tell a broker"
    )]
    pub async fn stop(&self) {
        self.0.stop();
    }

    /// Waits until the server has been stopped, nothing runs any more, and the answers have been written.
    ///
    /// Without `stop` it waits for somebody to call that. Once only methods that are `during_drain` are left, it takes in no more of
    /// these, so that it ends. Idempotent. Cancel safe.
    pub async fn wait(&self) -> Stopped {
        self.0.service.idle().await;
        self.ended(FLUSH).await
    }

    /// Like [`wait`](Self::wait), for `limit` at most. Then the handlers that still run are dropped at their next await, and
    /// what still waited in the queue is not run; the callers get [`PeerLost`](crate::ErrorKind::PeerLost) and
    /// [`Unavailable`](crate::ErrorKind::Unavailable). A handler that blocks its thread cannot be dropped: it can only see that
    /// its context is [cancelled](crate::Context::is_cancelled). If it does not end by itself, it counts as cut off, and is not
    /// waited for.
    pub async fn wait_at_most(&self, limit: Duration) -> Stopped {
        let service = &self.0.service;
        if tokio::time::timeout(limit, service.idle()).await.is_err() {
            self.0.stop();
            service.cut_off();
            let _ = tokio::time::timeout(CUT_OFF, service.idle()).await;
        }
        self.ended(FLUSH).await
    }

    async fn ended(&self, limit: Duration) -> Stopped {
        let driver = &self.0.transport.0;
        driver.unlisten(&self.0.service);
        driver.flush(limit).await;
        self.0.service.stopped()
    }

    /// Counters, since the server was started.
    #[must_use]
    pub fn stats(&self) -> ServerStats {
        self.0.service.stats()
    }
}

impl Handle {
    fn stop(&self) {
        if self.service.stop() {
            self.transport.0.announce();
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.service.stop();
        self.transport.0.unlisten(&self.service);
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.0.service).finish()
    }
}
