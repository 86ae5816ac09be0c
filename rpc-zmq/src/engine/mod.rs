//! The seam between this crate and an implementation of ZeroMQ: everything that touches a socket.
//!
//! An engine connects to a node and listens for clients. What it gets is one end of each link ([`End`]): it hands in the
//! frames that arrive, and asks for those that are to be written. So a message crosses one task on its way from the socket, and
//! one on its way there.
//!
//! - [`zmtp`] is the engine of this crate.
//! - `zeromq` is the `zeromq` crate, behind the feature `engine-zeromq`.

#[cfg(feature = "engine-zeromq")]
mod zeromq;
mod zmtp;

#[cfg(feature = "fuzzing")]
pub use zmtp::fuzzing;

use crate::address::Address;
use crate::keyring::Holder;
use crate::security::Security;
use bytes::Bytes;
use rpc_core::Peer;
use rpc_core::exchange::{Account, ClientLink, Inbound, NodeId, Outbound, Rights, ServerLink};
use rpc_core::transport::{ParseUrlError, TransportUrl};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// One end of a link, as an engine sees it.
pub(crate) trait End: Send + Sync + 'static {
    /// Takes frames that arrived together, and leaves the vector empty.
    fn receive(&self, frames: &mut Vec<Bytes>);

    /// So many bytes of memory are taken by a message that has not arrived as a whole. `false` if that is too much: the connection is
    /// closed then.
    fn arriving(&self, bytes: usize) -> bool;

    /// Waits for frames that are to be written, and adds up to `most` of them. `false` once the link is closed; whoever asks for more
    /// has written what it took. Cancel safe.
    fn next_frames(&self, batch: &mut Vec<Bytes>, most: usize)
    -> impl Future<Output = bool> + Send;

    /// Waits until the peer is given up for what it does not read: what is being written then is of no use.
    fn given_up(&self) -> impl Future<Output = ()> + Send;
}

/// A client's end of a link.
pub(crate) struct ToNode {
    pub(crate) outbound: Arc<Outbound>,
    pub(crate) node: NodeId,
    pub(crate) link: Arc<ClientLink>,
}

impl End for ToNode {
    fn receive(&self, frames: &mut Vec<Bytes>) {
        self.outbound
            .receive(self.node, &self.link, frames.drain(..));
    }

    // a node is one that was chosen, and there are as many as the directory says
    fn arriving(&self, _: usize) -> bool {
        true
    }

    async fn next_frames(&self, batch: &mut Vec<Bytes>, most: usize) -> bool {
        self.link.next_frames(batch, most).await
    }

    // how much waits for a node is bounded by what it lets in
    async fn given_up(&self) {
        std::future::pending::<()>().await;
    }
}

/// A node's end of a link.
pub(crate) struct ToClient {
    inbound: Arc<Inbound>,
    link: Arc<ServerLink>,
}

impl End for ToClient {
    fn receive(&self, frames: &mut Vec<Bytes>) {
        self.inbound.receive(&self.link, frames.drain(..));
    }

    fn arriving(&self, bytes: usize) -> bool {
        self.link.arriving(bytes)
    }

    async fn next_frames(&self, batch: &mut Vec<Bytes>, most: usize) -> bool {
        self.link.next_frames(batch, most).await
    }

    async fn given_up(&self) {
        self.link.given_up().await;
    }
}

/// A client that is linked. The link is down when this is dropped.
pub(crate) struct Client(Arc<ToClient>);

impl Client {
    /// Its account is that of all links of the same peer.
    pub(crate) fn new(
        inbound: &Arc<Inbound>,
        peer: Peer,
        holder: Option<Arc<Holder>>,
        account: Arc<Account>,
    ) -> Self {
        let rights = holder.map(|holder| holder as _);
        Self(Arc::new(ToClient {
            inbound: Arc::clone(inbound),
            link: inbound.link_up_of(peer, rights, account),
        }))
    }

    pub(crate) fn end(&self) -> Arc<ToClient> {
        Arc::clone(&self.0)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.0.inbound.link_down(&self.0.link);
    }
}

/// Why a connection ended.
pub(crate) enum Ended {
    /// The peer closed it, or the network did.
    Closed(String),
    /// The peer broke a rule, or does not live.
    Dropped(String),
    /// The peer did not say in time who it is.
    Silent,
    /// This side closed the link. The peer has not read everything yet, perhaps.
    Shut(zmtp::Unread),
}

impl Ended {
    pub(crate) fn reason(&self) -> &str {
        match self {
            Self::Closed(reason) | Self::Dropped(reason) => reason,
            Self::Silent => "it did not finish the handshake in time",
            Self::Shut(_) => "the link was closed",
        }
    }

    /// Gives the peer time to read what was written last. The link is down by then.
    pub(crate) async fn linger(self) {
        if let Self::Shut(unread) = self {
            unread.linger().await;
        }
    }
}

/// Why there is no connection to a node.
#[derive(Debug)]
pub(crate) enum NoLink {
    /// It could not be reached.
    Unreached(String),
    /// It could, and one of the two refuses the other.
    Refused(String),
}

/// Tells the tasks of a transport that it is closed.
#[derive(Clone, Debug)]
pub(crate) struct Closing(Arc<Closed>);

/// Closes a transport, at the latest when it is dropped.
#[derive(Debug)]
pub(crate) struct Close(Arc<Closed>);

/// A channel of tokio would do the same, in several times the memory.
#[derive(Debug, Default)]
struct Closed {
    is_closed: AtomicBool,
    told: Notify,
}

impl Closing {
    pub(crate) fn new() -> (Close, Self) {
        let closed: Arc<Closed> = Arc::default();
        (Close(Arc::clone(&closed)), Self(closed))
    }

    /// Waits until the transport is closed.
    pub(crate) async fn wait(&self) {
        // whoever closes it from here on tells this one
        let told = self.0.told.notified();
        if !self.0.is_closed.load(Ordering::Acquire) {
            told.await;
        }
    }
}

impl Close {
    pub(crate) fn close(&self) {
        self.0.is_closed.store(true, Ordering::Release);
        self.0.told.notify_waiters();
    }
}

impl Drop for Close {
    fn drop(&mut self) {
        self.close();
    }
}

/// A task that does not outlive whoever started it.
pub(crate) struct AbortOnDrop<T>(pub(crate) tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Which engine, and what a URL says of it.
#[derive(Clone, Debug)]
pub(crate) enum Engine {
    Zmtp(zmtp::Options),
    #[cfg(feature = "engine-zeromq")]
    Zeromq,
}

/// A connection to a node.
pub(crate) enum Connection {
    Zmtp(Box<zmtp::Connection>),
    #[cfg(feature = "engine-zeromq")]
    Zeromq(zeromq::Connection),
}

/// A socket that listens.
pub(crate) enum Listener {
    Zmtp(zmtp::Listener),
    #[cfg(feature = "engine-zeromq")]
    Zeromq(zeromq::Listener),
}

impl Engine {
    /// The options of URLs that are for engines.
    pub(crate) fn option_names() -> impl Iterator<Item = &'static str> {
        zmtp::Options::NAMES.into_iter().chain(["engine"])
    }

    pub(crate) fn parse(url: &TransportUrl, security: &Security) -> Result<Self, ParseUrlError> {
        match url.option("engine") {
            None | Some("zmtp") => Ok(Self::Zmtp(zmtp::Options::parse(url, security)?)),
            #[cfg(feature = "engine-zeromq")]
            Some("zeromq") => match zmtp::Options::NAMES
                .into_iter()
                .chain(["key", "peers"])
                .find(|name| url.option(name).is_some())
            {
                None => Ok(Self::Zeromq),
                Some(name) => Err(ParseUrlError::new(format!(
                    "the engine `zeromq` can't do `{name}`"
                ))),
            },
            Some(other) => Err(ParseUrlError::new(format!(
                "there is no engine `{other}`: there is `zmtp`, and with the feature `engine-zeromq` there is `zeromq`"
            ))),
        }
    }

    pub(crate) async fn connect(&self, address: &Address) -> Result<Connection, NoLink> {
        match self {
            Self::Zmtp(options) => zmtp::connect(address, options).await.map(Connection::Zmtp),
            #[cfg(feature = "engine-zeromq")]
            Self::Zeromq => {
                let connected = zeromq::connect(address).await;
                connected.map(Connection::Zeromq).map_err(NoLink::Unreached)
            }
        }
    }

    /// Listens at an address; says where, with the port that it got.
    pub(crate) async fn bind(&self, address: &Address) -> Result<(Listener, Address), String> {
        match self {
            Self::Zmtp(options) => zmtp::Listener::bind(address, options)
                .await
                .map(|(listener, bound)| (Listener::Zmtp(listener), bound)),
            #[cfg(feature = "engine-zeromq")]
            Self::Zeromq => zeromq::bind(address)
                .await
                .map(|(listener, bound)| (Listener::Zeromq(listener), bound)),
        }
    }

    /// How large a frame may be that a peer with the same options takes.
    pub(crate) fn max_frame(&self) -> usize {
        match self {
            Self::Zmtp(options) => options.max_message,
            #[cfg(feature = "engine-zeromq")]
            Self::Zeromq => usize::MAX,
        }
    }

    /// Waits until what the engine took has been written, as far as it can tell.
    pub(crate) async fn written(&self) {
        match self {
            // it takes more when it has written what it took
            Self::Zmtp(_) => {}
            #[cfg(feature = "engine-zeromq")]
            Self::Zeromq => tokio::time::sleep(zeromq::LINGER).await,
        }
    }
}

impl Connection {
    /// What the node may do, if it was asked to prove who it is.
    pub(crate) fn rights(&self) -> Option<Arc<dyn Rights>> {
        match self {
            Self::Zmtp(connection) => {
                let holder = connection.holder()?;
                Some(Arc::clone(holder) as _)
            }
            #[cfg(feature = "engine-zeromq")]
            Self::Zeromq(_) => None,
        }
    }

    /// Carries frames until the connection is lost, or the link closed.
    pub(crate) async fn carry(self, end: Arc<impl End>) -> Ended {
        match self {
            Self::Zmtp(connection) => connection.carry(end).await,
            #[cfg(feature = "engine-zeromq")]
            Self::Zeromq(connection) => connection.carry(end).await,
        }
    }
}

impl Listener {
    /// Takes in clients until the transport is closed, and waits for their links to end.
    pub(crate) async fn serve(self, inbound: Arc<Inbound>, closing: Closing) {
        match self {
            Self::Zmtp(listener) => listener.serve(inbound, closing).await,
            #[cfg(feature = "engine-zeromq")]
            Self::Zeromq(listener) => listener.serve(inbound, closing).await,
        }
    }
}
