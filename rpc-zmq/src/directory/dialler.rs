//! Which addresses are dialled: those that the directory lists, until it does not list them and their link is gone.

use super::{MOST_NODES, jittered};
use crate::address::Address;
use crate::backoff::Backoff;
use crate::engine::{Closing, Connection, Engine, NoLink};
use crate::links::keep_linked;
use crate::tasks::Tasks;
use rpc_core::exchange::{NodeId, Outbound, TopicName};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{sleep, timeout};

/// How many addresses are connected to at a time: a fleet that comes up is not dialled all at once.
const CONNECTING: usize = 64;

/// How long an address has its turn at most. One that takes longer is connected to beside the others.
const TURN: Duration = Duration::from_millis(250);

/// How often it is looked whether a link is of use, at least.
const LOOK: Duration = Duration::from_secs(5);

/// After how long a node that rests is dialled again, at most and give or take a quarter. It may have got a server that is of use.
const REST: Duration = Duration::from_secs(60);

/// The addresses that a directory lists, and what it says about each.
pub(crate) type Listing = BTreeMap<Address, Listed>;

/// What a directory says about an address. A list of addresses says nothing.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    /// The instances that are there. When there is a new one, the address is dialled at once.
    pub(crate) instances: BTreeSet<[u8; 16]>,
    /// The topics that it serves.
    pub(crate) topics: Option<BTreeSet<TopicName>>,
}

/// An address that is dialled.
#[derive(Debug)]
pub(crate) struct Dialled {
    pub(crate) address: Address,
    pub(crate) node: NodeId,
    listed: AtomicBool,
    linked: AtomicBool,
    instances: Mutex<BTreeSet<[u8; 16]>>,
    /// It is listed again, or not any more.
    news: Notify,
}

/// The addresses of one transport that are dialled.
#[derive(Debug)]
pub(crate) struct Dialler {
    pub(crate) outbound: Arc<Outbound>,
    engine: Engine,
    closing: Closing,
    /// How long a link is kept that is of no use, if not for ever.
    idle: Option<Duration>,
    /// They hold this in turn.
    tasks: Weak<Tasks>,
    /// Most clients have one, and a tree makes room for eleven.
    nodes: Mutex<HashMap<Address, Arc<Dialled>>>,
    connecting: Semaphore,
    lost: Notify,
    /// There were more addresses than are dialled.
    crowded: AtomicBool,
}

impl Dialler {
    pub(crate) fn new(
        outbound: &Arc<Outbound>,
        engine: &Engine,
        closing: &Closing,
        idle: Option<Duration>,
        tasks: &Arc<Tasks>,
    ) -> Arc<Self> {
        if let Some(idle) = idle {
            outbound.set_idle(idle);
        }
        Arc::new(Self {
            outbound: Arc::clone(outbound),
            engine: engine.clone(),
            closing: closing.clone(),
            idle,
            tasks: Arc::downgrade(tasks),
            nodes: Mutex::default(),
            connecting: Semaphore::new(CONNECTING),
            lost: Notify::new(),
            crowded: AtomicBool::new(false),
        })
    }

    /// Takes what the directory lists now. An address that is not in a complete listing is not dialled any more once it has no link.
    pub(crate) fn list(self: &Arc<Self>, listing: Listing, complete: bool) {
        let mut nodes = self.nodes();
        if complete {
            for (_, gone) in nodes
                .iter()
                .filter(|(known, _)| !listing.contains_key(known))
            {
                gone.listed.store(false, Ordering::Release);
                gone.news.notify_one();
            }
        }
        for (address, listed) in listing {
            match nodes.get(&address) {
                Some(known) => known.list_again(&self.outbound, listed),
                None => {
                    let dialled = self.add(address.clone(), listed);
                    nodes.insert(address, dialled);
                }
            }
        }
    }

    fn add(self: &Arc<Self>, address: Address, listed: Listed) -> Arc<Dialled> {
        let node = self.outbound.add_node(&address.to_string());
        if let Some(topics) = listed.topics {
            self.outbound.set_topics(node, topics);
        }
        let dialled = Arc::new(Dialled {
            address,
            node,
            listed: AtomicBool::new(true),
            linked: AtomicBool::new(false),
            instances: Mutex::new(listed.instances),
            news: Notify::new(),
        });
        if let Some(tasks) = self.tasks.upgrade() {
            tasks.spawn(keep_linked(Arc::clone(self), Arc::clone(&dialled)));
        }
        dialled
    }

    /// Tells when the transport is closed.
    pub(crate) fn closing(&self) -> Closing {
        self.closing.clone()
    }

    /// Connects to an address, when it is its turn.
    pub(crate) async fn connect(&self, address: &Address) -> Result<Connection, NoLink> {
        // it is never closed
        let turn = self.connecting.acquire().await.ok();
        let mut connecting = pin!(self.engine.connect(address));
        if let Ok(connected) = timeout(TURN, &mut connecting).await {
            return connected;
        }
        // whoever is dead or silent keeps no others waiting
        drop(turn);
        connecting.await
    }

    /// The link to an address is gone. If it was one of use, the directory is asked at once whether it is still there.
    pub(crate) fn lost(&self, dialled: &Dialled, of_use: bool) {
        dialled.linked.store(false, Ordering::Release);
        if of_use {
            self.lost.notify_one();
        }
    }

    /// Waits until a link is lost. Cancel safe.
    pub(crate) async fn link_lost(&self) {
        self.lost.notified().await;
    }

    /// Whether there is an address that is listed and not linked.
    pub(crate) fn misses_some(&self) -> bool {
        let missed = |node: &Arc<Dialled>| node.is_listed() && !node.linked.load(Ordering::Acquire);
        self.nodes().values().any(missed)
    }

    /// How often it is looked whether a link is of use, if that matters.
    pub(crate) fn look(&self) -> Option<Duration> {
        self.idle.map(|idle| LOOK.min(idle / 4))
    }

    /// Waits until an address is to be dialled again: `rests` after a link that was of no use. `false` if it is not, since the directory
    /// does not list it any more.
    pub(crate) async fn pause(
        &self,
        dialled: &Dialled,
        backoff: &mut Backoff,
        rests: bool,
    ) -> bool {
        if self.removed(dialled) {
            return false;
        }
        let again = async {
            if !rests {
                sleep(backoff.next()).await;
            }
            if let Some(idle) = self.idle
                && (rests || self.outbound.is_twin(dialled.node))
            {
                let rest = self.outbound.called(dialled.node);
                let _ = timeout(jittered(REST.min(idle)), rest).await;
            }
        };
        tokio::select! {
            () = again => {}
            () = dialled.news.notified() => backoff.reset(),
        }
        !self.removed(dialled)
    }

    fn removed(&self, dialled: &Dialled) -> bool {
        let mut nodes = self.nodes();
        if dialled.is_listed() {
            return false;
        }
        nodes.remove(&dialled.address);
        self.outbound.remove_node(dialled.node);
        true
    }

    /// At most as many addresses as are dialled, with a warning when there are more.
    pub(super) fn bounded(&self, listing: Listing) -> Listing {
        let count = listing.len();
        let crowded = count > MOST_NODES;
        if crowded && !self.crowded.swap(crowded, Ordering::Relaxed) {
            tracing::warn!(name: "rpc.directory.too_many", count, most = MOST_NODES, "the directory lists more nodes than are dialled");
        }
        listing.into_iter().take(MOST_NODES).collect()
    }

    fn nodes(&self) -> MutexGuard<'_, HashMap<Address, Arc<Dialled>>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dialled {
    /// There is a connection.
    pub(crate) fn connected(&self) {
        self.linked.store(true, Ordering::Release);
    }

    fn is_listed(&self) -> bool {
        self.listed.load(Ordering::Acquire)
    }

    fn list_again(&self, outbound: &Outbound, listed: Listed) {
        if let Some(topics) = listed.topics {
            outbound.set_topics(self.node, topics);
        }
        let before = {
            let mut instances = self
                .instances
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *instances, listed.instances.clone())
        };
        let back = !self.listed.swap(true, Ordering::AcqRel);
        if back || !listed.instances.is_subset(&before) {
            self.news.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::Security;

    fn listing(addresses: impl IntoIterator<Item = (String, u16)>) -> Listing {
        let address = |(host, port)| (Address::Tcp { host, port }, Listed::default());
        addresses.into_iter().map(address).collect()
    }

    fn dialler(closing: &Closing, tasks: &Arc<Tasks>) -> Arc<Dialler> {
        let url = "zmq://?listen=a:1".parse().unwrap();
        let engine = Engine::parse(&url, &Security::parse(&url).unwrap()).unwrap();
        Dialler::new(&Arc::default(), &engine, closing, None, tasks)
    }

    #[tokio::test]
    async fn only_a_complete_listing_takes_an_address_out() {
        let tasks = Arc::default();
        let (_open, closing) = Closing::new();
        let dialler = dialler(&closing, &tasks);
        // nobody listens there
        dialler.list(listing([("127.0.0.1".into(), 1)]), true);
        dialler.list(Listing::new(), false);
        assert!(dialler.misses_some());
        dialler.list(Listing::new(), true);
        assert!(!dialler.misses_some());
        let removed = async {
            while !dialler.nodes().is_empty() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(20), removed).await.unwrap();
        tasks.shutdown().await;
    }

    #[test]
    fn no_more_addresses_are_dialled_than_are_said() {
        let dialler = dialler(&Closing::new().1, &Arc::default());
        let many = listing((0..5000).map(|port| ("host".into(), port)));
        assert_eq!(dialler.bounded(many).len(), MOST_NODES);
    }
}
