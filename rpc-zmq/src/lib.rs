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
//! | `zmq+dns://name:port` | the nodes at all addresses of a name (A and AAAA records), each with this port |
//! | `zmq+dns://_service._tcp.name` | the nodes that the SRV records of a service name; priorities and weights are not heeded |
//! | `zmq+redis://[user:password@]host[:6379][/0]` | nodes that register themselves in Redis |
//!
//! The hosts of a list are those that clients connect to. A server listens where `listen` says, in the URL or on its builder; without
//! it, a list of exactly one host is where it listens.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `listen=host:port` | where servers of this transport listen; port 0 is any free one | the URL's one host |
//! | `advertise=host:port` | what the node calls itself, in logs and errors of its clients; with Redis, where clients find it | where it listens |
//! | `window=n` | how many requests one client may have in flight at this node | 1,024 |
//! | `window_bytes=n` | how many bytes of requests one client may have in flight at this node | 64 MiB |
//! | `unread_bytes=n` | how many bytes of answers may wait for a client that does not read them; with more, it is dropped | 64 MiB |
//! | `held_bytes=n` | how many bytes all clients together may make this node hold, in requests, in what is arriving and in answers that wait; one link has a third of it at most, one address half, and whoever holds little is let in always; at least 1 MiB | 512 MiB |
//! | `max_message=n` | how many bytes a request or an answer may have, at least 65,536. The same at both ends: what is larger is refused by whoever sends it, and a peer that sends it all the same is dropped | 8 MiB |
//! | `heartbeat=n` | how many milliseconds nothing may be heard of a peer, and a write to it may take to get on, before it is given up, which is done after three quarters of it at the earliest; at least 100, or 0 for no limit. A peer that says nothing is asked for a sign of life well before that | 5,000 |
//! | `connections=n` | how many connections a node may have; further ones are closed at once | 4,096 |
//! | `peer_connections=n` | how many of these one address may have, or one `/64` of IPv6; all processes of the node's own machine are one | 2,048 |
//! | `handshakes=n` | how many connections one address may make in a second, and four times as many at once; the node's own machine is not limited | 256 |
//! | `key=file` | the secret key of this process: links prove who is at both ends, and are encrypted. See Security | none |
//! | `peers=file` | with `key`: the list of the others' public keys, and what each may do | none |
//! | `auth=none` | a node without keys may listen where other machines can connect, and whoever does may call everything | `start` fails there |
//! | `idle=n` | for how many milliseconds a client keeps a link that is of no use, at least 100, or 0 for ever: see below | 600,000 |
//! | `engine=name` | `zmtp`, or with the feature `engine-zeromq` also `zeromq`: see below | `zmtp` |
//! | `resolver=ip:port` | DNS: who is asked | the system's resolvers |
//! | `lease=n` | Redis: how many milliseconds a node is believed to live after it said so, 1,000 to 3,600,000; it says so three times in that time | 15,000 |
//! | `poll=n` | Redis: after how many milliseconds a client asks for changes again, 50 to 60,000, give or take a quarter | 1,000 |
//!
//! # Directories
//!
//! A list is complete. DNS and Redis are asked again and again, and what they say only adds: a new address is dialled, and a link ends
//! when its connection does, whatever the directory says by then. An address whose link is lost is dialled again until an answer of the
//! directory does not list it. So a directory that is slow, down, empty after a restart or wrong stops nothing that works. One that is
//! down when the first message is sent is waited for within the deadline of the message, and the error says what is wrong with it.
//! That it fails is logged when it begins (`rpc.directory.failed`), for another reason once a minute at most, and once when it answers again
//! (`rpc.directory.recovered`).
//!
//! - **DNS** is asked again when the TTL has passed (1 s at least, 30 s at most, give or take a quarter), and at once when a link is lost. Each
//!   address is a node, so a headless service of Kubernetes is a directory. A name with both kinds of records for one host is one
//!   node: the second link to an instance is closed.
//! - **Redis** is told by each node where it is and what it serves, under a lease that the node renews. A server that has stopped, and
//!   whose [`wait`](rpc_core::Server::wait) has ended, is not found any more; what was killed is found until its lease ends. A client links only to the
//!   nodes of the topics that it uses, when it uses one first; it asks for a topic until nothing was sent to it for ten minutes. Nodes
//!   need an address that clients can reach: with `listen=0.0.0.0:5555`, `advertise` is needed. The password, if it has special characters, is
//!   written with `%` and two hexadecimal digits each. There is no TLS to Redis. What is kept there is written down in
//!   `docs/redis-directory.md`. Who can write to it decides whom clients dial: give it a password, and a network of its own.
//!
//! Only a node itself knows what it serves, so a client of a list or a name links to all its nodes at first, 64 at a time, so that a large
//! one is dialled in turns. With Redis it knows beforehand which are needed.
//!
//! # Links of no use
//!
//! A link costs its two sides some kilobytes, and a heartbeat when nothing else is sent. One is of use while something is in flight on it,
//! or while messages are sent to a topic that its node serves. When it was not for ten minutes (`idle`), it is closed, and the node
//! rests. Nobody need know:
//!
//! - Whoever needs everybody has everybody: a fanout, a gather, a survey, `ready`, a message that finds nobody, and the first message to a topic
//!   after a long time. All nodes that rest are dialled at once then, and waited for as any other; they are kept for `idle` again.
//! - A node that rests is dialled every minute (or `idle`, if that is shorter; give or take a quarter), and linked as long as that takes. If it
//!   has got a server that is of use, it keeps its link. So a server that starts on such a node gets its turn after 75 seconds at
//!   most, while others serve its topic; when there are none, it is found at once.
//!
//! It is no loss: nothing was in flight, and [`links_lost`](rpc_core::TransportStats::links_lost) does not count it.
//!
//! # Links
//!
//! A node has one listening socket for all its servers. A client has one link to each node, and dials again when one is lost: at once when the
//! directory says that the node is back, otherwise with a delay of 50 ms that doubles up to 5 s, give or take a quarter, so that a fleet does not
//! come back all at once. Links are made when the first message is sent; nothing has to be up before that, and a server that is not up yet is waited for
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
//! what the node holds are limited, for one link, for one address and for all together (the options above; the guide of `rpc_core`
//! has every limit, and the most memory that clients can take). A length that a peer announces is not reserved. What happens past a limit is
//! logged, and counted in [`TransportStats::clients_dropped`](rpc_core::transport::TransportStats::clients_dropped) and
//! [`requests_refused`](rpc_core::transport::TransportStats::requests_refused).
//!
//! # Engines
//!
//! The crate speaks ZMTP 3.1 and 3.0 itself, with the mechanisms NULL and CURVE, and interoperates with DEALER and ROUTER sockets of other
//! implementations. A peer of ZMTP 2.0 or older, one that asks for another mechanism than the URL's, and one of another socket type are refused. An identity
//! that a peer sets is ignored. A peer of 3.0 cannot be asked for signs of life, so it may be silent for ever.
//!
//! With the feature `engine-zeromq`, `engine=zeromq` in a URL picks the `zeromq` crate instead, for comparison. It can be stopped by a
//! malicious peer, and has none of the options from `max_message` to `handshakes`, nor `key` and `peers`.
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
//! `Transport::close(Duration::from_secs(1))` also closes each link in order: it waits as long as it is told, at most, until what was sent is written, then
//! it says that nothing more comes, and waits up to another second for the other end to have read everything. So the process may end right after it.

mod address;
mod backoff;
mod curve;
mod directory;
mod engine;
mod keyring;
mod links;
mod security;
mod tasks;

pub use curve::{ParseKeyError, PublicKey, SecretKey};
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub use engine::fuzzing;

use directory::Directory;
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
    let known: Vec<_> = [
        "listen",
        "advertise",
        "window",
        "window_bytes",
        "unread_bytes",
        "idle",
        "held_bytes",
    ]
    .into_iter()
    .chain(Security::NAMES)
    .chain(directory::options(url.scheme()).iter().copied())
    .chain(Engine::option_names())
    .collect();
    url.only_options(&known)?;
    let security = Security::parse(url)?;
    let engine = Engine::parse(url, &security)?;
    let links = ZmqLinks::new(Directory::parse(url)?, engine, security);
    Exchange::open(url, links)
}
