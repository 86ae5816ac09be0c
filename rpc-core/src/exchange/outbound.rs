//! The client's half of a transport: sends messages over links, and waits for what comes back.

use super::frame::{self, Announcement, Frame, Kind, RequestHeader};
use super::link::{Answer, ClientLink, InFlight};
use super::routes::{Nobody, Route, Routes, Wanted};
use super::stream::{STREAM_CREDIT, StreamQueue};
use crate::codec::Encoded;
use crate::transport::{Message, Parts, Response, TransportCounters};
use crate::{ErrorKind, MethodKind, RpcError, lock, text};
use bytes::Bytes;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// The client's half of a transport over links.
#[derive(Default)]
pub struct Outbound {
    table: Mutex<Table>,
    /// A link came or went, was announced, or could not be made.
    changed: Notify,
    pub(crate) counters: Arc<TransportCounters>,
}

#[derive(Debug, Default)]
struct Table {
    nodes: BTreeMap<NodeId, Node>,
    last_node: u64,
    routes: Routes,
    closed: bool,
}

/// An address that the directory lists.
#[derive(Debug)]
struct Node {
    address: Arc<str>,
    link: Option<Arc<ClientLink>>,
    /// It has announced itself, or could not be reached, at least once.
    settled: bool,
    trouble: Option<String>,
    /// It leads to an instance that another address leads to as well.
    twin: bool,
}

/// Names an address of the directory, to the transport that dials it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId(u64);

impl Outbound {
    pub(crate) fn new(counters: Arc<TransportCounters>) -> Self {
        Self {
            counters,
            ..Self::default()
        }
    }

    /// Adds an address that is going to be dialled.
    pub fn add_node(&self, address: &str) -> NodeId {
        let mut table = lock(&self.table);
        table.last_node += 1;
        let id = NodeId(table.last_node);
        table.nodes.insert(
            id,
            Node {
                address: address.into(),
                link: None,
                settled: false,
                trouble: None,
                twin: false,
            },
        );
        id
    }

    /// An address is not going to be dialled any more, and has no link.
    pub fn remove_node(&self, node: NodeId) {
        let mut table = lock(&self.table);
        table.nodes.remove(&node);
        table.reindex();
        drop(table);
        self.changed.notify_waiters();
    }

    /// An address was connected to: what is to be written there comes from the link.
    #[must_use]
    pub fn link_up(&self, node: NodeId) -> Arc<ClientLink> {
        let table = lock(&self.table);
        let address = table
            .nodes
            .get(&node)
            .map_or_else(|| "".into(), |entry| Arc::clone(&entry.address));
        let link = Arc::new(ClientLink::new(address));
        if table.closed {
            link.lose("the transport was closed");
        }
        tracing::debug!(name: "rpc.link.up", address = %link.address());
        link
    }

    /// An address could not be connected to.
    pub fn dial_failed(&self, node: NodeId, reason: &str) {
        let mut table = lock(&self.table);
        let Some(entry) = table.nodes.get_mut(&node) else {
            return;
        };
        if entry.trouble.as_deref() != Some(reason) {
            tracing::debug!(name: "rpc.link.dial_failed", address = %entry.address, reason);
        }
        entry.settled = true;
        entry.trouble = Some(reason.to_owned());
        drop(table);
        self.changed.notify_waiters();
    }

    /// A link is gone.
    pub fn link_down(&self, node: NodeId, link: &Arc<ClientLink>, reason: &str) {
        link.lose(reason);
        let reason = link.loss().unwrap_or_default();
        tracing::debug!(name: "rpc.link.down", address = %link.address(), reason);
        let mut table = lock(&self.table);
        let Some(entry) = table.nodes.get_mut(&node) else {
            return;
        };
        entry.settled = true;
        entry.trouble = Some(reason);
        if entry
            .link
            .as_ref()
            .is_some_and(|current| Arc::ptr_eq(current, link))
        {
            entry.link = None;
            self.counters.links_lost.fetch_add(1, Relaxed);
        }
        table.reindex();
        drop(table);
        self.changed.notify_waiters();
    }

    /// Takes a frame that arrived on a link. Nothing in it can do harm: what breaks the protocol is counted and logged.
    pub fn receive(&self, node: NodeId, link: &Arc<ClientLink>, frame: Bytes) {
        self.counters.frames_received.fetch_add(1, Relaxed);
        tracing::trace!(name: "rpc.frame.received", bytes = frame.len(), address = %link.address());
        let handled = Frame::parse(frame)
            .map_err(|error| error.to_string())
            .and_then(|frame| match frame.kind {
                Some(Kind::Announce) => self.announced(node, link, &frame),
                Some(
                    kind @ (Kind::Reply
                    | Kind::Fail
                    | Kind::Accept
                    | Kind::Items
                    | Kind::End
                    | Kind::Unsupported),
                ) => link.answered(kind, frame),
                _ => Err(format!(
                    "a frame of kind {} is nothing for a client",
                    frame.kind_byte
                )),
            });
        if let Err(broken) = handled {
            self.counters.protocol_errors.fetch_add(1, Relaxed);
            crate::log::rate_limited!({
                tracing::warn!(name: "rpc.protocol.error", address = %link.address(), error = %broken);
            });
        }
    }

    fn announced(&self, node: NodeId, link: &Arc<ClientLink>, frame: &Frame) -> Result<(), String> {
        let announcement =
            Announcement::parse(&frame.header, &frame.body).map_err(|error| error.to_string())?;
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
        let twin = table
            .nodes
            .iter()
            .filter(|(id, _)| **id != node)
            .filter_map(|(_, other)| other.link.as_ref())
            .find(|other| {
                other
                    .announced()
                    .is_some_and(|other| other.instance == announcement.instance)
            })
            .map(|other| Arc::clone(other.address()));
        let Some(entry) = table.nodes.get_mut(&node) else {
            return Ok(());
        };
        entry.settled = true;
        entry.twin = twin.is_some();
        if let Some(twin) = twin {
            drop(table);
            self.changed.notify_waiters();
            link.lose(&format!("it is the instance that {twin} leads to"));
            return Ok(());
        }
        link.announce(announcement);
        entry.trouble = None;
        if entry.link.is_none() {
            self.counters.links_made.fetch_add(1, Relaxed);
        }
        entry.link = Some(Arc::clone(link));
        table.reindex();
        drop(table);
        self.changed.notify_waiters();
        Ok(())
    }

    /// Every link is given up, and nothing is sent any more.
    pub fn close(&self, reason: &str) {
        let mut table = lock(&self.table);
        table.closed = true;
        let links: Vec<_> = table
            .nodes
            .values_mut()
            .filter_map(|node| node.link.take())
            .collect();
        table.reindex();
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

    /// Sends a message to one server, and waits until its opening is answered: a call has its value then, a cast or multicall
    /// is accepted.
    ///
    /// What was never written to a link may go to another server; what was written is never sent again.
    pub(crate) async fn request(&self, message: Message) -> Result<Opened, RpcError> {
        let started = Instant::now();
        let (method, target) = (message.parts.method, Arc::clone(&message.parts.target));
        self.counters.requests_sent.fetch_add(1, Relaxed);
        self.attempts(message).await.map_err(|error| {
            self.counters.requests_failed.fetch_add(1, Relaxed);
            error.of_message(method.name(), &target, Some(started.elapsed()))
        })
    }

    async fn attempts(&self, message: Message) -> Result<Opened, RpcError> {
        let mut body = Body::Fresh(message.args);
        let parts = &message.parts;
        let mut tried: Vec<Arc<Route>> = Vec::new();
        let mut refusal: Option<RpcError> = None;
        loop {
            let route = match refusal.take() {
                None => self.route(parts, &tried).await?,
                // somebody was there and refused: who else is there now is asked, but nobody is waited for
                Some(error) => match lock(&self.table).find(parts, &tried) {
                    Ok(Ok(route)) => route,
                    Ok(Err(_)) | Err(_) => return Err(error),
                },
            };
            match self.attempt(&route, parts, body).await? {
                Attempt::Opened(opened) => return Ok(opened),
                Attempt::NotWritten(again) => body = again,
                Attempt::Refused(error, again) => {
                    let named = parts.target.server_name().is_some();
                    let elsewhere = matches!(
                        error.kind(),
                        ErrorKind::Overloaded
                            | ErrorKind::Unavailable
                            | ErrorKind::UnsupportedVersion
                    );
                    if named || !elsewhere {
                        return Err(error);
                    }
                    tracing::debug!(name: "rpc.request.refused", method = parts.method.name(), error = %error);
                    refusal = Some(error);
                    tried.push(route);
                    body = again;
                }
            }
        }
    }

    /// Finds a server for a message, and waits for one until the deadline.
    pub(crate) async fn route(
        &self,
        parts: &Parts,
        tried: &[Arc<Route>],
    ) -> Result<Arc<Route>, RpcError> {
        if let Ok(route) = lock(&self.table).find(parts, tried)? {
            return Ok(route);
        }
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // from here on, no change is missed
            changed.as_mut().enable();
            let (found, all_settled) = {
                let mut table = lock(&self.table);
                (table.find(parts, tried)?, table.all_settled())
            };
            match found {
                Ok(route) => return Ok(route),
                Err(Nobody::AllTried) => {
                    return Err(RpcError::new(
                        ErrorKind::Unavailable,
                        "every server has refused it",
                    ));
                }
                Err(Nobody::Version(spoken)) if all_settled => {
                    return Err(RpcError::new(
                        ErrorKind::UnsupportedVersion,
                        format!(
                            "it needs version {}; the servers speak {}",
                            parts.version,
                            spoken.join(", ")
                        ),
                    ));
                }
                Err(_) => {}
            }
            if timeout_at(parts.deadline, changed).await.is_err() {
                return Err(RpcError::new(
                    ErrorKind::Undeliverable,
                    lock(&self.table).absence(),
                ));
            }
        }
    }

    async fn attempt(&self, route: &Route, parts: &Parts, body: Body) -> Result<Attempt, RpcError> {
        let link = &route.link;
        let mut frame = body.into_encoded();
        let place = match timeout_at(parts.deadline, link.place(link.counted(frame.len()))).await {
            Ok(Ok(place)) => place,
            Ok(Err(_closed)) => return Ok(Attempt::NotWritten(Body::Fresh(frame))),
            Err(_elapsed) => {
                return Err(RpcError::new(
                    ErrorKind::Overloaded,
                    "no place became free in the server's window before the deadline",
                )
                .of_server(&route.name()));
            }
        };
        let body_len = frame.len();
        let stream = (parts.method.kind() == MethodKind::Multicall)
            .then(|| Arc::new(StreamQueue::new(STREAM_CREDIT)));
        write_header(&mut frame, parts, route)
            .map_err(|error| RpcError::new(ErrorKind::Encode, error.to_string()))?;
        let (mut in_flight, written) = match link.send(place, frame, stream.clone()) {
            Ok(sent) => sent,
            Err(mut frame) => {
                frame.keep_last(body_len);
                return Ok(Attempt::NotWritten(Body::Fresh(frame)));
            }
        };
        let again = |written: &Bytes| Body::Written(written.slice(written.len() - body_len..));
        match timeout_at(parts.deadline, in_flight.answer()).await {
            Ok(Answer::Value(value)) => {
                Ok(Attempt::Opened(Opened::Answered(Response::Value(value))))
            }
            Ok(Answer::MethodError(error)) => Ok(Attempt::Opened(Opened::Answered(
                Response::MethodError(error),
            ))),
            Ok(Answer::Accepted) => Ok(Attempt::Opened(Opened::Accepted { in_flight, stream })),
            Ok(Answer::Failed(error)) => Ok(Attempt::Refused(
                error.of_server(&route.name()),
                again(&written),
            )),
            Ok(Answer::Unwritten) => Ok(Attempt::NotWritten(again(&written))),
            Ok(Answer::Lost(reason)) => Err(RpcError::new(
                ErrorKind::PeerLost,
                format!("the link was lost after the message was sent: {reason}"),
            )
            .of_server(&route.name())),
            Err(_elapsed) => Err(if in_flight.cancel() {
                RpcError::new(
                    ErrorKind::Undeliverable,
                    "it could not be written before the deadline",
                )
            } else {
                RpcError::new(
                    ErrorKind::Timeout,
                    "no answer before the deadline; the server was told to stop",
                )
            }
            .of_server(&route.name())),
        }
    }

    /// Sends a cast to one server that is known already.
    pub(crate) async fn cast_to(
        &self,
        route: &Route,
        parts: &Parts,
        args: Bytes,
    ) -> Result<(), RpcError> {
        let opened = match self.attempt(route, parts, Body::Written(args)).await? {
            Attempt::Opened(opened) => opened,
            Attempt::NotWritten(_) => {
                return Err(RpcError::new(
                    ErrorKind::Undeliverable,
                    "the link was lost before the message was written",
                )
                .of_server(&route.name()));
            }
            Attempt::Refused(error, _) => return Err(error),
        };
        opened.settle();
        Ok(())
    }

    /// Waits until every listed node has announced itself or could not be reached, or the deadline passes. Then: every server
    /// of the topic, and the addresses that were not reached.
    pub(crate) async fn everyone(&self, parts: &Parts) -> (Vec<Arc<Route>>, Vec<(String, String)>) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if lock(&self.table).all_settled() || timeout_at(parts.deadline, changed).await.is_err()
            {
                let table = lock(&self.table);
                let routes = table
                    .routes
                    .all(parts.target.exchange_name(), parts.target.topic_name());
                return (routes, table.unreached());
            }
        }
    }

    /// Nodes that are not linked have to be dialled once more before they count as not reached.
    pub(crate) fn unsettle(&self) {
        for node in lock(&self.table).nodes.values_mut() {
            node.settled &= node.link.is_some() || node.twin;
        }
    }

    /// What the nodes of the directory look like when nobody is there.
    pub(crate) fn absence(&self) -> String {
        lock(&self.table).absence()
    }
}

impl Table {
    fn reindex(&mut self) {
        let Self { nodes, routes, .. } = self;
        routes.rebuild(
            nodes
                .values()
                .filter_map(|node| node.link.clone())
                .filter(|link| !link.is_lost()),
        );
    }

    fn all_settled(&self) -> bool {
        self.nodes.values().all(|node| node.settled)
    }

    fn unreached(&self) -> Vec<(String, String)> {
        self.nodes
            .values()
            // an instance that is reached by another address is no absence
            .filter(|node| node.link.is_none() && !node.twin)
            .map(|node| (node.address.to_string(), text::shown(node.state())))
            .collect()
    }

    fn find(
        &mut self,
        parts: &Parts,
        tried: &[Arc<Route>],
    ) -> Result<Result<Arc<Route>, Nobody>, RpcError> {
        if self.closed {
            return Err(RpcError::new(
                ErrorKind::Undeliverable,
                "the transport was closed",
            ));
        }
        let wanted = Wanted {
            exchange: parts.target.exchange_name(),
            topic: parts.target.topic_name(),
            namespace: parts.namespace,
            version: parts.version,
        };
        let Some(server) = parts.target.server_name() else {
            return Ok(self.routes.in_turn(wanted, tried));
        };
        let Some(route) = self.routes.named(wanted, server) else {
            return Ok(Err(Nobody::Absent));
        };
        match route
            .service
            .newest(wanted.namespace, wanted.version.major())
        {
            Some(newest) if newest.serves(wanted.version) => Ok(Ok(route)),
            Some(newest) => Err(RpcError::new(
                ErrorKind::VersionCap,
                format!(
                    "it needs version {}, the server announced {newest}",
                    wanted.version
                ),
            )
            .of_server(&route.name())),
            None => Err(RpcError::new(
                ErrorKind::UnsupportedVersion,
                format!(
                    "it needs version {}; the server speaks {}",
                    wanted.version,
                    super::routes::spoken(std::slice::from_ref(&route)).join(", ")
                ),
            )
            .of_server(&route.name())),
        }
    }

    fn absence(&self) -> String {
        let nodes: Vec<String> = self
            .nodes
            .values()
            .take(8)
            .map(|node| format!("{} ({})", node.address, text::shown(node.state())))
            .collect();
        if nodes.is_empty() {
            return "no server was there before the deadline: the transport's URL names no node"
                .into();
        }
        format!(
            "no server was there before the deadline; nodes: {}",
            nodes.join(", ")
        )
    }
}

impl Node {
    fn state(&self) -> &str {
        match (&self.link, &self.trouble) {
            (Some(_), _) => "up, without such a server",
            (None, Some(trouble)) => trouble,
            (None, None) => "not connected yet",
        }
    }
}

/// What became of a request's opening.
#[derive(Debug)]
pub(crate) enum Opened {
    Answered(Response),
    Accepted {
        in_flight: InFlight,
        stream: Option<Arc<StreamQueue>>,
    },
}

impl Opened {
    /// It was a cast: nothing more comes.
    pub(crate) fn settle(self) {
        // dropping the guard of an answered cast cancels nothing: it is not in flight any more
        drop(self);
    }
}

enum Attempt {
    Opened(Opened),
    /// The link was gone before the request was written to it.
    NotWritten(Body),
    /// It was answered with an error.
    Refused(RpcError, Body),
}

/// The arguments of a message, which may have to be sent more than once as long as none was written.
enum Body {
    Fresh(Encoded),
    Written(Bytes),
}

impl Body {
    fn into_encoded(self) -> Encoded {
        match self {
            Self::Fresh(encoded) => encoded,
            Self::Written(bytes) => Encoded::copy_of(&bytes),
        }
    }
}

thread_local! {
    /// Where headers are put together, so that no message allocates for one.
    static HEADER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

fn write_header(
    body: &mut Encoded,
    parts: &Parts,
    route: &Route,
) -> Result<(), crate::codec::Error> {
    let kind = match parts.method.kind() {
        MethodKind::Call => Kind::Call,
        MethodKind::Cast | MethodKind::Fanout => Kind::Cast,
        MethodKind::Multicall => Kind::Multicall,
    };
    let header = RequestHeader {
        exchange: &route.service.exchange,
        topic: &route.service.topic,
        server: &route.service.server,
        namespace: parts.namespace,
        version: parts.version,
        built: parts.built,
        method: parts.method.name(),
        remaining: parts.remaining(),
        credit: (kind == Kind::Multicall).then_some(STREAM_CREDIT),
    };
    HEADER.with_borrow_mut(|buffer| {
        buffer.clear();
        let mut writer = frame::HeaderWriter(std::mem::take(buffer));
        header.write(&mut writer, &parts.context);
        *buffer = writer.0;
        frame::prepend(body, kind, 0, buffer)
    })
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound")
            .field("nodes", &lock(&self.table).nodes)
            .finish_non_exhaustive()
    }
}
