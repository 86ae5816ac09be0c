//! The servers of each topic. What one node announces is put in and taken out without a look at the others.

use super::routes::{Route, work};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::iter;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Every topic that has a server, by name, then exchange.
#[derive(Debug, Default)]
pub(super) struct Topics(BTreeMap<String, Vec<Topic>>);

/// The servers of one topic, in the order in which they were announced first.
#[derive(Debug, Default)]
pub(super) struct Topic {
    exchange: String,
    routes: BTreeMap<u64, Arc<Route>>,
    /// Which of them have a name.
    named: HashMap<String, BTreeSet<u64>>,
    /// Whose turn it is: this one, or the next that is there.
    next: u64,
    /// When a message was sent to it last.
    used: Option<Instant>,
}

impl Topics {
    pub(super) fn get(&self, exchange: &str, topic: &str) -> Option<&Topic> {
        let mut topics = self.0.get(topic)?.iter();
        topics.find(|found| found.exchange == exchange)
    }

    pub(super) fn get_mut(&mut self, exchange: &str, topic: &str) -> Option<&mut Topic> {
        let mut topics = self.0.get_mut(topic)?.iter_mut();
        topics.find(|found| found.exchange == exchange)
    }

    /// Puts a server in, in place of what it was announced as before.
    pub(super) fn add(&mut self, route: Arc<Route>) {
        work::count();
        let service = &route.service;
        let topics = self.0.entry(service.topic.clone());
        // most are in one exchange only
        let topics = topics.or_insert_with(|| Vec::with_capacity(1));
        let at = topics
            .iter()
            .position(|found| found.exchange == service.exchange)
            .unwrap_or_else(|| {
                topics.push(Topic {
                    exchange: service.exchange.clone(),
                    ..Topic::default()
                });
                topics.len() - 1
            });
        let topic = &mut topics[at];
        let named = topic.named.entry(service.server.clone()).or_default();
        named.insert(route.announced);
        topic.routes.insert(route.announced, route);
    }

    /// Takes a server out.
    pub(super) fn remove(&mut self, route: &Route) {
        work::count();
        let service = &route.service;
        let Some(topics) = self.0.get_mut(&service.topic) else {
            return;
        };
        topics.retain_mut(|topic| {
            if topic.exchange == service.exchange {
                topic.remove(route);
            }
            !topic.routes.is_empty()
        });
        if topics.is_empty() {
            self.0.remove(&service.topic);
        }
    }
}

impl Topic {
    fn remove(&mut self, route: &Route) {
        self.routes.remove(&route.announced);
        if let Some(named) = self.named.get_mut(&route.service.server) {
            named.remove(&route.announced);
            if named.is_empty() {
                self.named.remove(&route.service.server);
            }
        }
    }

    /// Those whose link is up, in order.
    pub(super) fn up(&self) -> impl Iterator<Item = &Arc<Route>> {
        self.routes.values().filter(|route| route.is_up())
    }

    /// Those whose link is up, beginning with the one whose turn it is.
    pub(super) fn up_in_turn(&self) -> impl Iterator<Item = &Arc<Route>> {
        let after = self.routes.range(self.next..);
        // looked for only if nobody after takes the message
        let before = iter::once_with(|| self.routes.range(..self.next)).flatten();
        let rest = after.chain(before);
        rest.map(|(_, route)| route).filter(|route| route.is_up())
    }

    /// It was the turn of this one.
    pub(super) fn had_its_turn(&mut self, route: &Route) {
        self.next = route.announced + 1;
    }

    /// Those with a name whose link is up, in order.
    pub(super) fn up_named(&self, server: &str) -> impl Iterator<Item = &Arc<Route>> {
        let named = self.named.get(server).into_iter().flatten();
        named
            .filter_map(|announced| self.routes.get(announced))
            .filter(|route| route.is_up())
    }

    /// A message is sent to it. `true` if none was for so long.
    pub(super) fn is_used(&mut self, now: Instant, unused: Duration) -> bool {
        let used = self.used.replace(now);
        used.is_none_or(|used| now.saturating_duration_since(used) > unused)
    }

    /// When a message was sent to it last.
    pub(super) fn used(&self) -> Option<Instant> {
        self.used
    }
}
