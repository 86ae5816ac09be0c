//! The seam between clients and servers on one side and what carries their messages on the other.
//!
//! Users see [`Transport`], a handle. Authors of transports implement [`Links`](crate::exchange::Links).

mod memory;
mod stats;
mod transports;
mod url;

pub(crate) use memory::local;
pub use memory::memory;
pub(crate) use stats::TransportCounters;
pub use stats::TransportStats;
pub use transports::{OpenError, Scheme, Transports};
pub use url::{ParseUrlError, TransportUrl};

use crate::args::{Args, Cap};
use crate::client::ClientMiddleware;
use crate::name::Name;
use crate::server::Service;
use crate::{
    ApiInfo, Context, Fanout, FanoutError, MethodInfo, MethodKind, RpcError, StartError, Target,
    Version,
};
use bytes::Bytes;
use futures_core::Stream;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task;
use std::time::Duration;
use tokio::time::Instant;

/// A boxed future, as the object-safe traits of this crate return it.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A message that a client sends: everything that a transport needs to know about it.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) parts: Parts,
    pub(crate) args: Args,
}

/// A message without its arguments.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) target: Arc<Target>,
    /// The method, and where it is looked for.
    pub(crate) method: Name,
    pub(crate) api: Spoken,
    /// What it is sent as: a call may be cast.
    pub(crate) kind: MethodKind,
    /// The version that it is sent in, unless the server that it goes to needs a lower one.
    pub(crate) version: Version,
    /// The highest version that it may be sent in.
    pub(crate) cap: Option<Cap>,
    /// The lowest version that it may be sent in.
    pub(crate) floor: Option<Version>,
    pub(crate) context: Context,
    /// When it was sent by its client.
    pub(crate) sent: Instant,
    /// By when the opening is to be answered.
    pub(crate) deadline: Instant,
    /// How long it may take, each time that it is sent.
    pub(crate) timeout: Duration,
    /// How long a call waits without a heartbeat.
    pub(crate) monitor: Option<Duration>,
    /// What is known of the method, unless its name is all.
    pub(crate) info: Option<(&'static ApiInfo, &'static MethodInfo)>,
    /// How long somebody is looked for who takes it, within the deadline.
    pub(crate) patience: Patience,
}

/// What a client speaks: a namespace, and the end of each major version in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spoken {
    pub(crate) namespace: Option<Name>,
    pub(crate) newest: Version,
    /// The end of an older major.
    pub(crate) also: Option<Version>,
}

impl Spoken {
    /// What an API speaks, perhaps in another namespace than its own.
    pub(crate) fn of(api: &ApiInfo, namespace: Option<&Arc<str>>) -> Self {
        let given = namespace.map(|namespace| Name::Given(Arc::clone(namespace)));
        Self {
            namespace: given.or_else(|| api.namespace().map(Name::Written)),
            newest: api.version(),
            also: api.also(),
        }
    }

    pub(crate) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// The end of each major version, the newest first.
    pub(crate) fn ends(&self) -> impl Iterator<Item = Version> + use<> {
        std::iter::once(self.newest).chain(self.also)
    }
}

/// How long somebody is looked for who takes a message, while nobody does.
///
/// A round is over when each node that is not linked has been dialled again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Patience {
    #[default]
    UntilDeadline,
    /// One round, and so many more at most.
    Rounds(u32),
    /// Each node counts that has ever been dialled.
    Mandatory,
}

/// A time that never comes, for a timeout that the clock can't say: thirty years.
pub(crate) const FAR: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 30);

impl Parts {
    /// When something that begins now has to end: after its timeout, and not after the deadline that its context brings.
    pub(crate) fn deadline(now: Instant, timeout: Duration, context: &Context) -> Instant {
        let own = now.checked_add(timeout).unwrap_or_else(|| now + FAR);
        context
            .deadline()
            .map_or(own, |inherited| inherited.min(own))
    }

    /// The same message, to be sent again now.
    pub(crate) fn renewed(self) -> Self {
        let now = Instant::now();
        Self {
            sent: now,
            deadline: Self::deadline(now, self.timeout, &self.context),
            ..self
        }
    }

    /// Whether a server that is stopping may take it in. If only the name is known, the server knows.
    pub(crate) fn is_of_drain(&self) -> bool {
        self.info.is_none_or(|(_, method)| method.is_during_drain())
    }

    /// The time that is left, as it travels. A stream is limited only by its context.
    pub(crate) fn remaining(&self) -> Option<Duration> {
        match self.kind {
            MethodKind::Multicall => self.context.remaining(),
            _ => Some(self.deadline.saturating_duration_since(Instant::now())),
        }
    }
}

/// A call's answer, not decoded yet.
#[derive(Debug)]
pub(crate) enum Response {
    /// The value, and the version that the call was sent in.
    Value(Version, Bytes),
    /// The method's own error.
    MethodError(Bytes),
}

/// The items of a multicall, as a transport delivers them.
pub(crate) trait Items: Send {
    /// The next items; `Err` when the stream has ended.
    fn poll_batch(
        &mut self,
        cx: &mut task::Context<'_>,
    ) -> task::Poll<Result<crate::exchange::Batch, crate::exchange::End>>;

    /// The consumer has read these: as many more may be sent.
    fn consumed(&mut self, items: u64, bytes: u64);

    /// How many items have arrived.
    fn arrived(&self) -> u64;
}

/// A stream of items that a server has accepted to send.
pub(crate) struct ItemStream(pub(crate) Box<dyn Items>);

impl fmt::Debug for ItemStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ItemStream")
    }
}

/// The answers to a gather, each with the name of the server that it is from; or with an address that was not reached.
pub(crate) type Gathering =
    Pin<Box<dyn Stream<Item = (String, Result<Response, RpcError>)> + Send>>;

/// The servers of a topic, as they announced themselves.
#[derive(Debug)]
pub(crate) struct Survey {
    /// Those that are not stopping.
    pub(crate) servers: Vec<Surveyed>,
    /// The addresses of nodes that were not reached, and why.
    pub(crate) unreached: Vec<(String, String)>,
    /// Why there may be no server, in words.
    pub(crate) absence: String,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Surveyed {
    /// Its name and address, fit to be shown.
    pub(crate) name: String,
    /// The end of each major version of each namespace that it speaks.
    pub(crate) versions: Vec<(Option<String>, Version)>,
}

/// What carries messages: the seam that a transport implements.
///
/// The futures that it returns hold what they need of the transport. Dropping one cancels what it waits for.
pub(crate) trait Driver: Send + Sync + 'static {
    /// Sends a message to one server and waits for its one reply.
    fn call(&self, message: Message) -> BoxFuture<Result<Response, RpcError>>;

    /// Sends a message to one server and waits until it is accepted.
    fn cast(&self, message: Message) -> BoxFuture<Result<(), RpcError>>;

    /// Sends a message to every server of the topic and waits until all have accepted it.
    fn fanout(&self, message: Message) -> BoxFuture<Result<Fanout, FanoutError>>;

    /// Sends a call to every server of the topic.
    fn gather(&self, message: Message) -> Gathering;

    /// Sends a message to one server and waits until it has accepted to send a stream.
    fn multicall(&self, message: Message) -> BoxFuture<Result<ItemStream, RpcError>>;

    /// Looks which servers of a topic there are, once every node has announced itself or could not be reached, or the time is
    /// over.
    fn survey(&self, target: Arc<Target>, deadline: Instant) -> BoxFuture<Survey>;

    /// Waits until a server of the target speaks one of these versions.
    fn ready(
        &self,
        target: Arc<Target>,
        sought: Spoken,
        deadline: Instant,
    ) -> BoxFuture<Result<(), RpcError>>;

    /// Makes a server reachable. `listen` is where, if the server says so.
    fn listen(
        &self,
        service: Arc<Service>,
        listen: Option<String>,
    ) -> BoxFuture<Result<(), StartError>>;

    /// A server is gone.
    fn unlisten(&self, service: &Arc<Service>);

    /// What a server announces has changed.
    fn announce(&self);

    /// Where the transport listens.
    fn local_addr(&self) -> Option<String>;

    /// Counters, since the transport was opened.
    fn stats(&self) -> TransportStats;

    /// Waits until what was sent has been written, for `limit` at most.
    fn flush(&self, limit: Duration) -> BoxFuture<()>;

    /// Flushes what was sent, for `limit` at most, and closes every link.
    fn close(&self, limit: Duration) -> BoxFuture<()>;
}

/// A handle to what carries messages: cheap to clone, shared by clients and servers.
///
/// Get one from a transport's crate (`rpc_zmq::connect`), from [`memory`], or from [`Transports`] for a URL that is known
/// only at run time. When the last handle is dropped, with the clients and servers that hold one, its links are closed.
#[derive(Clone)]
pub struct Transport(
    pub(crate) Arc<dyn Driver>,
    /// What its clients begin with. A clone allocates nothing.
    pub(crate) Option<Arc<Vec<Arc<dyn ClientMiddleware>>>>,
);

impl Transport {
    /// Makes a transport of a driver.
    pub(crate) fn from_driver(driver: impl Driver) -> Self {
        Self(Arc::new(driver), None)
    }

    /// The same transport, whose clients send through a middleware: those that are made with what this returns. It is inside of
    /// those that are there already, and outside of the [clients' own](crate::CallOptions::middleware).
    ///
    /// ```
    /// # use rpc_core::{RpcError, transport};
    /// # use rpc_core::middleware::{Answered, ClientMiddleware, Next, Outgoing, async_trait};
    /// # struct Token(&'static str);
    /// # #[async_trait]
    /// # impl ClientMiddleware for Token {
    /// #     async fn send(&self, mut message: Outgoing, next: Next<'_>) -> Result<Answered, RpcError> {
    /// #         message.context_mut().insert("token", self.0);
    /// #         next.send(message).await
    /// #     }
    /// # }
    /// let transport = transport::memory("doc-middleware").middleware(Token("7f"));
    /// ```
    #[must_use]
    pub fn middleware(mut self, middleware: impl ClientMiddleware) -> Self {
        Arc::make_mut(self.1.get_or_insert_default()).push(Arc::new(middleware));
        self
    }

    /// Where the transport listens, in the form that URLs have it: `127.0.0.1:5555`, or a path. `None` until a server has
    /// been started on it, and for transports that do not listen.
    #[must_use]
    pub fn local_addr(&self) -> Option<String> {
        self.0.local_addr()
    }

    /// Counters, since the transport was opened.
    #[must_use]
    pub fn stats(&self) -> TransportStats {
        self.0.stats()
    }

    /// Flushes what was sent, for `limit` at most, and closes every link for good. Calls that wait for a reply fail with
    /// [`PeerLost`](crate::ErrorKind::PeerLost), and those that were not written with
    /// [`Undeliverable`](crate::ErrorKind::Undeliverable), as does everything that is sent later.
    ///
    /// Cancel safe: closing goes on when it is called again.
    pub async fn close(&self, limit: Duration) {
        self.0.close(limit).await;
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("local_addr", &self.local_addr())
            .finish_non_exhaustive()
    }
}
