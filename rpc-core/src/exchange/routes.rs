//! Which servers there are, and which of them a message goes to.

use super::frame::{AnnouncedApi, AnnouncedService, Announcement};
use super::link::ClientLink;
use crate::{ErrorKind, RpcError, Version, introspection, text};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A server that a link's instance has announced.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) link: Arc<ClientLink>,
    pub(crate) service: AnnouncedService,
    /// The announcement that says so.
    pub(crate) announcement: Arc<Announcement>,
    instance: [u8; 16],
    /// Who announced earlier has the lower number.
    announced: u64,
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
#[derive(Debug, Default)]
pub(crate) struct Routes {
    topics: HashMap<String, Vec<Topic>>,
    last_announced: u64,
}

#[derive(Debug)]
struct Topic {
    exchange: String,
    routes: Vec<Arc<Route>>,
    /// Whose turn it is.
    next: usize,
}

impl Routes {
    fn topic(&self, exchange: &str, topic: &str) -> Option<&Topic> {
        self.topics
            .get(topic)?
            .iter()
            .find(|found| found.exchange == exchange)
    }

    /// Builds the table anew from the links that are up. Turns and precedence stay as they were.
    pub(crate) fn rebuild(&mut self, links: impl Iterator<Item = Arc<ClientLink>>) {
        let old = std::mem::take(&mut self.topics);
        let topics = old
            .iter()
            .flat_map(|(name, topics)| topics.iter().map(move |topic| (name, topic)));
        let known: HashMap<_, _> = topics
            .flat_map(|(name, topic)| {
                let routes = topic.routes.iter();
                routes.map(move |route| {
                    (
                        (
                            route.instance,
                            &**name,
                            &*topic.exchange,
                            &*route.service.server,
                        ),
                        route,
                    )
                })
            })
            .collect();
        for link in links {
            let Some(announcement) = link.announced() else {
                continue;
            };
            let allowed = announcement.services.iter().filter(|service| {
                link.may_announce(&service.exchange, &service.topic, &service.server)
            });
            for service in allowed {
                let before = old.get(&service.topic).and_then(|topics| {
                    topics
                        .iter()
                        .find(|found| found.exchange == service.exchange)
                });
                let known = known.get(&(
                    announcement.instance,
                    &*service.topic,
                    &*service.exchange,
                    &*service.server,
                ));
                let route = match known {
                    Some(route)
                        if Arc::ptr_eq(&route.link, &link)
                            && Arc::ptr_eq(&route.announcement, &announcement) =>
                    {
                        Arc::clone(route)
                    }
                    _ => {
                        let announced = known.map(|route| route.announced);
                        Arc::new(Route {
                            link: Arc::clone(&link),
                            service: service.clone(),
                            announcement: Arc::clone(&announcement),
                            instance: announcement.instance,
                            announced: announced.unwrap_or_else(|| {
                                self.last_announced += 1;
                                self.last_announced
                            }),
                        })
                    }
                };
                let topics = self.topics.entry(service.topic.clone()).or_default();
                let at = topics
                    .iter()
                    .position(|found| found.exchange == service.exchange)
                    .unwrap_or_else(|| {
                        topics.push(Topic {
                            exchange: service.exchange.clone(),
                            routes: Vec::new(),
                            next: before.map_or(0, |topic| topic.next),
                        });
                        topics.len() - 1
                    });
                topics[at].routes.push(route);
            }
        }
        for topic in self.topics.values_mut().flatten() {
            topic.routes.sort_by_key(|route| route.announced);
        }
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
        let Some(topic) = self.topics.get_mut(wanted.topic).and_then(|topics| {
            topics
                .iter_mut()
                .find(|found| found.exchange == wanted.exchange)
        }) else {
            return Err(Nobody::Absent);
        };
        let count = topic.routes.len();
        let (mut without_place, mut there, mut untried) = (None, false, false);
        for turn in 0..count {
            let at = (topic.next + turn) % count;
            let route = &topic.routes[at];
            if route.service.draining != draining || route.link.is_lost() {
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
            if route.link.has_place(wanted.bytes) {
                topic.next = at + 1;
                return Ok(Arc::clone(route));
            }
            without_place.get_or_insert(at);
        }
        match without_place {
            Some(at) => {
                topic.next = at + 1;
                Ok(Arc::clone(&topic.routes[at]))
            }
            None if untried => Err(Nobody::AllTried),
            None if there => Err(Nobody::Version),
            None => Err(Nobody::Absent),
        }
    }

    /// The newest version of a major that any server of a topic speaks which is not draining.
    pub(crate) fn newest(&self, wanted: Wanted<'_>, major: u16) -> Option<Version> {
        let topic = self.topic(wanted.exchange, wanted.topic)?;
        topic
            .routes
            .iter()
            .filter(|route| !route.service.draining && !route.link.is_lost())
            .filter_map(|route| route.service.newest(wanted.namespace, major))
            .max()
    }

    /// All that the servers of a topic speak, in words.
    pub(crate) fn spoken(&self, wanted: Wanted<'_>) -> String {
        let topic = self.topic(wanted.exchange, wanted.topic);
        let routes = topic.into_iter().flat_map(|topic| &topic.routes);
        // what leaves is no help
        let serving = routes.filter(|route| !route.service.draining);
        spoken(serving.map(|route| &**route)).join(", ")
    }

    /// Every server that is not draining, serves the version and was not tried.
    pub(crate) fn candidates(&self, wanted: Wanted<'_>, tried: &[Arc<Route>]) -> Vec<Arc<Route>> {
        self.topic(wanted.exchange, wanted.topic)
            .into_iter()
            .flat_map(|topic| &topic.routes)
            .filter(|route| !route.service.draining && !route.link.is_lost())
            .filter(|route| route.serves(wanted.namespace, wanted.version))
            .filter(|route| !tried.iter().any(|tried| same_server(tried, route)))
            .cloned()
            .collect()
    }

    /// The server of this name: who announced it first and is not draining; a draining one if there is no other.
    pub(crate) fn named(&self, wanted: Wanted<'_>, server: &str) -> Option<Arc<Route>> {
        let named = || {
            self.topic(wanted.exchange, wanted.topic)
                .into_iter()
                .flat_map(|topic| &topic.routes)
                .filter(|route| route.service.server == server && !route.link.is_lost())
        };
        let mut serving = named().filter(|route| !route.service.draining);
        let first = serving.next();
        if let (Some(first), Some(second)) = (first, serving.next()) {
            crate::log::rate_limited!({
                tracing::warn!(name: "rpc.server.name_taken", server = %first.name(), also = %second.name(),
                    "two instances announce the same server name; only the first is called by it");
            });
        }
        first.or_else(|| named().next()).cloned()
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
        let Some(topic) = self.topic(exchange, topic) else {
            return Vec::new();
        };
        let mut names = HashSet::new();
        let serving =
            |route: &&Arc<Route>| route.service.draining == draining && !route.link.is_lost();
        topic
            .routes
            .iter()
            .filter(serving)
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
        let topic = self.topic(exchange, topic);
        let serving = topic
            .into_iter()
            .flat_map(|topic| &topic.routes)
            .filter(|route| !route.service.draining && !route.link.is_lost());
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
