//! Which servers there are, and which of them a message goes to.

use super::frame::{AnnouncedApi, AnnouncedService, Announcement};
use super::link::ClientLink;
use super::nodes::NodeId;
use super::topics::{Topic, Topics};
use crate::{ErrorKind, RpcError, Version, introspection, text};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A server that a link's instance has announced.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) link: Arc<ClientLink>,
    pub(crate) service: AnnouncedService,
    /// The announcement that says so.
    pub(crate) announcement: Arc<Announcement>,
    instance: [u8; 16],
    /// Who announced earlier has the lower number.
    pub(super) announced: u64,
}

impl Route {
    /// The server's name, fit to be shown.
    pub(crate) fn name(&self) -> String {
        format!(
            "{}@{}",
            text::shown(&self.service.server),
            self.link.address()
        )
    }

    /// The first server that a link's instance has announced.
    #[cfg(test)]
    pub(crate) fn first_of(link: &Arc<ClientLink>) -> Self {
        let announcement = link.announced().unwrap();
        Self {
            link: Arc::clone(link),
            service: announcement.services[0].clone(),
            instance: announcement.instance,
            announcement,
            announced: 1,
        }
    }

    /// Whether its link is up. Every search asks this of each route that it looks at.
    pub(super) fn is_up(&self) -> bool {
        work::count();
        !self.link.is_lost()
    }

    fn serves(&self, namespace: Option<&str>, version: Version) -> bool {
        self.service
            .newest(namespace, version.major())
            .is_some_and(|newest| newest.serves(version))
    }
}

/// What is asked of the servers of a topic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) exchange: &'a str,
    pub(crate) topic: &'a str,
    pub(crate) namespace: Option<&'a str>,
    pub(crate) version: Version,
    /// The size of the message.
    pub(crate) bytes: usize,
    /// When it was sent.
    pub(crate) sent: Instant,
}

/// Why there is no server for a message.
#[derive(Debug)]
pub(crate) enum Nobody {
    /// None of this topic (or name) is there.
    Absent,
    /// All that can serve it were tried.
    AllTried,
    /// Some are there, but none serves this version.
    Version,
}

/// The servers of every topic, over all links that are up.
#[derive(Debug)]
pub(crate) struct Routes {
    topics: Topics,
    /// What is in these, by the node that has announced it.
    nodes: HashMap<NodeId, Vec<Arc<Route>>>,
    last_announced: u64,
    /// After how long a topic counts as one that is not used.
    pub(super) unused: Duration,
    /// A topic is used that was not.
    pub(super) used_anew: bool,
}

impl Default for Routes {
    fn default() -> Self {
        Self {
            topics: Topics::default(),
            nodes: HashMap::new(),
            last_announced: 0,
            unused: Duration::MAX,
            used_anew: false,
        }
    }
}

impl Routes {
    /// Takes what a node has announced last, in place of what it announced before. Turns and precedence stay as they were.
    pub(crate) fn update(&mut self, node: NodeId, link: &Arc<ClientLink>) {
        let Some(announcement) = link.announced() else {
            return;
        };
        let old = self.nodes.remove(&node).unwrap_or_default();
        let mut known: HashMap<_, _> = old
            .iter()
            .filter(|route| route.instance == announcement.instance)
            .map(|route| (route.service.name(), route.announced))
            .collect();
        let mut named = HashSet::new();
        let mut routes = Vec::with_capacity(announcement.services.len());
        let services = announcement.services.iter().filter(|service| {
            link.may_announce(&service.exchange, &service.topic, &service.server)
        });
        // one that is announced twice is there once
        for service in services.filter(|service| named.insert(service.name())) {
            let announced = known.remove(&service.name()).unwrap_or_else(|| {
                self.last_announced += 1;
                self.last_announced
            });
            let route = Arc::new(Route {
                link: Arc::clone(link),
                service: service.clone(),
                announcement: Arc::clone(&announcement),
                instance: announcement.instance,
                announced,
            });
            self.topics.add(Arc::clone(&route));
            routes.push(route);
        }
        let kept: HashSet<u64> = routes.iter().map(|route| route.announced).collect();
        for gone in old.iter().filter(|old| !kept.contains(&old.announced)) {
            self.topics.remove(gone);
        }
        self.nodes.insert(node, routes);
    }

    /// Takes out what a node has announced.
    pub(crate) fn remove(&mut self, node: NodeId) {
        for route in self.nodes.remove(&node).unwrap_or_default() {
            self.topics.remove(&route);
        }
    }

    /// When a message was sent last to a topic that a node has.
    pub(crate) fn used(&self, node: NodeId) -> Option<Instant> {
        let routes = self.nodes.get(&node)?.iter();
        routes
            .filter_map(|route| {
                let service = &route.service;
                self.topics.get(&service.exchange, &service.topic)?.used()
            })
            .max()
    }

    /// The next server in turn that is not draining and serves the version; one with a free place is preferred.
    pub(crate) fn in_turn(
        &mut self,
        wanted: Wanted<'_>,
        tried: &[Arc<Route>],
    ) -> Result<Arc<Route>, Nobody> {
        self.in_turn_of(false, wanted, tried)
    }

    /// The next server in turn that is draining and serves the version.
    pub(crate) fn draining_in_turn(
        &mut self,
        wanted: Wanted<'_>,
        tried: &[Arc<Route>],
    ) -> Option<Arc<Route>> {
        self.in_turn_of(true, wanted, tried).ok()
    }

    fn in_turn_of(
        &mut self,
        draining: bool,
        wanted: Wanted<'_>,
        tried: &[Arc<Route>],
    ) -> Result<Arc<Route>, Nobody> {
        let Some(topic) = self.topics.get_mut(wanted.exchange, wanted.topic) else {
            return Err(Nobody::Absent);
        };
        self.used_anew |= topic.is_used(wanted.sent, self.unused);
        let (mut without_place, mut there, mut untried) = (None, false, false);
        let mut with_place = None;
        for route in topic.up_in_turn() {
            if route.service.draining != draining {
                continue;
            }
            there = true;
            if !route.serves(wanted.namespace, wanted.version) {
                continue;
            }
            if tried.iter().any(|tried| same_server(tried, route)) {
                untried = true;
                continue;
            }
            if route.link.window.has_place(wanted.bytes) {
                with_place = Some(route);
                break;
            }
            without_place.get_or_insert(route);
        }
        match with_place.or(without_place).cloned() {
            Some(route) => {
                topic.had_its_turn(&route);
                Ok(route)
            }
            None if untried => Err(Nobody::AllTried),
            None if there => Err(Nobody::Version),
            None => Err(Nobody::Absent),
        }
    }

    /// The newest version of a major that any server of a topic speaks which is not draining.
    pub(crate) fn newest(&self, wanted: Wanted<'_>, major: u16) -> Option<Version> {
        let topic = self.topics.get(wanted.exchange, wanted.topic)?;
        topic
            .up()
            .filter(|route| !route.service.draining)
            .filter_map(|route| route.service.newest(wanted.namespace, major))
            .max()
    }

    /// All that the servers of a topic speak, in words.
    pub(crate) fn spoken(&self, wanted: Wanted<'_>) -> String {
        let topic = self.topics.get(wanted.exchange, wanted.topic);
        let routes = topic.into_iter().flat_map(Topic::up);
        // what leaves is no help
        let serving = routes.filter(|route| !route.service.draining);
        spoken(serving.map(|route| &**route)).join(", ")
    }

    /// Every server that is not draining, serves the version and was not tried.
    pub(crate) fn candidates(&self, wanted: Wanted<'_>, tried: &[Arc<Route>]) -> Vec<Arc<Route>> {
        self.topics
            .get(wanted.exchange, wanted.topic)
            .into_iter()
            .flat_map(Topic::up)
            .filter(|route| !route.service.draining)
            .filter(|route| route.serves(wanted.namespace, wanted.version))
            .filter(|route| !tried.iter().any(|tried| same_server(tried, route)))
            .cloned()
            .collect()
    }

    /// The server of this name: who announced it first and is not draining; a draining one if there is no other.
    pub(crate) fn named(&mut self, wanted: Wanted<'_>, server: &str) -> Option<Arc<Route>> {
        let topic = self.topics.get_mut(wanted.exchange, wanted.topic)?;
        self.used_anew |= topic.is_used(wanted.sent, self.unused);
        let mut serving = topic
            .up_named(server)
            .filter(|route| !route.service.draining);
        let first = serving.next();
        if let (Some(first), Some(second)) = (first, serving.next()) {
            crate::log::rate_limited!({
                tracing::warn!(name: "rpc.server.name_taken", server = %first.name(), also = %second.name(),
                    "two instances announce the same server name; only the first is called by it");
            });
        }
        first.or_else(|| topic.up_named(server).next()).cloned()
    }

    /// Every server of a topic that is not draining. Of two with one name, the first.
    pub(crate) fn all(&self, exchange: &str, topic: &str) -> Vec<Arc<Route>> {
        self.all_of(false, exchange, topic)
    }

    /// Every server of a topic that is draining. Of two with one name, the first.
    pub(crate) fn draining(&self, exchange: &str, topic: &str) -> Vec<Arc<Route>> {
        self.all_of(true, exchange, topic)
    }

    fn all_of(&self, draining: bool, exchange: &str, topic: &str) -> Vec<Arc<Route>> {
        let mut names = HashSet::new();
        self.topics
            .get(exchange, topic)
            .into_iter()
            .flat_map(Topic::up)
            .filter(|route| route.service.draining == draining)
            .filter(|route| names.insert(&*route.service.server))
            .cloned()
            .collect()
    }

    /// The servers that [`all`](Self::all) leaves out because another instance has their name, and why.
    pub(crate) fn shadowed(&self, exchange: &str, topic: &str) -> Vec<(String, RpcError)> {
        let first = self.all(exchange, topic);
        let holders: HashMap<&str, &Arc<Route>> = first
            .iter()
            .map(|route| (&*route.service.server, route))
            .collect();
        let topic = self.topics.get(exchange, topic);
        let serving = topic
            .into_iter()
            .flat_map(Topic::up)
            .filter(|route| !route.service.draining);
        serving
            .filter_map(|route| {
                let holder = holders.get(&*route.service.server)?;
                let error = RpcError::new(
                    ErrorKind::Undeliverable,
                    format!(
                        "two instances have this name; it belongs to {}",
                        holder.name()
                    ),
                );
                (!Arc::ptr_eq(*holder, route))
                    .then(|| (route.service.server.clone(), error.of_server(&route.name())))
            })
            .collect()
    }
}

fn same_server(a: &Route, b: &Route) -> bool {
    a.instance == b.instance && a.service.server == b.service.server
}

/// What servers speak, to be shown.
pub(crate) fn spoken<'a>(routes: impl IntoIterator<Item = &'a Route>) -> Vec<String> {
    let mut spoken: Vec<String> = routes
        .into_iter()
        .flat_map(|route| {
            let own =
                |api: &&AnnouncedApi| api.namespace.as_deref() != Some(introspection::NAMESPACE);
            route.service.apis.iter().filter(own).map(move |api| {
                let namespace = api
                    .namespace
                    .as_deref()
                    .map(|name| format!(" ({})", text::shown(name)));
                format!(
                    "{}{} {}",
                    text::shown(&api.name),
                    namespace.unwrap_or_default(),
                    api.version
                )
            })
        })
        .collect();
    spoken.sort();
    spoken.dedup();
    spoken.truncate(8);
    spoken
}

/// How many routes were looked at, put in or taken out: what tests bound.
pub(super) mod work {
    #[cfg(test)]
    thread_local! {
        static DONE: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }

    pub(in crate::exchange) fn count() {
        #[cfg(test)]
        DONE.set(DONE.get() + 1);
    }

    /// How many this takes.
    #[cfg(test)]
    pub(in crate::exchange) fn of<T>(what: impl FnOnce() -> T) -> (T, usize) {
        let before = DONE.get();
        let done = what();
        (done, DONE.get() - before)
    }
}

#[cfg(test)]
pub(super) mod tests;
