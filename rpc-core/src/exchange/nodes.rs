//! The nodes that the directory lists, and which of them are linked.

use super::directory::{Directory, TopicName};
use super::link::{ClientLink, Identity};
use super::request::{Body, Found};
use super::routes::{Nobody, Route, Routes, Wanted, spoken};
use super::settled::Sights;
use super::trouble::Reasons;
use crate::args::{Cap, CapOrigin};
use crate::transport::Parts;
use crate::{ErrorKind, RpcError, Target, Version};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How many servers a node may announce in a second, the same ones again included; and how many at once, as many that are started one
/// after the other make.
const A_SECOND: u32 = 50_000;
const AT_ONCE: u32 = 600_000;

/// Of so many addresses that are not dialled any more, errors can tell.
const MOST_GONE: usize = 8;

/// Names an address of the directory, to the transport that dials it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u64);

/// Every node, and the servers on those that are linked.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    /// Boxed: most clients have one, and a tree makes room for eleven.
    pub(super) nodes: BTreeMap<NodeId, Box<Node>>,
    last_node: u64,
    /// Those that are not dialled any more, and since when: the last of them.
    pub(super) gone: VecDeque<(Box<Node>, Instant)>,
    /// The directory that nodes come from, if it has to be asked.
    pub(super) directory: Option<Directory>,
    pub(super) routes: Routes,
    /// Which node an instance is linked by.
    pub(super) instances: HashMap<Identity, NodeId>,
    pub(super) sights: Sights,
    /// How long a link is kept that is of no use, if not for ever.
    pub(super) idle: Option<Duration>,
    /// Nodes that rest are called.
    pub(super) calls: Arc<Notify>,
    pub(super) closed: bool,
}

/// An address that the directory lists.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) address: Arc<str>,
    pub(super) link: Option<Arc<ClientLink>>,
    /// The instance that it leads to.
    instance: Option<Identity>,
    /// A connection that has not been announced yet.
    pub(super) connecting: Option<Arc<ClientLink>>,
    /// When it announced itself last, or could not be reached, as nodes count it; 0 if it never did.
    pub(super) settled: u64,
    pub(super) trouble: Option<String>,
    /// Why it could not be linked to, as far as that was logged since it was linked.
    told: Reasons,
    /// The instance that it leads to, which another address led to as well.
    pub(super) twin: Option<Identity>,
    /// It has no link because that was of no use, and has not been dialled since.
    pub(super) resting: bool,
    /// It is to be dialled, although it rests or is a twin.
    pub(super) called: bool,
    /// When it was known to be of use last.
    pub(super) used: Instant,
    /// Which topics it has, if the directory knows.
    pub(super) topics: Option<BTreeSet<TopicName>>,
    /// How many servers it may still announce, and since when.
    announces: (f64, Instant),
}

impl Nodes {
    pub(super) fn add(&mut self, address: &str) -> NodeId {
        self.gone.retain(|(gone, _)| *gone.address != *address);
        self.last_node += 1;
        let id = NodeId(self.last_node);
        let node = Node {
            address: address.into(),
            link: None,
            instance: None,
            connecting: None,
            settled: 0,
            trouble: None,
            told: Reasons::default(),
            twin: None,
            resting: false,
            called: false,
            used: Instant::now(),
            topics: None,
            announces: (AT_ONCE.into(), Instant::now()),
        };
        self.sights.forget(&node);
        self.nodes.insert(id, Box::new(node));
        id
    }

    pub(super) fn remove(&mut self, node: NodeId) {
        self.unlink(node);
        self.change(node);
        if let Some(mut gone) = self.nodes.remove(&node) {
            gone.connecting = None;
            self.gone.truncate(MOST_GONE - 1);
            self.gone.push_front((gone, Instant::now()));
        }
    }

    /// What a node has announced on its link leads there from now on. `true` if it had none.
    pub(super) fn link(&mut self, node: NodeId, link: &Arc<ClientLink>) -> bool {
        let Some(entry) = self.change(node) else {
            return false;
        };
        let new = entry.link.replace(Arc::clone(link)).is_none();
        let announced = link.announced();
        let instance = announced.map(|announced| link.identity(announced.instance));
        if entry.instance != instance {
            let before = std::mem::replace(&mut entry.instance, instance.clone());
            self.instances
                .extend(instance.map(|instance| (instance, node)));
            before.and_then(|before| self.instances.remove(&before));
            self.sights.forget_twins();
        }
        self.routes.update(node, link);
        new
    }

    /// Takes what all nodes have announced as if they had just done so: what they may do has changed.
    pub(super) fn look_again(&mut self) {
        for (id, node) in &self.nodes {
            if let Some(link) = &node.link {
                self.routes.update(*id, link);
            }
        }
    }

    /// A node has no link any more. Gives the one that it had.
    pub(super) fn unlink(&mut self, node: NodeId) -> Option<Arc<ClientLink>> {
        let entry = self.change(node)?;
        let link = entry.link.take()?;
        let instance = entry.instance.take();
        instance.and_then(|instance| self.instances.remove(&instance));
        self.sights.forget_twins();
        self.routes.remove(node);
        Some(link)
    }

    /// The address of another node that leads to an instance and is linked.
    pub(super) fn twin_of(&self, node: NodeId, instance: &Identity) -> Option<Arc<str>> {
        let other = self.instances.get(instance).filter(|at| **at != node)?;
        Some(Arc::clone(&self.nodes.get(other)?.address))
    }

    /// Whether an address leads to an instance that another address leads to, and is linked by that.
    pub(super) fn is_twin(&self, node: &Node) -> bool {
        node.is_twin(&self.instances)
    }

    pub(super) fn find(
        &mut self,
        parts: &Parts,
        body: &Body<'_>,
        tried: &[Arc<Route>],
    ) -> Result<Result<Found, Nobody>, RpcError> {
        let found = self.find_there(parts, body, tried);
        if std::mem::take(&mut self.routes.used_anew) {
            // whoever rests may have got servers of it since
            self.need(&parts.target);
        }
        found
    }

    fn find_there(
        &mut self,
        parts: &Parts,
        body: &Body<'_>,
        tried: &[Arc<Route>],
    ) -> Result<Result<Found, Nobody>, RpcError> {
        if self.closed {
            return Err(RpcError::new(
                ErrorKind::Undeliverable,
                "the transport was closed",
            ));
        }
        if let Some(directory) = &mut self.directory {
            directory.want(&parts.target);
        }
        let version = body.version().unwrap_or(parts.version);
        let wanted = wanted(parts, version, body.len());
        let found = |route, version| Found { route, version };
        let Some(server) = parts.target.server_name() else {
            let mut version = version;
            let mut route = self.routes.in_turn(wanted, tried);
            if matches!(route, Err(Nobody::Version))
                && let Ok(older) = self.older(parts, body)
            {
                version = older;
                let wanted = Wanted { version, ..wanted };
                route = self.routes.in_turn(wanted, tried);
            }
            // one that is stopping, only if no other takes it
            if route.is_err()
                && parts.is_of_drain()
                && let Some(draining) = self.routes.draining_in_turn(wanted, tried)
            {
                return Ok(Ok(found(draining, wanted.version)));
            }
            return Ok(route.map(|route| found(route, version)));
        };
        let Some(route) = self.routes.named(wanted, server) else {
            return Ok(Err(Nobody::Absent));
        };
        if route.service.draining && !parts.is_of_drain() {
            return Err(
                RpcError::new(ErrorKind::Unavailable, "the server is stopping")
                    .of_server(&route.name()),
            );
        }
        version_at(&route, parts, body)
            .map_err(|error| error.of_server(&route.name()))
            .map(|version| Ok(found(route, version)))
    }

    /// The best of the versions in which any server at all understands a message: an older name or type, without what is lossy, in
    /// the major before. An error says what none of them understands.
    fn older(&self, parts: &Parts, body: &Body<'_>) -> Result<Version, RpcError> {
        let version = body.version().unwrap_or(parts.version);
        let wanted = wanted(parts, version, body.len());
        let Body::Packed(packed) = body else {
            return Err(RpcError::new(
                ErrorKind::UnsupportedVersion,
                format!("it was made for version {version}"),
            ));
        };
        let at = |announced| {
            let server = Cap {
                version: announced,
                origin: CapOrigin::Servers,
            };
            packed.version(Cap::lower(parts.cap, Some(server)), parts.floor)
        };
        // in a major, the newest server understands what any other does
        let mut why = None;
        let majors = parts.api.ends().map(Version::major);
        for major in majors.filter(|major| may_be_sent(parts, *major)) {
            let Some(newest) = self.routes.newest(wanted, major) else {
                continue;
            };
            match at(newest) {
                Ok(version) => return Ok(version),
                Err(error) => why = why.or(Some(error)),
            }
        }
        Err(why.unwrap_or_else(|| {
            let cap = parts.cap.map(|cap| format!(", {cap}")).unwrap_or_default();
            RpcError::new(
                ErrorKind::UnsupportedVersion,
                format!("it needs version {version}{cap}"),
            )
        }))
    }

    /// Why none of the servers that are there gets a message.
    pub(super) fn unserved(&self, parts: &Parts, body: &Body<'_>) -> RpcError {
        let version = body.version().unwrap_or(parts.version);
        let why = match self.older(parts, body) {
            Ok(_) => format!("it needs version {version}"),
            Err(error) => error.message().to_owned(),
        };
        let spoken = self.routes.spoken(wanted(parts, version, body.len()));
        RpcError::new(
            ErrorKind::UnsupportedVersion,
            format!("{why}; the servers speak {spoken}"),
        )
    }

    /// Every server that a message without a server's name may go to.
    pub(super) fn candidates(
        &self,
        parts: &Parts,
        version: Version,
        bytes: usize,
        tried: &[Arc<Route>],
    ) -> Vec<Arc<Route>> {
        self.routes.candidates(wanted(parts, version, bytes), tried)
    }
}

impl Node {
    /// Whether another address leads to its instance, and is linked.
    pub(super) fn is_twin(&self, instances: &HashMap<Identity, NodeId>) -> bool {
        let twin = self.twin.as_ref();
        twin.is_some_and(|instance| instances.contains_key(instance))
    }

    pub(super) fn may_have(&self, target: &Target) -> bool {
        let (exchange, topic) = (target.exchange_name(), target.topic_name());
        self.topics.as_ref().is_none_or(|topics| {
            let mut topics = topics.iter();
            topics.any(|known| known.exchange == exchange && known.topic == topic)
        })
    }

    /// Whether it may announce so many servers now. Each time, everybody who waits for a server looks again.
    pub(super) fn may_announce(&mut self, servers: usize) -> bool {
        let now = Instant::now();
        let passed = now.saturating_duration_since(self.announces.1);
        let left = self.announces.0 + passed.as_secs_f64() * f64::from(A_SECOND);
        let count = u32::try_from(servers).map_or(f64::MAX, f64::from);
        let may = count <= left;
        self.announces = (
            left.min(AT_ONCE.into()) - if may { count } else { 0.0 },
            now,
        );
        may
    }

    /// It could not be linked to. `true` if that was not logged for this reason before.
    pub(super) fn fails(&mut self, reason: &str) -> bool {
        self.twin = None;
        self.resting = false;
        self.trouble = Some(reason.to_owned());
        self.told.is_news(reason)
    }

    /// It was linked to.
    pub(super) fn works(&mut self) {
        self.trouble = None;
        self.told = Reasons::default();
    }

    pub(super) fn state(&self) -> &str {
        match (&self.link, &self.trouble) {
            (Some(_), _) => "up, without such a server",
            (None, Some(trouble)) => trouble,
            (None, None) if self.resting => "of no use before, not connected again yet",
            (None, None) => "not connected yet",
        }
    }
}

/// The version in which a message goes to one server: what that announced is a cap.
pub(super) fn version_at(
    route: &Route,
    parts: &Parts,
    body: &Body<'_>,
) -> Result<Version, RpcError> {
    let version = body.version().unwrap_or(parts.version);
    let Some(announced) = announced(parts, version, route) else {
        let spoken = spoken([route]).join(", ");
        let cap = parts.cap.map(|cap| format!(", {cap}"));
        return Err(RpcError::new(
            ErrorKind::UnsupportedVersion,
            format!(
                "it needs version {version}; the server speaks {spoken}{}",
                cap.unwrap_or_default()
            ),
        ));
    };
    if announced.serves(version) {
        return Ok(version);
    }
    let server = Cap {
        version: announced,
        origin: CapOrigin::Server,
    };
    match body {
        Body::Packed(packed) => packed.version(Cap::lower(parts.cap, Some(server)), parts.floor),
        // the server was replaced by an older one while this was on its way to it
        Body::Fresh(..) | Body::Written(..) => Err(RpcError::new(
            ErrorKind::VersionCap,
            format!("it was made for version {version}, {server}"),
        )),
    }
}

/// The newest version that a server speaks: of the major that the message is to be sent in, or of another that it may be sent
/// in.
fn announced(parts: &Parts, version: Version, route: &Route) -> Option<Version> {
    let newest = |major| route.service.newest(parts.api.namespace(), major);
    let majors = parts.api.ends().map(Version::major);
    let mut others = majors.filter(|major| may_be_sent(parts, *major));
    newest(version.major()).or_else(|| others.find_map(newest))
}

/// Whether a message may be sent in this major: a cap selects one.
fn may_be_sent(parts: &Parts, major: u16) -> bool {
    parts.cap.is_none_or(|cap| cap.version.major() == major)
}

fn wanted(parts: &Parts, version: Version, bytes: usize) -> Wanted<'_> {
    Wanted {
        exchange: parts.target.exchange_name(),
        topic: parts.target.topic_name(),
        namespace: parts.api.namespace(),
        version,
        bytes,
        sent: parts.sent,
    }
}
