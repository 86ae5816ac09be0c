//! [`rpc_core`] over ZeroMQ: MessagePack frames from host to host, with no broker.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let transport = rpc_zmq::connect("zmq://host-a:5555,host-b:5555").await?;
//! # Ok(()) }
//! ```
//!
//! # URLs
//!
//! | URL | meaning |
//! |---|---|
//! | `zmq://host:port[,host:port…]` | nodes over TCP; IPv6 addresses in brackets |
//! | `zmq+ipc:///path[,/path…]` | nodes over Unix domain sockets, on Unix |
//!
//! The hosts are those that clients connect to. A server listens where `listen` says, in the URL or on its builder; without it,
//! a URL of exactly one host is where it listens.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `listen=host:port` | where servers of this transport listen; port 0 is any free one | the URL's one host |
//! | `advertise=host:port` | what the node calls itself, in logs and errors of its clients | where it listens |
//! | `window=n` | how many requests one client may have in flight at this node | 1,024 |
//! | `window_bytes=n` | how many bytes of requests one client may have in flight at this node | 64 MiB |
//! | `unread_bytes=n` | how many bytes of answers may wait for a client that does not read them; with more, it is dropped | 64 MiB |
//! | `held_bytes=n` | how many bytes all clients together may make this node hold, in requests, in what is arriving and in answers that wait; one link has a third of it at most, one address half, and whoever holds little is let in always | 512 MiB |
//! | `max_message=n` | how many bytes a request or an answer may have, at least 65,536. The same at both ends: what is larger is refused by whoever sends it, and a peer that sends it all the same is dropped | 8 MiB |
//! | `heartbeat=n` | how many milliseconds nothing may be heard of a peer, and a write to it may take to get on, before it is given up; at least 100, or 0 for no limit. A peer that says nothing is asked for a sign of life well before that | 5,000 |
//! | `connections=n` | how many connections a node may have; further ones are closed at once | 4,096 |
//! | `peer_connections=n` | how many of these one address may have, or one `/64` of IPv6; all processes of the node's own machine are one | 2,048 |
//! | `handshakes=n` | how many connections one address may make in a second, and four times as many at once; the node's own machine is not limited | 256 |
//! | `engine=name` | `zmtp`, or with the feature `engine-zeromq` also `zeromq`: see below | `zmtp` |
//!
//! # Links
//!
//! A node has one listening socket for all its servers. A client has one link to each node, and dials again when one is lost,
//! with a delay of 50 ms that doubles up to 5 s, give or take a quarter, so that a fleet does not come back all at once. Links
//! are made when the first message is sent; nothing has to be up before that, and a server that is not up yet is waited for
//! within the deadline of the message. After a long outage it may take up to six seconds until a node is dialled again: a timeout
//! that is shorter can end before that.
//!
//! A link that is lost is noticed when the other end closes its connection, or when nothing was heard for the time of `heartbeat`: of a
//! host that is gone without a word, a cable that was pulled, a process that was stopped.
//!
//! # Security
//!
//! There is no authentication and no encryption yet: whoever can connect can call every method. Listen on the loopback interface or on
//! a network that you trust.
//!
//! A peer cannot stop a node, though. Whatever bytes it sends, only its own connection is closed; handshakes, messages, connections and
//! what the node holds are limited, for one link, for one address and for all together (the options above; the guide of `rpc_core`
//! has every limit, and the most memory that clients can take). A length that a peer announces is not reserved. What happens past a limit is
//! logged, and counted in [`TransportStats::clients_dropped`](rpc_core::transport::TransportStats::clients_dropped) and
//! [`requests_refused`](rpc_core::transport::TransportStats::requests_refused).
//!
//! # Engines
//!
//! The crate speaks ZMTP 3.1 and 3.0 itself, with the mechanism NULL, and interoperates with DEALER and ROUTER sockets of other
//! implementations. A peer of ZMTP 2.0 or older, one that asks for another mechanism, and one of another socket type are refused. An identity
//! that a peer sets is ignored. A peer of 3.0 cannot be asked for signs of life, so it may be silent for ever.
//!
//! With the feature `engine-zeromq`, `engine=zeromq` in a URL picks the `zeromq` crate instead, for comparison. It can be stopped by a
//! malicious peer, and has none of the options from `max_message` to `handshakes`.
//!
//! # Runtime
//!
//! I/O runs in tasks of the Tokio runtime in which the transport is used: two per link on either side, and one per node. Handlers
//! never run in them. They live as long as the runtime in which the first message was sent or the first server started: a transport
//! is for one runtime.
//!
//! # Ending
//!
//! When `Server::wait` returns, every answer has been written to its socket, and the clients know that the server is gone, unless one of them does not read.
//! `Transport::close` also closes each link in order: it says that nothing more comes, and waits up to a second for the other end to have read
//! everything. So the process may end right after it.

mod address;
mod backoff;
mod curve;
mod engine;
mod keyring;
mod links;

pub use curve::{ParseKeyError, PublicKey, SecretKey};

use address::Directory;
use engine::Engine;
use links::ZmqLinks;
use rpc_core::exchange::Exchange;
use rpc_core::transport::{OpenError, Scheme, TransportUrl};
use rpc_core::{Transport, Transports};

/// Opens a transport by URL. Waits for nobody: links are made when the first message is sent.
///
/// # Errors
///
/// When the URL can't be read.
pub async fn connect(url: &str) -> Result<Transport, OpenError> {
    Transports::new().with(scheme()).open(url).await
}

/// The URLs `zmq://` and `zmq+ipc://`, for [`Transports`].
///
/// ```
/// let transports = rpc_core::Transports::new().with(rpc_zmq::scheme());
/// ```
#[must_use]
pub const fn scheme() -> Scheme {
    Scheme::new(&["zmq", "zmq+ipc"], open)
}

fn open(url: &TransportUrl) -> Result<Transport, OpenError> {
    let known: Vec<_> = [
        "listen",
        "advertise",
        "window",
        "window_bytes",
        "unread_bytes",
        "held_bytes",
    ]
    .into_iter()
    .chain(Engine::option_names())
    .collect();
    url.only_options(&known)?;
    let links = ZmqLinks::new(Directory::parse(url)?, Engine::parse(url)?);
    Exchange::open(url, links)
}
