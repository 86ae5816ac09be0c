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
//! | `max_message=n` | how many bytes a request or an answer may have, at least 65,536. The same at both ends: what is larger is refused by whoever sends it, and a peer that sends it all the same is dropped | 8 MiB |
//! | `heartbeat=n` | how many milliseconds nothing may be heard of a peer, and a write to it may take to get on, before it is given up; at least 100, or 0 for no limit. A peer that says nothing is asked for a sign of life well before that | 5,000 |
//! | `connections=n` | how many connections a node may have; further ones are closed at once | 4,096 |
//! | `key=file` | the secret key of this process: links prove who is at both ends, and are encrypted. See Security | none |
//! | `peers=file` | with `key`: the list of the others' public keys, and what each may do | none |
//! | `auth=none` | a node without keys may listen where other machines can connect, and whoever does may call everything | `start` fails there |
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
//! Without keys, a node listens on the loopback interface and on Unix sockets: `start` fails on an address that other machines can reach.
//! Keys change that: `rpc-zmq-keygen` makes them, `key` and `peers` in the URL name the files.
//!
//! ```text
//! zmq://?listen=0.0.0.0:5555&key=/etc/rpc/node.key&peers=/etc/rpc/peers.toml      a node
//! zmq://host-a:5555?key=/etc/rpc/scheduler.key&peers=/etc/rpc/peers.toml          a client
//! ```
//!
//! ```toml
//! # peers.toml
//! [[node]]
//! key = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
//! topics = ["compute"]
//!
//! [[client]]
//! name = "scheduler"
//! key = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
//! topics = ["compute", "image.*"]
//! ```
//!
//! Then both ends of a link prove that they have a key that the other one lists (CURVE of ZeroMQ, RFCs 25 and 26), and everything on it is encrypted. A
//! client sees and reaches the topics of its entry only, and of a node only the servers that its entry allows are called. The
//! list is read again when it changes: a key that is removed loses its links within two seconds. A handler finds the key of whoever asks, and its name,
//! in [`Context::peer`](rpc_core::Context::peer). A node with keys refuses peers without, and the other way round. `docs/security.md` has the steps for a
//! fleet, all fields of the list, how keys are replaced, and what this does not protect against.
//!
//! A peer cannot stop a node. Whatever bytes it sends, only its own connection is closed; handshakes, messages, connections and
//! what waits to be read are limited (the options above, and `docs/zeromq-engine.md` for the rest), and a length that it announces is
//! not reserved. What happens past a limit is logged, and counted in
//! [`TransportStats::clients_dropped`](rpc_core::transport::TransportStats::clients_dropped).
//!
//! # Engines
//!
//! The crate speaks ZMTP 3.1 and 3.0 itself, with the mechanisms NULL and CURVE, and interoperates with DEALER and ROUTER sockets of other
//! implementations. A peer of ZMTP 2.0 or older, one that asks for another mechanism than the URL's, and one of another socket type are refused. An identity
//! that a peer sets is ignored. A peer of 3.0 cannot be asked for signs of life, so it may be silent for ever.
//!
//! With the feature `engine-zeromq`, `engine=zeromq` in a URL picks the `zeromq` crate instead, for comparison. It can be stopped by a
//! malicious peer, and has none of the options `max_message`, `heartbeat`, `connections`, `key` and `peers`.
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
mod security;

pub use curve::{ParseKeyError, PublicKey, SecretKey};

use address::Directory;
use engine::Engine;
use links::ZmqLinks;
use rpc_core::exchange::Exchange;
use rpc_core::transport::{OpenError, Scheme, TransportUrl};
use rpc_core::{Transport, Transports};
use security::Security;

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
    ]
    .into_iter()
    .chain(Security::NAMES)
    .chain(Engine::option_names())
    .collect();
    url.only_options(&known)?;
    let security = Security::parse(url)?;
    let engine = Engine::parse(url, &security)?;
    let links = ZmqLinks::new(Directory::parse(url)?, engine, security);
    Exchange::open(url, links)
}
