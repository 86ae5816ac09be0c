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
//!
//! # Links
//!
//! A node has one listening socket for all its servers. A client has one link to each node, and dials again when one is lost,
//! with a delay of 50 ms that doubles up to 5 s, give or take a quarter, so that a fleet does not come back all at once. Links
//! are made when the first message is sent; nothing has to be up before that, and a server that is not up yet is waited for
//! within the deadline of the message. After a long outage it may take up to six seconds until a node is dialled again: a timeout
//! that is shorter can end before that.
//!
//! # Security
//!
//! There is no authentication and no encryption yet, and the socket implementation that is used, the `zeromq` crate, can be
//! stopped by a malicious peer: a frame header of 73 bytes that claims an absurd length makes it abort the process. Listen on
//! the loopback interface or on a network that you trust.
//!
//! # Runtime
//!
//! I/O runs in tasks of the Tokio runtime in which the transport is used: two per link on the client's side, one per node and
//! one per link on the server's. Handlers never run in them. They live as long as the runtime in which the first message was sent or
//! the first server started: a transport is for one runtime.
//!
//! # Ending
//!
//! `Server::wait` and `Transport::close` wait until every frame has been handed to the `zeromq` crate, and 20 ms more: the crate does not say
//! when it has written what it has. A reply of many megabytes can be lost if the process ends right after it.

mod address;
mod backoff;
mod curve;
mod directory;
mod engine;
mod keyring;
mod links;
mod tasks;

pub use curve::{ParseKeyError, PublicKey, SecretKey};

use directory::Directory;
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

/// The URLs `zmq://`, `zmq+ipc://`, `zmq+dns://` and `zmq+redis://`, for [`Transports`].
///
/// ```
/// let transports = rpc_core::Transports::new().with(rpc_zmq::scheme());
/// ```
#[must_use]
pub const fn scheme() -> Scheme {
    Scheme::new(&["zmq", "zmq+ipc", "zmq+dns", "zmq+redis"], open)
}

fn open(url: &TransportUrl) -> Result<Transport, OpenError> {
    let common = ["listen", "advertise", "window", "window_bytes"];
    url.only_options(&[&common, directory::options(url.scheme())].concat())?;
    Exchange::open(url, ZmqLinks::new(Directory::parse(url)?))
}
