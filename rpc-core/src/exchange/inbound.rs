//! The server's half of a transport: takes requests in from links, and hands them to the servers of this node.

use super::Rights;
use super::account::{Account, Holdings, REQUEST};
use super::execution::Execution;
use super::frame::{
    self, AnnouncedApi, AnnouncedService, Announcement, Credit, Frame, Kind, RequestHeader, Window,
};
use super::peer::{Begin, NOT_READING, ServerLink};
use super::registration::Registration;
use crate::server::{Arrived, Begins, Responder, Service};
use crate::sync::Mutex;
use crate::transport::TransportCounters;
use crate::wake::wake_all;
use crate::{Context, ErrorKind, MethodKind, Peer, lock, text};
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tokio::sync::watch;
use tokio::time::Instant;

/// How many requests a client may have in flight at a node, unless the node's URL says otherwise.
pub const WINDOW_REQUESTS: u32 = 1024;

/// How many bytes of requests a client may have in flight at a node, unless the node's URL says otherwise.
pub const WINDOW_BYTES: u32 = 64 * 1024 * 1024;

/// How many bytes may wait for a client that does not read them, unless the node's URL says otherwise.
pub(crate) const UNREAD_BYTES: u32 = 64 * 1024 * 1024;

/// How many bytes all clients together may make a node hold, unless its URL says otherwise.
pub(crate) const HELD_BYTES: u32 = 512 * 1024 * 1024;

/// With less, hardly a request would be let in.
pub(super) const LEAST_HELD: u32 = 1024 * 1024;

/// The server's half of a transport over links.
pub struct Inbound {
    instance: [u8; 16],
    window: Window,
    unread_bytes: usize,
    max_frame: usize,
    holdings: Arc<Holdings>,
    table: Mutex<Table>,
    /// Held while an announcement is made and pushed, so that none overtakes a newer one.
    announcing: Mutex<Announcing>,
    counters: Arc<TransportCounters>,
}

#[derive(Debug, Default)]
struct Table {
    services: Vec<Arc<Service>>,
    links: Vec<Arc<ServerLink>>,
    /// What the node calls its own address.
    address: String,
    closed: bool,
}

/// What is announced.
#[derive(Debug, Default)]
struct Announcing {
    serial: u64,
    /// To all clients that may do everything; made once for all of them.
    to_all: Option<Bytes>,
    /// Tells of each serial. Only whoever tells a directory asks for it.
    told: Option<watch::Sender<u64>>,
}

/// What is known of requests that came together.
#[derive(Default)]
struct Arrivals {
    requests: u64,
    /// The server that the last one was for.
    service: Option<Arc<Service>>,
    /// Those that were taken in.
    begin: Vec<Begins>,
    /// Those of them that are casts, of which the client has not been told yet.
    accepted: Vec<u64>,
}

impl Arrivals {
    /// Tells the client.
    fn tell(&mut self, link: &ServerLink) {
        link.accepted(&self.accepted);
        self.accepted.clear();
    }
}

/// So many requests are taken in together: with more, those who wait for them would sit idle.
const TOGETHER: usize = 8;

impl Inbound {
    pub(crate) fn new(window: Window, counters: Arc<TransportCounters>) -> Self {
        Self {
            instance: fastrand::u128(..).to_be_bytes(),
            window,
            unread_bytes: UNREAD_BYTES as usize,
            max_frame: usize::MAX,
            holdings: Holdings::new(HELD_BYTES as usize),
            table: Mutex::default(),
            announcing: Mutex::default(),
            counters,
        }
    }

    /// Gives a client up once so many bytes wait for it.
    pub(crate) fn with_unread_bytes(self, unread_bytes: usize) -> Self {
        Self {
            unread_bytes,
            ..self
        }
    }

    /// Clients may make it hold so many bytes together.
    pub(crate) fn with_held_bytes(self, held_bytes: usize) -> Self {
        Self {
            holdings: Holdings::new(held_bytes),
            ..self
        }
    }

    /// Answers that are larger fail.
    pub(crate) fn with_max_frame(self, max_frame: usize) -> Self {
        Self { max_frame, ..self }
    }

    /// An account for a peer that may have several links.
    #[must_use]
    pub fn account(&self) -> Arc<Account> {
        self.holdings.open()
    }

    /// A client has connected of which nothing is known. Without `rights` it may do everything.
    #[must_use]
    pub fn link_up(&self, peer: Peer, rights: Option<Arc<dyn Rights>>) -> Arc<ServerLink> {
        self.link_up_of(peer, rights, self.account())
    }

    /// A client has connected, and this is the account of its peer.
    #[must_use]
    pub fn link_up_of(
        &self,
        peer: Peer,
        rights: Option<Arc<dyn Rights>>,
        account: Arc<Account>,
    ) -> Arc<ServerLink> {
        let link =
            ServerLink::of(peer, rights, account).with_limits(self.unread_bytes, self.max_frame);
        let link = Arc::new(link);
        let mut table = lock(&self.table);
        if table.closed {
            drop(table);
            link.lose();
        } else {
            table.links.push(Arc::clone(&link));
        }
        link
    }

    /// A client is gone: its streams end, its calls run on.
    pub fn link_down(&self, link: &Arc<ServerLink>) {
        lock(&self.table)
            .links
            .retain(|known| !Arc::ptr_eq(known, link));
        if link.is_overrun() {
            self.dropped(
                link.peer(),
                "more waits for it than may: it does not read fast enough, or not at all",
            );
        }
        link.lose();
    }

    /// A client was refused, or its connection given up, for what it did or did not do.
    pub fn dropped(&self, peer: &Peer, reason: &str) {
        self.counters.clients_dropped.fetch_add(1, Relaxed);
        crate::log::rate_limited!({
            tracing::warn!(name: "rpc.client.dropped", %peer, reason, "a client was dropped");
        });
    }

    /// The same, for a reason that was warned of before.
    pub fn dropped_again(&self, peer: &Peer, reason: &str) {
        self.counters.clients_dropped.fetch_add(1, Relaxed);
        tracing::debug!(name: "rpc.client.dropped", %peer, reason, "a client was dropped, as before");
    }

    /// Clients can't be taken in at the moment.
    pub fn accept_failed(&self, reason: &str) {
        crate::log::rate_limited!({
            tracing::error!(name: "rpc.node.accept_failed", reason, "the node can't take in clients");
        });
    }

    /// Every link is closed.
    pub fn close(&self) {
        let links = {
            let mut table = lock(&self.table);
            table.closed = true;
            std::mem::take(&mut table.links)
        };
        for link in links {
            link.lose();
        }
    }

    /// Whether every frame has been written, and every client knows what was announced last.
    pub fn is_flushed(&self) -> bool {
        let links = lock(&self.table).links.clone();
        links
            .iter()
            .all(|link| link.is_flushed() && link.has_seen())
    }

    /// Whether no client is linked.
    pub(crate) fn is_idle(&self) -> bool {
        lock(&self.table).links.is_empty()
    }

    /// Sets what the node calls its own address.
    pub fn set_address(&self, address: &str) {
        let mut announcing = lock(&self.announcing);
        announcing.to_all = None;
        // it goes into a header, which has an end
        lock(&self.table).address = text::shown(address);
    }

    /// Adds a server, and tells every client. `false` if the node has one of this exchange, topic and name.
    pub(crate) fn add(&self, service: Arc<Service>) -> bool {
        let mut table = lock(&self.table);
        let target = service.target();
        let server = target.server_name().unwrap_or_default();
        let taken =
            |known: &Arc<Service>| known.is(target.exchange_name(), target.topic_name(), server);
        if table.services.iter().any(taken) {
            return false;
        }
        table.services.push(service);
        drop(table);
        self.announce();
        true
    }

    /// Removes a server, and tells every client, if it was there.
    pub(crate) fn remove(&self, service: &Arc<Service>) {
        let mut table = lock(&self.table);
        let before = table.services.len();
        table.services.retain(|known| !Arc::ptr_eq(known, service));
        let removed = table.services.len() < before;
        drop(table);
        if removed {
            self.announce();
        }
    }

    /// Tells every client what there is now, as far as it concerns it. A transport calls it when rights have changed.
    pub fn announce(&self) {
        let mut announcing = lock(&self.announcing);
        announcing.serial += 1;
        announcing.to_all = None;
        let links = lock(&self.table).links.clone();
        for link in links.iter().filter(|link| link.has_greeted()) {
            let frame = self.announcement_to(&mut announcing, link);
            link.announce(announcing.serial, frame);
        }
        if let Some(told) = &announcing.told {
            told.send_replace(announcing.serial);
        }
    }

    /// The serial of the last announcement: what [`registration`](Self::registration) gives has changed when this does.
    #[must_use]
    pub fn announcements(&self) -> watch::Receiver<u64> {
        let mut announcing = lock(&self.announcing);
        let serial = announcing.serial;
        let told = announcing
            .told
            .get_or_insert_with(|| watch::Sender::new(serial));
        told.subscribe()
    }

    /// What a directory is told about this node.
    #[must_use]
    pub fn registration(&self) -> Registration {
        let table = lock(&self.table);
        let servers = table.services.iter().map(|service| announced(service));
        Registration {
            instance: self.instance,
            address: table.address.clone(),
            servers: servers.map(Into::into).collect(),
        }
    }

    /// What there is now, as far as the client of a link may know.
    fn announcement_to(&self, announcing: &mut Announcing, link: &ServerLink) -> Bytes {
        let serial = announcing.serial;
        if link.is_restricted() {
            return self.announcement(serial, link);
        }
        let to_all = &mut announcing.to_all;
        to_all
            .get_or_insert_with(|| self.announcement(serial, link))
            .clone()
    }

    /// The same, made anew.
    fn announcement(&self, serial: u64, link: &ServerLink) -> Bytes {
        let table = lock(&self.table);
        let services = table
            .services
            .iter()
            .filter(|service| {
                let target = service.target();
                link.may_use(target.exchange_name(), target.topic_name())
            })
            .map(|service| announced(service))
            .collect();
        let protocol = u64::from(frame::PROTOCOL);
        let announcement = Announcement {
            protocols: (protocol, protocol),
            instance: self.instance,
            address: table.address.clone(),
            window: self.window,
            serial: Some(serial),
            heartbeats: true,
            services,
        };
        drop(table);
        // its header holds an address and numbers
        announcement.write().unwrap_or_default()
    }

    /// Takes frames that arrived together on a link. Nothing in them can do harm: what breaks the protocol is answered where it
    /// can be, counted and logged.
    pub fn receive(&self, link: &Arc<ServerLink>, frames: impl IntoIterator<Item = Bytes>) {
        // what came together is answered together
        link.hold();
        let mut count = 0;
        let mut arrivals = Arrivals::default();
        for frame in frames {
            count += 1;
            self.receive_one(link, frame, &mut arrivals);
            if arrivals.accepted.len() == TOGETHER {
                arrivals.tell(link);
            }
        }
        arrivals.tell(link);
        let begun = arrivals.begin.drain(..).filter_map(Begins::now);
        wake_all(begun.collect());
        link.release();
        self.counters.frames_received.fetch_add(count, Relaxed);
        self.counters
            .requests_received
            .fetch_add(arrivals.requests, Relaxed);
    }

    fn receive_one(&self, link: &Arc<ServerLink>, frame: Bytes, arrivals: &mut Arrivals) {
        tracing::trace!(name: "rpc.frame.received", bytes = frame.len(), peer = %link.peer(), "frame received");
        if let Err(broken) = self.handle(link, frame, arrivals) {
            self.counters.protocol_errors.fetch_add(1, Relaxed);
            crate::log::rate_limited!({
                tracing::warn!(name: "rpc.protocol.error", peer = %link.peer(), error = %broken, "a client breaks the protocol");
            });
        }
    }

    fn handle(
        &self,
        link: &Arc<ServerLink>,
        frame: Bytes,
        arrivals: &mut Arrivals,
    ) -> Result<(), String> {
        let frame = Frame::parse(frame).map_err(|error| error.to_string())?;
        match frame.kind {
            Some(kind @ (Kind::Call | Kind::Cast | Kind::Multicall)) => {
                self.request(link, kind, frame, arrivals)
            }
            Some(Kind::Credit) => {
                let [items, bytes] =
                    frame::parse_numbers(&frame.header).map_err(|error| error.to_string())?;
                link.add_credit(frame.id, Credit { items, bytes });
                Ok(())
            }
            Some(Kind::Cancel) => {
                link.cancel(frame.id);
                Ok(())
            }
            Some(Kind::Hello) => {
                link.greeted();
                let mut announcing = lock(&self.announcing);
                let announcement = || self.announcement_to(&mut announcing, link);
                link.push_unasked(announcement, self.window.requests)
            }
            Some(Kind::Seen) => {
                let [serial] =
                    frame::parse_numbers(&frame.header).map_err(|error| error.to_string())?;
                link.seen(serial);
                Ok(())
            }
            Some(_) => Err(format!(
                "a frame of kind {} is nothing for a server",
                frame.kind_byte
            )),
            None => {
                let answer =
                    || frame::numbers(Kind::Unsupported, frame.id, [frame.kind_byte.into()]);
                link.push_unasked(answer, self.window.requests)?;
                Err(format!("a frame of kind {} is not known", frame.kind_byte))
            }
        }
    }

    fn request(
        &self,
        link: &Arc<ServerLink>,
        kind: Kind,
        frame: Frame,
        arrivals: &mut Arrivals,
    ) -> Result<(), String> {
        arrivals.requests += 1;
        let Frame {
            id, header, body, ..
        } = frame;
        let held = REQUEST + header.len() + body.len();
        // one that is larger than the window takes all of it
        let bytes = body.len().min(self.window.bytes as usize);
        let parsed = RequestHeader::parse(&header);
        let header = parsed.as_ref().ok().map(|(header, _)| header);
        // a cast that is accepted runs, however late; a deadline further away than the clock can say is none
        let deadline = header
            .and_then(|header| header.remaining)
            .filter(|_| kind != Kind::Cast)
            .and_then(|remaining| Instant::now().checked_add(remaining));
        let execution = Execution::new(
            Arc::clone(link),
            id,
            kind,
            deadline,
            header.and_then(|header| header.credit).unwrap_or_default(),
            header.and_then(|header| header.monitor),
        );
        let execution = Arc::new(execution.of_size(bytes, held));
        match link.begin(id, self.window, &execution) {
            Ok(()) => {}
            Err(Begin::Repeated) => {
                return Err("a request's id is not higher than the one before".into());
            }
            // it crossed the end of the link
            Err(Begin::Closed) => return Ok(()),
            Err(Begin::NotReading) => {
                return Err(NOT_READING.into());
            }
            Err(Begin::NodeFull) => {
                self.counters.requests_refused.fetch_add(1, Relaxed);
                crate::log::rate_limited!({
                    tracing::warn!(name: "rpc.node.full", peer = %link.peer(), bytes = body.len(), "a request was refused: its client, or all clients together, make the node hold as much as they may (`held_bytes`)");
                });
                let full = "the node holds as much of this client, or of all clients, as it may";
                link.push(frame::fail(id, ErrorKind::Overloaded.name(), full, None));
                return Ok(());
            }
            Err(Begin::WindowFull) => {
                link.push(frame::fail(
                    id,
                    ErrorKind::Overloaded.name(),
                    "the client has more in flight than the announced window",
                    None,
                ));
                return Err("more requests are in flight than the announced window".into());
            }
        }
        let (header, metadata) = match parsed {
            Ok(parsed) => parsed,
            Err(error) => {
                execution.refuse(
                    ErrorKind::DecodeArguments,
                    &format!("the request's header: {error}"),
                );
                return Err(error.to_string());
            }
        };
        // those that come together are for the same server, as a rule
        let is_meant =
            |service: &Arc<Service>| service.is(header.exchange, header.topic, header.server);
        if !arrivals.service.as_ref().is_some_and(is_meant) {
            let table = lock(&self.table);
            let mut services = table.services.iter();
            arrivals.service = services
                .find(|service| is_meant(service))
                .filter(|_| link.may_use(header.exchange, header.topic))
                .cloned();
        }
        let Some(service) = &arrivals.service else {
            execution.refuse(
                ErrorKind::Unavailable,
                "this node does not have the server (any more)",
            );
            return Ok(());
        };
        let begins = Arc::clone(service).arrived(
            Arrived {
                namespace: header.namespace,
                version: header.version,
                method: header.method,
                kind: match kind {
                    Kind::Multicall => MethodKind::Multicall,
                    Kind::Cast => MethodKind::Cast,
                    _ => MethodKind::Call,
                },
                deadline,
                context: Context::received(metadata, deadline)
                    .sent_by(link.peer().clone(), header.request_id),
                args: body,
            },
            execution,
        );
        if let Some(begins) = begins {
            arrivals.begin.push(begins);
            if kind == Kind::Cast {
                arrivals.accepted.push(id);
            }
        }
        Ok(())
    }
}

fn announced(service: &Service) -> AnnouncedService {
    AnnouncedService {
        exchange: service.target().exchange_name().into(),
        topic: service.target().topic_name().into(),
        server: service.target().server_name().unwrap_or_default().into(),
        draining: service.is_draining(),
        apis: service
            .apis()
            .flat_map(|api| {
                let spoken = move |namespace: Option<&'static str>| {
                    api.spoken().map(move |version| AnnouncedApi {
                        name: api.name().into(),
                        namespace: namespace.map(Into::into),
                        version,
                    })
                };
                api.namespaces().flat_map(spoken)
            })
            .collect(),
    }
}

impl fmt::Debug for Inbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = lock(&self.table);
        f.debug_struct("Inbound")
            .field("services", &table.services)
            .field("links", &table.links)
            .finish_non_exhaustive()
    }
}
