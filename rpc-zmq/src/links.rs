//! Links over ZeroMQ: one task per listed node on the client's side, one per node and one per peer on the server's.

use crate::address::Address;
use crate::backoff::Backoff;
use crate::directory::{Dialled, Dialler, Directory, Registrar};
use crate::engine::{self, Event, Listener, Peer, PeerSender, Receiver, Sender};
use crate::tasks::Tasks;
use bytes::Bytes;
use rpc_core::StartError;
use rpc_core::exchange::{ClientLink, Inbound, Links, NodeId, Outbound, ServerLink};
use rpc_core::transport::BoxFuture;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// How many frames leave in one ZeroMQ message at most: with more, the peer would have nothing to do until all have come.
const BATCH: usize = 16;

/// How long a node may take to announce itself once it is connected to.
const ANNOUNCEMENT: Duration = Duration::from_secs(5);

/// The links of one transport.
pub(crate) struct ZmqLinks {
    directory: Directory,
    tasks: Arc<Tasks>,
    /// Those that ask the directory, and tell it about this node.
    asking: Tasks,
    /// Who tells the directory about this node, once it listens.
    registrar: OnceLock<Arc<Registrar>>,
    /// Held while a first server starts to listen, so that a second one waits.
    listening: tokio::sync::Mutex<Option<Listening>>,
    bound: Mutex<Option<String>>,
}

/// Where a transport listens: as it was asked to, and with the port that it got.
struct Listening {
    asked: String,
    bound: Address,
}

impl ZmqLinks {
    pub(crate) fn new(directory: Directory) -> Self {
        Self {
            directory,
            tasks: Arc::default(),
            asking: Tasks::default(),
            registrar: OnceLock::new(),
            listening: tokio::sync::Mutex::default(),
            bound: Mutex::default(),
        }
    }

    /// Tells the directory about this node from now on, if it wants to know.
    fn register(&self, inbound: &Arc<Inbound>) {
        if let Some(registrar) = self.directory.registrar(inbound) {
            let registrar = self.registrar.get_or_init(|| registrar);
            self.asking.spawn(Arc::clone(registrar).run());
        }
    }
}

impl Links for ZmqLinks {
    fn dial(&self, outbound: &Arc<Outbound>) {
        let dialler = Dialler::new(outbound, &self.tasks);
        if let Some(task) = self.directory.follow(&dialler) {
            self.asking.spawn(task);
        }
    }

    fn listen(
        self: Arc<Self>,
        inbound: Arc<Inbound>,
        listen: Option<String>,
    ) -> BoxFuture<Result<(), StartError>> {
        Box::pin(async move {
            let mut listening = self.listening.lock().await;
            let wanted = self
                .directory
                .listen(listen.as_deref())
                .map_err(|error| StartError::Listen(error.to_string()));
            match (&*listening, wanted, listen) {
                // a server that does not say where is found where the transport listens
                (Some(_), _, None) => Ok(()),
                (Some(listening), _, Some(other)) if listening.asked == other => Ok(()),
                (Some(listening), _, Some(other)) => Err(StartError::Listen(format!(
                    "this transport listens on {} already, and cannot on {other} too: open another transport",
                    listening.bound
                ))),
                (None, wanted, _) => {
                    let wanted = wanted?;
                    self.directory.check_advertised(&wanted)?;
                    let (bound, sender, listener) =
                        engine::bind(&wanted).await.map_err(StartError::Listen)?;
                    let name = self
                        .directory
                        .advertise
                        .as_ref()
                        .unwrap_or(&bound)
                        .to_string();
                    inbound.set_address(&name);
                    tracing::info!(name: "rpc.node.listening", address = %bound, advertised = name, "node is listening");
                    self.register(&inbound);
                    self.tasks.spawn(serve(inbound, sender, listener));
                    *self.bound.lock().unwrap_or_else(PoisonError::into_inner) =
                        Some(bound.to_string());
                    *listening = Some(Listening {
                        asked: wanted.to_string(),
                        bound,
                    });
                    Ok(())
                }
            }
        })
    }

    fn local_addr(&self) -> Option<String> {
        self.bound
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn registered(&self) -> BoxFuture<()> {
        let registrar = self.registrar.get().map(Arc::clone);
        Box::pin(async move {
            if let Some(registrar) = registrar {
                registrar.caught_up().await;
            }
        })
    }

    fn written(&self) -> BoxFuture<()> {
        Box::pin(engine::linger())
    }

    fn close(&self) -> BoxFuture<()> {
        let (asked, ended) = (self.asking.shutdown(), self.tasks.shutdown());
        let registrar = self.registrar.get().map(Arc::clone);
        Box::pin(async move {
            asked.await;
            ended.await;
            if let Some(registrar) = registrar {
                registrar.leave().await;
            }
        })
    }
}

/// Dials a node again and again while the directory lists it, and carries frames while there is a connection.
pub(crate) async fn keep_linked(dialler: Arc<Dialler>, dialled: Arc<Dialled>) {
    let (outbound, node) = (&dialler.outbound, dialled.node);
    let mut backoff = Backoff::new();
    loop {
        let turn = dialler.turn().await;
        let connected = engine::connect(&dialled.address).await;
        drop(turn);
        match connected {
            Ok((sender, receiver)) => {
                let mut up = Up {
                    outbound,
                    node,
                    link: outbound.link_up(node),
                    reason: "the transport was closed".into(),
                };
                dialled.connected();
                up.reason = carry(outbound, node, &up.link, sender, receiver).await;
                let announced = up.link.was_announced();
                if announced {
                    backoff.reset();
                }
                drop(up);
                dialler.lost(&dialled, announced);
            }
            Err(reason) => outbound.dial_failed(node, &reason),
        }
        if !dialler.pause(&dialled, &mut backoff).await {
            return;
        }
    }
}

/// A link that is up, however its task ends.
struct Up<'a> {
    outbound: &'a Outbound,
    node: NodeId,
    link: Arc<ClientLink>,
    reason: String,
}

impl Drop for Up<'_> {
    fn drop(&mut self) {
        self.outbound.link_down(self.node, &self.link, &self.reason);
    }
}

/// Carries frames until the connection is lost, or the link is given up. Returns why.
async fn carry(
    outbound: &Outbound,
    node: NodeId,
    link: &Arc<ClientLink>,
    mut sender: Sender,
    mut receiver: Receiver,
) -> String {
    let writer = {
        let link = Arc::clone(link);
        async move {
            let mut batch: Vec<Bytes> = Vec::new();
            while link.next_frames(&mut batch, BATCH).await {
                if let Err(reason) = sender.send(&mut batch).await {
                    return reason;
                }
            }
            "the link was given up".into()
        }
    };
    let mut announcement = std::pin::pin!(tokio::time::sleep(ANNOUNCEMENT));
    // in a task of its own: a message that arrives and one that leaves do not wait for each other
    let mut writer = AbortOnDrop(tokio::spawn(writer));
    loop {
        tokio::select! {
            received = receiver.receive() => match received {
                Ok(frames) => {
                    outbound.receive(node, link, frames);
                }
                Err(reason) => return reason,
            },
            () = &mut announcement, if !link.was_announced() => {
                return "the node did not say in time what it serves".into();
            }
            ended = &mut writer.0 => return ended.unwrap_or_else(|error| error.to_string()),
        }
    }
}

/// A task that does not outlive whoever started it.
struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Takes in what arrives at a listening socket.
async fn serve(inbound: Arc<Inbound>, sender: PeerSender, mut listener: Listener) {
    let mut peers: HashMap<Peer, Connected> = HashMap::new();
    loop {
        match listener.receive().await {
            Ok(Event::Frames(peer, frames)) => {
                let connected = peers
                    .entry(peer)
                    .or_insert_with_key(|peer| Connected::new(&inbound, &sender, peer));
                inbound.receive(&connected.link, frames);
            }
            Ok(Event::Gone(peer)) => drop(peers.remove(&peer)),
            Err(reason) => {
                tracing::error!(name: "rpc.node.failed", reason, "the node can't receive any more");
                return;
            }
        }
    }
}

/// A client that has sent something.
struct Connected {
    inbound: Arc<Inbound>,
    link: Arc<ServerLink>,
    _writer: AbortOnDrop<()>,
}

impl Connected {
    fn new(inbound: &Arc<Inbound>, sender: &PeerSender, peer: &Peer) -> Self {
        // the ids of peers are bytes of no meaning
        let name: String = peer
            .iter()
            .take(4)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let link = inbound.link_up(rpc_core::Peer::new("zmq", &name));
        let writer = {
            let (link, mut sender, peer) = (Arc::clone(&link), sender.clone(), peer.clone());
            async move {
                let mut batch: Vec<Bytes> = Vec::new();
                while link.next_frames(&mut batch, BATCH).await {
                    // a peer that is gone is told by the listener
                    if sender.send(&peer, &mut batch).await.is_err() {
                        return;
                    }
                }
            }
        };
        Self {
            inbound: Arc::clone(inbound),
            link,
            _writer: AbortOnDrop(tokio::spawn(writer)),
        }
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.inbound.link_down(&self.link);
    }
}
