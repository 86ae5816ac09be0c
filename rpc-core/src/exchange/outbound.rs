//! The client's half of a transport: sends messages over links, and waits for what comes back.

use super::Rights;
use super::frame::{self, Announcement, Frame, Kind, MOST_SERVERS};
use super::link::ClientLink;
use super::nodes::{NodeId, Nodes};
use super::routes::Route;
use super::settled::Settled;
use crate::sync::Mutex;
use crate::transport::{Parts, TransportCounters};
use crate::wake::wake_all;
use crate::{ErrorKind, RpcError, Target, lock, text};
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tokio::sync::Notify;

/// How many answers are handed out under one lock: enough that it is seldom asked for, few enough that nobody waits for it long.
const TOGETHER: usize = 8;

/// The client's half of a transport over links.
#[derive(Default)]
pub struct Outbound {
    pub(super) table: Mutex<Nodes>,
    /// A link came or went, was announced, or could not be made.
    pub(super) changed: Notify,
    pub(crate) counters: Arc<TransportCounters>,
    /// How many bytes a frame may have, if that is limited.
    max_frame: Option<usize>,
}

impl Outbound {
    pub(crate) fn new(counters: Arc<TransportCounters>) -> Self {
        Self {
            counters,
            ..Self::default()
        }
    }

    pub(crate) fn with_max_frame(self, max_frame: usize) -> Self {
        Self {
            max_frame: Some(max_frame),
            ..self
        }
    }

    /// Refuses a request that is larger than a frame may be.
    pub(super) fn fits(&self, len: usize) -> Result<(), RpcError> {
        match self.max_frame {
            Some(most) if len > most => Err(RpcError::new(
                ErrorKind::Encode,
                format!("the message has {len} bytes, and this transport takes {most} at most"),
            )),
            _ => Ok(()),
        }
    }

    /// Adds an address that is going to be dialled.
    pub fn add_node(&self, address: &str) -> NodeId {
        lock(&self.table).add(address)
    }

    /// An address is not going to be dialled any more, and has no link.
    pub fn remove_node(&self, node: NodeId) {
        let mut table = lock(&self.table);
        table.remove(node);
        drop(table);
        self.changed.notify_waiters();
    }

    /// An address was connected to: what is to be written there comes from the link. Without `rights` the node may do
    /// everything.
    #[must_use]
    pub fn link_up(&self, node: NodeId, rights: Option<Arc<dyn Rights>>) -> Arc<ClientLink> {
        let mut table = lock(&self.table);
        let closed = table.closed;
        let Some(entry) = table.nodes.get_mut(&node).filter(|_| !closed) else {
            drop(table);
            let link = Arc::new(ClientLink::new("".into(), None));
            link.lose("the transport was closed");
            return link;
        };
        let link = Arc::new(ClientLink::new(Arc::clone(&entry.address), rights));
        entry.connecting = Some(Arc::clone(&link));
        link
    }

    /// An address could not be connected to.
    pub fn dial_failed(&self, node: NodeId, reason: &str) {
        let Some((address, is_news)) = self.not_linked(node, reason) else {
            return;
        };
        let reason = text::shown(reason);
        if is_news {
            tracing::info!(name: "rpc.link.dial_failed", %address, reason, "a node can't be reached");
        } else {
            tracing::debug!(name: "rpc.link.dial_failed", %address, reason, "a node still can't be reached");
        }
    }

    /// An address was connected to, and either end refuses the other. That needs a person, while one that can't be reached may be
    /// back by itself.
    pub fn refused(&self, node: NodeId, reason: &str) {
        let Some((address, is_news)) = self.not_linked(node, reason) else {
            return;
        };
        let reason = text::shown(reason);
        if is_news {
            crate::log::rate_limited!({
                tracing::warn!(name: "rpc.link.refused", %address, reason, "a node and this side can't agree on a link; for the same reason this is not warned of again");
            });
        } else {
            tracing::debug!(name: "rpc.link.refused", %address, reason, "a node and this side still can't agree on a link");
        }
    }

    /// Gives the address, and whether this reason is to be told.
    fn not_linked(&self, node: NodeId, reason: &str) -> Option<(Arc<str>, bool)> {
        let mut table = lock(&self.table);
        let entry = table.settle(node)?;
        let is_news = entry.fails(reason);
        let address = Arc::clone(&entry.address);
        drop(table);
        self.changed.notify_waiters();
        Some((address, is_news))
    }

    /// A link is gone.
    pub fn link_down(&self, node: NodeId, link: &Arc<ClientLink>, reason: &str) {
        link.lose(reason);
        let reason = link.loss().unwrap_or_default();
        tracing::info!(name: "rpc.link.down", address = %link.address(), reason, "the link to a node is gone");
        let mut table = lock(&self.table);
        let Some(entry) = table.settle(node) else {
            return;
        };
        entry.resting = false;
        entry.connecting = None;
        entry.trouble = Some(reason);
        let current = entry.link.as_ref();
        if current.is_some_and(|current| Arc::ptr_eq(current, link)) {
            table.unlink(node);
            self.counters.links_lost.fetch_add(1, Relaxed);
        }
        drop(table);
        self.changed.notify_waiters();
    }

    /// Takes frames that arrived together on a link. Nothing in them can do harm: what breaks the protocol is counted and
    /// logged.
    pub fn receive(
        &self,
        node: NodeId,
        link: &Arc<ClientLink>,
        frames: impl IntoIterator<Item = Bytes>,
    ) {
        let broken = |error: String| {
            self.counters.protocol_errors.fetch_add(1, Relaxed);
            crate::log::rate_limited!({
                tracing::warn!(name: "rpc.protocol.error", address = %link.address(), %error, "a node breaks the protocol");
            });
        };
        // what woke up by these is about to send more
        link.hold();
        let mut count = 0;
        let (mut answers, mut woken) = (Vec::new(), Vec::new());
        for frame in frames {
            count += 1;
            tracing::trace!(name: "rpc.frame.received", bytes = frame.len(), address = %link.address(), "frame received");
            match Frame::parse(frame) {
                Ok(frame) => match frame.kind.filter(|kind| kind.is_answer()) {
                    Some(kind) => answers.push((kind, frame)),
                    None => {
                        // each has its effect before what comes after it
                        link.answered(&mut answers, &mut woken, broken);
                        self.told(node, link, &frame).unwrap_or_else(broken);
                    }
                },
                Err(error) => broken(error.to_string()),
            }
            if answers.len() == TOGETHER {
                link.answered(&mut answers, &mut woken, broken);
            }
        }
        link.answered(&mut answers, &mut woken, broken);
        wake_all(woken);
        link.release();
        self.counters.frames_received.fetch_add(count, Relaxed);
    }

    /// Takes a frame that answers no request.
    fn told(&self, node: NodeId, link: &Arc<ClientLink>, frame: &Frame) -> Result<(), String> {
        match frame.kind {
            Some(Kind::Announce) => self.announced(node, link, frame),
            Some(Kind::Running) => link.heard(frame),
            _ => Err(format!(
                "a frame of kind {} is nothing for a client",
                frame.kind_byte
            )),
        }
    }

    fn announced(&self, node: NodeId, link: &Arc<ClientLink>, frame: &Frame) -> Result<(), String> {
        let parsed = Announcement::parse(&frame.header, &frame.body);
        let servers = parsed
            .as_ref()
            .map_or(MOST_SERVERS, |announced| announced.services.len() + 1);
        let often = lock(&self.table)
            .nodes
            .get_mut(&node)
            .is_some_and(|node| !node.may_announce(servers));
        if often {
            let reason = "the node announces itself too often";
            link.lose(reason);
            return Err(reason.into());
        }
        let announcement = parsed.map_err(|error| error.to_string())?;
        for service in &announcement.services {
            if !link.may_announce(&service.exchange, &service.topic, &service.server) {
                crate::log::rate_limited!({
                    tracing::warn!(name: "rpc.node.not_allowed", address = %link.address(), topic = text::shown(&service.topic), server = text::shown(&service.server),
                        "a node announces a server that its key must not have; it is not called there");
                });
            }
        }
        let (lowest, highest) = announcement.protocols;
        if !(lowest..=highest).contains(&u64::from(frame::PROTOCOL)) {
            let reason = format!(
                "the node speaks versions {lowest} to {highest} of the protocol, this side {}",
                frame::PROTOCOL
            );
            link.lose(&reason);
            return Err(reason);
        }
        let mut table = lock(&self.table);
        // one that was given up is nobody's link any more
        if table.closed || link.is_lost() {
            return Ok(());
        }
        let identity = link.identity(announcement.instance);
        let twin = table.twin_of(node, &identity);
        let Some(entry) = table.settle(node) else {
            return Ok(());
        };
        entry.resting = false;
        entry.connecting = None;
        entry.twin = twin.is_some().then_some(identity);
        if let Some(twin) = twin {
            drop(table);
            self.changed.notify_waiters();
            link.lose(&format!("it is the instance that {twin} leads to"));
            return Ok(());
        }
        link.announce(announcement);
        entry.works();
        let new = table.link(node, link);
        drop(table);
        if new {
            tracing::info!(name: "rpc.link.up", address = %link.address(), "linked to a node");
            self.counters.links_made.fetch_add(1, Relaxed);
        }
        self.changed.notify_waiters();
        Ok(())
    }

    /// What nodes may do has changed: what they have announced is looked at again.
    pub fn rights_changed(&self) {
        lock(&self.table).look_again();
        self.changed.notify_waiters();
    }

    /// Every link is given up, and nothing is sent any more.
    pub fn close(&self, reason: &str) {
        let mut table = lock(&self.table);
        table.closed = true;
        let nodes: Vec<NodeId> = table.nodes.keys().copied().collect();
        let mut links: Vec<_> = nodes
            .iter()
            .filter_map(|node| table.unlink(*node))
            .collect();
        links.extend(
            table
                .nodes
                .values_mut()
                .filter_map(|node| node.connecting.take()),
        );
        drop(table);
        for link in links {
            link.lose(reason);
        }
        self.changed.notify_waiters();
    }

    /// Whether every frame has been written.
    pub fn is_flushed(&self) -> bool {
        let links: Vec<_> = lock(&self.table)
            .nodes
            .values()
            .filter_map(|node| node.link.clone())
            .collect();
        links.iter().all(|link| link.is_flushed())
    }

    /// Every server of a topic that is known now, and whether every node has settled since `settled` was noted. Those that are
    /// stopping are among them if there is no other, and the method is one that they still run.
    pub(super) fn servers(&self, parts: &Parts, settled: &Settled) -> (Vec<Arc<Route>>, bool) {
        let mut table = lock(&self.table);
        table.need(&parts.target);
        let (exchange, topic) = (parts.target.exchange_name(), parts.target.topic_name());
        let settled = table.all_settled(&parts.target, settled);
        let mut routes = table.routes.all(exchange, topic);
        if routes.is_empty() && settled && parts.is_of_drain() {
            routes = table.routes.draining(exchange, topic);
        }
        (routes, settled)
    }

    /// Servers whose name belongs to another instance, so that nothing is sent to them.
    pub(super) fn shadowed(&self, parts: &Parts) -> Vec<(String, RpcError)> {
        lock(&self.table)
            .routes
            .shadowed(parts.target.exchange_name(), parts.target.topic_name())
    }

    /// How often each node has settled up to now.
    pub(super) fn settled(&self) -> Settled {
        lock(&self.table).settled()
    }

    /// The addresses that may have servers of a topic and are not linked, and why.
    pub(super) fn unreached(&self, target: &Target) -> Vec<(String, String)> {
        lock(&self.table).unreached(target)
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound")
            .field("nodes", &lock(&self.table).nodes)
            .finish_non_exhaustive()
    }
}
