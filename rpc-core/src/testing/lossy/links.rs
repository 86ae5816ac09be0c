//! Links over a network that loses frames: one task for each pair of a client and an address.

use super::faults::{Counters, Faults};
use super::wire::{Cut, Wire};
use crate::exchange::{ClientLink, Inbound, Links, NodeId, Outbound, ServerLink};
use crate::sync::Mutex;
use crate::transport::BoxFuture;
use crate::{Peer, StartError, lock};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How long an instance may take to announce itself. Its announcement may have been lost.
const ANNOUNCEMENT: Duration = Duration::from_millis(200);

/// How long a client waits before it dials again.
const REDIAL: Duration = Duration::from_millis(20);

/// How many frames are taken from a link at once.
const BATCH: usize = 64;

/// What all transports of a network share.
pub(super) struct Shared {
    seed: u64,
    pub(super) faults: Mutex<Faults>,
    pub(super) counters: Counters,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    addresses: BTreeMap<String, watch::Sender<Node>>,
    clients: Vec<Weak<Client>>,
    /// Gives each link its own seed.
    links: u64,
}

/// Who is at an address.
#[derive(Clone, Default)]
pub(super) struct Node {
    pub(super) inbound: Option<Arc<Inbound>>,
    /// How often its links were cut.
    pub(super) cuts: u64,
}

impl Shared {
    pub(super) fn new(seed: u64, faults: Faults) -> Self {
        Self {
            seed,
            faults: Mutex::new(faults),
            counters: Counters::default(),
            state: Mutex::default(),
        }
    }

    /// An address, which is new if nobody has used it yet: then every client dials it.
    pub(super) fn address(&self, address: &str) -> watch::Sender<Node> {
        let mut state = lock(&self.state);
        if let Some(known) = state.addresses.get(address) {
            return known.clone();
        }
        let node = watch::Sender::new(Node::default());
        state.addresses.insert(address.to_owned(), node.clone());
        state.clients.retain(|client| client.strong_count() > 0);
        let clients: Vec<_> = state.clients.iter().filter_map(Weak::upgrade).collect();
        drop(state);
        for client in &clients {
            client.dial(address, node.subscribe());
        }
        node
    }

    /// A source of chance for each direction of one more link.
    fn chances(&self) -> [fastrand::Rng; 2] {
        let mut state = lock(&self.state);
        state.links += 1;
        let mut rng = fastrand::Rng::with_seed(self.seed ^ state.links.rotate_left(32));
        [rng.fork(), rng.fork()]
    }
}

/// The links of one transport.
pub(super) struct LossyLinks {
    shared: Arc<Shared>,
    address: String,
    inbound: OnceLock<Arc<Inbound>>,
    client: OnceLock<Arc<Client>>,
}

impl LossyLinks {
    pub(super) fn new(shared: Arc<Shared>, address: &str) -> Self {
        Self {
            shared,
            address: address.to_owned(),
            inbound: OnceLock::new(),
            client: OnceLock::new(),
        }
    }

    /// Nobody finds it at its address any more.
    fn leave(&self) {
        let Some(own) = self.inbound.get() else {
            return;
        };
        self.shared.address(&self.address).send_if_modified(|node| {
            let there = node.inbound.as_ref().is_some_and(|at| Arc::ptr_eq(at, own));
            if there {
                node.inbound = None;
            }
            there
        });
    }
}

impl Links for LossyLinks {
    fn dial(&self, outbound: &Arc<Outbound>) {
        let client = self.client.get_or_init(|| {
            Arc::new(Client {
                shared: Arc::clone(&self.shared),
                outbound: Arc::clone(outbound),
                links: Mutex::default(),
            })
        });
        let mut state = lock(&self.shared.state);
        state.clients.push(Arc::downgrade(client));
        let addresses = state.addresses.iter();
        for (address, node) in addresses {
            client.dial(address, node.subscribe());
        }
    }

    fn listen(
        self: Arc<Self>,
        inbound: Arc<Inbound>,
        _: Option<String>,
    ) -> BoxFuture<Result<(), StartError>> {
        if self.inbound.set(Arc::clone(&inbound)).is_ok() {
            inbound.set_address(&self.address);
            self.shared
                .address(&self.address)
                .send_modify(|node| node.inbound = Some(inbound));
        }
        Box::pin(std::future::ready(Ok(())))
    }

    fn local_addr(&self) -> Option<String> {
        self.inbound.get().map(|_| self.address.clone())
    }

    fn written(&self) -> BoxFuture<()> {
        Box::pin(std::future::ready(()))
    }

    fn close(&self) -> BoxFuture<()> {
        self.leave();
        let links = self
            .client
            .get()
            .map(|client| std::mem::take(&mut *lock(&client.links)));
        Box::pin(async move {
            if let Some(mut links) = links {
                links.shutdown().await;
            }
        })
    }
}

impl Drop for LossyLinks {
    fn drop(&mut self) {
        self.leave();
    }
}

/// A client, and the tasks of its links.
struct Client {
    shared: Arc<Shared>,
    outbound: Arc<Outbound>,
    links: Mutex<JoinSet<()>>,
}

impl Client {
    fn dial(&self, address: &str, node: watch::Receiver<Node>) {
        let id = self.outbound.add_node(address);
        lock(&self.links).spawn(keep_linked(
            Arc::clone(&self.shared),
            Arc::clone(&self.outbound),
            id,
            node,
        ));
    }
}

/// Links to whoever is at an address, again and again.
async fn keep_linked(
    shared: Arc<Shared>,
    outbound: Arc<Outbound>,
    id: NodeId,
    mut address: watch::Receiver<Node>,
) {
    loop {
        let inbound = address.borrow_and_update().inbound.clone();
        let Some(inbound) = inbound else {
            outbound.dial_failed(id, "nobody listens there");
            if address.changed().await.is_err() {
                return;
            }
            continue;
        };
        let mut up = Up {
            client: outbound.link_up(id, None),
            server: inbound.link_up(Peer::new("lossy", "client"), None),
            outbound: &outbound,
            inbound: &inbound,
            id,
            reason: "the transport was closed",
        };
        shared.counters.links.fetch_add(1, Relaxed);
        up.reason = carry(&shared, &up, &mut address).await;
        drop(up);
        tokio::time::sleep(REDIAL).await;
    }
}

/// A link, which is gone at both ends however its task ends.
struct Up<'a> {
    client: Arc<ClientLink>,
    server: Arc<ServerLink>,
    outbound: &'a Outbound,
    inbound: &'a Inbound,
    id: NodeId,
    reason: &'static str,
}

impl Drop for Up<'_> {
    fn drop(&mut self) {
        self.outbound.link_down(self.id, &self.client, self.reason);
        self.inbound.link_down(&self.server);
    }
}

/// Carries frames both ways until the link is cut, or given up at one end. Returns why.
async fn carry(
    shared: &Arc<Shared>,
    up: &Up<'_>,
    address: &mut watch::Receiver<Node>,
) -> &'static str {
    let [there, back] = shared
        .chances()
        .map(|rng| Wire::new(Arc::clone(shared), rng));
    let unannounced = async {
        tokio::time::sleep(ANNOUNCEMENT).await;
        if up.client.was_announced() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        // in a fixed order, so that a seed gives the same run
        biased;
        reason = carry_one_way(up, Direction::There, there) => reason,
        reason = carry_one_way(up, Direction::Back, back) => reason,
        () = unannounced => "the node did not say in time what it serves",
        _ = address.changed() => "the link was cut",
    }
}

#[derive(Clone, Copy)]
enum Direction {
    /// From the client to the instance.
    There,
    Back,
}

impl Up<'_> {
    async fn next_frames(&self, direction: Direction, batch: &mut Vec<Bytes>) -> bool {
        match direction {
            Direction::There => self.client.next_frames(batch, BATCH).await,
            Direction::Back => self.server.next_frames(batch, BATCH).await,
        }
    }

    fn receive(&self, direction: Direction, frames: Vec<Bytes>) {
        match direction {
            Direction::There => self.inbound.receive(&self.server, frames),
            Direction::Back => self.outbound.receive(self.id, &self.client, frames),
        }
    }
}

async fn carry_one_way(up: &Up<'_>, direction: Direction, mut wire: Wire) -> &'static str {
    let mut batch = Vec::new();
    loop {
        let arrived = wire.arrived();
        if !arrived.is_empty() {
            up.receive(direction, arrived);
        }
        tokio::select! {
            biased;
            () = wire.arrival() => {}
            open = up.next_frames(direction, &mut batch), if wire.has_room() => {
                if !open {
                    return "the other end was closed";
                }
                if let Err(Cut) = wire.send(batch.drain(..)) {
                    return "the link was cut";
                }
            }
        }
    }
}
