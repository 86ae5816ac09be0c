//! Whether nodes have settled: are linked, or were tried and could not be reached.
//!
//! Whoever waits for a topic asks this after every event. So what a look at all nodes shows is kept for all who wait for that topic, until
//! something changes of a node that may have it.

use super::directory::{Directory, TopicName};
use super::link::Identity;
use super::nodes::{Node, NodeId, Nodes};
use super::routes::work;
use crate::Target;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use tokio::time::Instant;

/// For how many topics it is kept what was seen. For one more, all is looked at again.
const MOST_SIGHTS: usize = 4096;

/// Within so long, those who are needed again have been called already.
const NEEDED: Duration = Duration::from_millis(10);

/// A moment: how often nodes, and the directory, had settled by then. The default is the beginning.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Settled {
    nodes: u64,
    directory: u64,
}

/// What was seen of the nodes that may have servers of a topic.
#[derive(Clone, Copy, Debug)]
struct Sight {
    /// Each of them is linked, or has settled at this moment or later.
    settled: u64,
    /// None of them is going to be dialled.
    linked: bool,
    /// Some lead to instances that other addresses lead to.
    twins: bool,
    /// When they were needed last.
    needed: Option<Instant>,
}

/// What was seen of nodes and still holds.
#[derive(Debug, Default)]
pub(super) struct Sights {
    /// How often nodes have settled.
    settled: u64,
    /// Whether the directory knows which topics a node has. Without, every topic is like any other.
    by_topic: bool,
    of_topics: HashMap<TopicName, Sight>,
}

impl Sights {
    /// Something changes of a node.
    pub(super) fn forget(&mut self, node: &Node) {
        match &node.topics {
            None => self.of_topics.clear(),
            Some(topics) => self.of_topics.retain(|topic, _| !topics.contains(topic)),
        }
    }

    /// An instance is linked, or not any more. That matters to other addresses that lead to it.
    pub(super) fn forget_twins(&mut self) {
        self.of_topics.retain(|_, sight| !sight.twins);
    }

    /// The directory knows which topics a node has.
    pub(super) fn go_by_topic(&mut self) {
        if !std::mem::replace(&mut self.by_topic, true) {
            self.of_topics.clear();
        }
    }
}

impl Nodes {
    /// A node, to be changed.
    pub(super) fn change(&mut self, node: NodeId) -> Option<&mut Node> {
        let entry = self.nodes.get_mut(&node)?;
        self.sights.forget(entry);
        Some(entry)
    }

    /// A node has announced itself, or could not be reached.
    pub(super) fn settle(&mut self, node: NodeId) -> Option<&mut Node> {
        self.sights.settled += 1;
        let settled = self.sights.settled;
        let entry = self.change(node)?;
        entry.settled = settled;
        Some(entry)
    }

    /// Whether the directory has answered and each node is linked, or they have been tried since `before` was noted.
    pub(super) fn all_settled(&mut self, target: &Target, before: &Settled) -> bool {
        let known = |known: &Directory| known.has_settled(target, before.directory);
        self.directory.as_ref().is_none_or(known) && self.sight(target).settled > before.nodes
    }

    /// Whether the directory has answered, and nobody is going to be dialled.
    pub(super) fn all_linked(&mut self, target: &Target) -> bool {
        let answered = |known: &Directory| known.has_answered(target);
        self.directory.as_ref().is_none_or(answered) && self.sight(target).linked
    }

    pub(super) fn settled(&self) -> Settled {
        Settled {
            nodes: self.sights.settled,
            directory: self.directory.as_ref().map_or(0, Directory::failures),
        }
    }

    /// Those who may have servers of this topic are needed. `true` unless that was so just now, and nothing has changed since.
    pub(super) fn is_needed_anew(&mut self, target: &Target, now: Instant) -> bool {
        let sight = self.sight(target);
        let anew = sight
            .needed
            .is_none_or(|needed| now.saturating_duration_since(needed) >= NEEDED);
        if anew {
            sight.needed = Some(now);
        }
        anew
    }

    fn sight(&mut self, target: &Target) -> &mut Sight {
        let sights = &mut self.sights;
        let name = |name: &str| if sights.by_topic { name } else { "" }.to_owned();
        let topic = TopicName {
            exchange: name(target.exchange_name()),
            topic: name(target.topic_name()),
        };
        if sights.of_topics.len() >= MOST_SIGHTS && !sights.of_topics.contains_key(&topic) {
            sights.of_topics.clear();
        }
        let seen = || look(&self.nodes, &self.instances, target);
        sights.of_topics.entry(topic).or_insert_with(seen)
    }
}

fn look(
    nodes: &BTreeMap<NodeId, Box<Node>>,
    instances: &HashMap<Identity, NodeId>,
    target: &Target,
) -> Sight {
    let mut sight = Sight {
        settled: u64::MAX,
        linked: true,
        twins: false,
        needed: None,
    };
    for node in nodes.values() {
        work::count();
        if node.link.is_some() || !node.may_have(target) {
            continue;
        }
        let is_twin = node.is_twin(instances);
        sight.linked &= is_twin;
        sight.twins |= node.twin.is_some();
        // one that was a twin may be the way to its instance now
        let is_known = !node.resting && (node.twin.is_none() || is_twin);
        sight.settled = sight.settled.min(if is_known { node.settled } else { 0 });
    }
    sight
}

#[cfg(test)]
pub(super) mod tests;
