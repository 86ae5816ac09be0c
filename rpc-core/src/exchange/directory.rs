//! A directory that has to be asked for nodes: which topics it is asked for, and whether it has answered.
//!
//! What it says is additive: nodes are added, and a link ends only when its connection does.

use super::Outbound;
use super::nodes::NodeId;
use super::trouble::Trouble;
use crate::{Target, lock, text};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How many topics a directory is asked for at most.
const MOST_TOPICS: usize = 4096;

/// A topic within an exchange.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicName {
    /// The exchange, empty for the unnamed one.
    pub exchange: String,
    /// The topic.
    pub topic: String,
}

/// What is known of the directory that nodes come from. A list is complete, and needs none.
#[derive(Debug)]
pub(super) struct Directory {
    name: String,
    /// Whether it is asked for topics. Otherwise it is for all of them.
    by_topic: bool,
    /// By topic, then exchange. Of a directory that is for all topics: nothing.
    topics: BTreeMap<String, Vec<Asked>>,
    count: usize,
    /// Whether it has said which nodes there are, whatever the topic.
    answered: bool,
    trouble: Trouble,
    /// When all was well last.
    well: Option<Instant>,
    /// How often it could not be asked.
    failures: u64,
    wanted: Arc<Notify>,
}

/// A topic that a message was sent to.
#[derive(Debug)]
struct Asked {
    exchange: String,
    answered: bool,
    /// Why the directory can't answer for this topic, though it answers for others.
    trouble: Option<String>,
    /// Since unused ones were forgotten last.
    used: bool,
}

impl Directory {
    /// A message is sent to this topic.
    pub(super) fn want(&mut self, target: &Target) {
        if !self.by_topic {
            return;
        }
        let (exchange, topic) = (target.exchange_name(), target.topic_name());
        if let Some(asked) = self.topics.get_mut(topic)
            && let Some(asked) = asked.iter_mut().find(|asked| asked.exchange == exchange)
        {
            asked.used = true;
            return;
        }
        if self.count == MOST_TOPICS {
            return;
        }
        self.count += 1;
        self.topics
            .entry(topic.to_owned())
            .or_default()
            .push(Asked {
                exchange: exchange.to_owned(),
                answered: false,
                trouble: None,
                used: true,
            });
        self.wanted.notify_one();
    }

    fn asked(&self, target: &Target) -> Option<&Asked> {
        let asked = self.topics.get(target.topic_name())?;
        let exchange = target.exchange_name();
        asked.iter().find(|asked| asked.exchange == exchange)
    }

    fn asked_mut(&mut self, exchange: &str, topic: &str) -> Option<&mut Asked> {
        let mut asked = self.topics.get_mut(topic)?.iter_mut();
        asked.find(|asked| asked.exchange == exchange)
    }

    pub(super) fn has_answered(&self, target: &Target) -> bool {
        if self.by_topic {
            self.asked(target).is_some_and(|asked| asked.answered)
        } else {
            self.answered
        }
    }

    /// How often it could not be asked.
    pub(super) fn failures(&self) -> u64 {
        self.failures
    }

    /// Whether it has answered for this topic, or could not be asked since `before` was noted.
    pub(super) fn has_settled(&self, target: &Target, before: u64) -> bool {
        self.has_answered(target) || (self.trouble(target).is_some() && self.failures > before)
    }

    /// What is wrong with it, or with what it says of this topic.
    fn trouble(&self, target: &Target) -> Option<&str> {
        let of_topic = || self.asked(target)?.trouble.as_deref();
        self.trouble.reason().or_else(of_topic)
    }

    /// Its name and what is wrong with it, if it may know of nodes that are not known here.
    pub(super) fn unreached(&self, target: &Target) -> Option<(String, String)> {
        let trouble = self.trouble(target)?;
        (!self.has_answered(target)).then(|| (self.shown(), text::shown(trouble)))
    }

    /// What it has to do with it that nobody is there.
    pub(super) fn absence(&self, target: &Target) -> String {
        let name = self.shown();
        match self.trouble(target) {
            Some(trouble) => format!("{name}: {}{}", text::shown(trouble), self.since()),
            None if self.has_answered(target) => format!("{name} was asked"),
            None if self.by_topic && self.asked(target).is_none() => {
                format!("{name} is asked for {MOST_TOPICS} other topics already")
            }
            None => format!("{name} has not answered yet"),
        }
    }

    /// For how long it has been in trouble, unless that has just begun or was always so.
    fn since(&self) -> String {
        // one topic may be in trouble while all the others are well
        let well = self.well.filter(|_| self.trouble.reason().is_some());
        let well = well.map_or(0, |well| well.elapsed().as_secs());
        match well {
            0 => String::new(),
            ago => format!(" (it answered until {ago} s ago)"),
        }
    }

    fn shown(&self) -> String {
        format!("directory {}", self.name)
    }
}

impl Outbound {
    /// Nodes come from a directory that has to be asked; errors call it by this name. `by_topic` if it is asked for the nodes of
    /// the topics that are used, and not for all nodes.
    pub fn set_directory(&self, name: &str, by_topic: bool) {
        lock(&self.table).directory = Some(Directory {
            name: text::shown(name),
            by_topic,
            topics: BTreeMap::new(),
            count: 0,
            answered: false,
            trouble: Trouble::default(),
            well: None,
            failures: 0,
            wanted: Arc::default(),
        });
    }

    /// Waits until a message is sent to a topic that the directory was not asked for yet; for ever if it is not asked for topics.
    ///
    /// Cancel safe.
    pub async fn topic_wanted(&self) {
        let wanted = {
            let table = lock(&self.table);
            table.directory.as_ref().map(|known| known.wanted.clone())
        };
        match wanted {
            Some(wanted) => wanted.notified().await,
            None => std::future::pending().await,
        }
    }

    /// The topics that the directory is to be asked for: those that messages were sent to.
    #[must_use]
    pub fn topics_wanted(&self) -> Vec<TopicName> {
        let table = lock(&self.table);
        let topics = table.directory.iter().flat_map(|known| &known.topics);
        topics
            .flat_map(|(topic, asked)| {
                asked.iter().map(|asked| TopicName {
                    exchange: asked.exchange.clone(),
                    topic: topic.clone(),
                })
            })
            .collect()
    }

    /// Forgets the topics that nothing was sent to since this was called last. Whoever waits for one uses it again.
    pub fn forget_unused_topics(&self) {
        let mut table = lock(&self.table);
        let Some(directory) = &mut table.directory else {
            return;
        };
        directory.topics.retain(|_, asked| {
            asked.retain_mut(|asked| std::mem::take(&mut asked.used));
            !asked.is_empty()
        });
        directory.count = directory.topics.values().map(Vec::len).sum();
        drop(table);
        self.changed.notify_waiters();
    }

    /// The directory has answered for these topics, and its nodes were added.
    pub fn directory_answered(&self, topics: &[TopicName]) {
        let mut table = lock(&self.table);
        let Some(directory) = &mut table.directory else {
            return;
        };
        directory.well = Some(Instant::now());
        let recovered = directory.trouble.ends();
        let name = recovered.then(|| directory.name.clone());
        let mut news = recovered;
        news |= !std::mem::replace(&mut directory.answered, true);
        for TopicName { exchange, topic } in topics {
            if let Some(asked) = directory.asked_mut(exchange, topic) {
                news |= !std::mem::replace(&mut asked.answered, true);
                asked.trouble = None;
            }
        }
        drop(table);
        if let Some(name) = name {
            tracing::info!(name: "rpc.directory.recovered", directory = name, "the directory answers again");
        }
        if news {
            self.changed.notify_waiters();
        }
    }

    /// The directory could not be asked. What is linked stays so.
    pub fn directory_failed(&self, reason: &str) {
        let mut table = lock(&self.table);
        let Some(directory) = &mut table.directory else {
            return;
        };
        directory.failures += 1;
        let news = directory.trouble.goes_on(reason);
        let name = directory.name.clone();
        drop(table);
        if news {
            let reason = text::shown(reason);
            tracing::warn!(name: "rpc.directory.failed", directory = name, reason, "the directory can't be asked; what is linked stays so");
        }
        self.changed.notify_waiters();
    }

    /// The directory answers, but what it says of this topic can't be read. Whoever looks for another is not concerned.
    pub fn topic_failed(&self, TopicName { exchange, topic }: &TopicName, reason: &str) {
        let mut table = lock(&self.table);
        let Some(directory) = &mut table.directory else {
            return;
        };
        directory.failures += 1;
        if let Some(asked) = directory.asked_mut(exchange, topic) {
            asked.trouble = Some(reason.to_owned());
        }
        drop(table);
        self.changed.notify_waiters();
    }

    /// Says which topics a node has, as far as the directory knows. Whoever looks for another does not ask for this node.
    pub fn set_topics(&self, node: NodeId, topics: BTreeSet<TopicName>) {
        let mut table = lock(&self.table);
        table.sights.go_by_topic();
        let topics = Some(topics);
        let is_news = table
            .nodes
            .get(&node)
            .is_some_and(|node| node.topics != topics);
        if !is_news {
            return;
        }
        if let Some(node) = table.change(node) {
            node.topics = topics;
        }
        // it matters to those who look for what it had, and for what it has
        table.change(node);
        drop(table);
        // whoever waits for one of them may need this node, which may rest
        self.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::advance;

    fn outbound(by_topic: bool) -> Outbound {
        let outbound = Outbound::default();
        outbound.set_directory("redis://host:6379", by_topic);
        outbound
    }

    fn want(outbound: &Outbound, topic: &str) {
        lock(&outbound.table).need(&Target::topic(topic));
    }

    fn has_settled(outbound: &Outbound, topic: &str) -> bool {
        let mut table = lock(&outbound.table);
        table.all_settled(&Target::topic(topic), &Default::default())
    }

    #[test]
    fn it_has_settled_once_it_has_answered_for_the_topic() {
        let outbound = outbound(true);
        want(&outbound, "a");
        assert!(!has_settled(&outbound, "a"));
        outbound.directory_answered(&outbound.topics_wanted());
        assert!(has_settled(&outbound, "a"));
        want(&outbound, "b");
        assert!(!has_settled(&outbound, "b"));
        outbound.directory_failed("refused");
        assert!(has_settled(&outbound, "b"));
        let absence = lock(&outbound.table).absence(&Target::topic("b"), &"");
        assert!(
            absence.ends_with("directory redis://host:6379: refused"),
            "{absence}"
        );
        let unreached = |topic| outbound.unreached(&Target::topic(topic)).len();
        assert_eq!((unreached("a"), unreached("b")), (0, 1));
    }

    #[test]
    fn what_is_wrong_with_one_topic_is_no_trouble_of_another() {
        let outbound = outbound(true);
        want(&outbound, "a");
        want(&outbound, "b");
        let topics = outbound.topics_wanted();
        outbound.directory_answered(&topics[..1]);
        outbound.topic_failed(&topics[1], "too\nlong");
        assert!(has_settled(&outbound, "a") && has_settled(&outbound, "b"));
        let unreached = |topic| outbound.unreached(&Target::topic(topic)).len();
        assert_eq!((unreached("a"), unreached("b")), (0, 1));
        let absence = |topic| lock(&outbound.table).absence(&Target::topic(topic), &"");
        assert!(absence("a").ends_with("was asked"), "{}", absence("a"));
        assert!(
            absence("b").ends_with(": too\\u{a}long"),
            "{}",
            absence("b")
        );
        outbound.directory_answered(&topics);
        assert!(absence("b").ends_with("was asked"), "{}", absence("b"));
    }

    #[test]
    fn one_for_all_topics_is_asked_for_none() {
        let outbound = outbound(false);
        want(&outbound, "a");
        assert_eq!(outbound.topics_wanted(), []);
        assert!(!has_settled(&outbound, "a"));
        outbound.directory_answered(&[]);
        assert!(has_settled(&outbound, "a") && has_settled(&outbound, "b"));
    }

    #[test]
    fn topics_that_nothing_is_sent_to_are_forgotten_and_others_are_bounded() {
        let outbound = outbound(true);
        for topic in 0..=MOST_TOPICS {
            want(&outbound, &topic.to_string());
        }
        assert_eq!(outbound.topics_wanted().len(), MOST_TOPICS);
        let absence = lock(&outbound.table).absence(&Target::topic(MOST_TOPICS.to_string()), &"");
        assert!(absence.contains("4096 other topics"), "{absence}");
        outbound.forget_unused_topics();
        want(&outbound, "7");
        outbound.forget_unused_topics();
        let left = TopicName {
            exchange: String::new(),
            topic: "7".into(),
        };
        assert_eq!(outbound.topics_wanted(), [left]);
    }

    #[test]
    fn a_node_is_missed_only_by_whoever_looks_for_its_topics() {
        let outbound = outbound(true);
        let node = outbound.add_node("host:1");
        want(&outbound, "a");
        want(&outbound, "b");
        let mut topics = outbound.topics_wanted();
        outbound.directory_answered(&topics);
        outbound.set_topics(node, topics.drain(..1).collect());
        assert!(!has_settled(&outbound, "a") && has_settled(&outbound, "b"));
        let unreached = |topic| outbound.unreached(&Target::topic(topic)).len();
        assert_eq!((unreached("a"), unreached("b")), (1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_says_since_when_a_directory_is_in_trouble() {
        let outbound = outbound(true);
        want(&outbound, "a");
        let absence = || lock(&outbound.table).absence(&Target::topic("b"), &"");
        advance(Duration::from_secs(5)).await;
        outbound.directory_failed("refused");
        assert!(absence().ends_with("6379: refused"), "{}", absence());
        outbound.directory_answered(&outbound.topics_wanted());
        advance(Duration::from_secs(12)).await;
        outbound.directory_failed("refused");
        let expected = "6379: refused (it answered until 12 s ago)";
        assert!(absence().ends_with(expected), "{}", absence());
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_says_which_node_is_not_listed_any_more_and_what_was_wrong_with_it() {
        let outbound = outbound(true);
        want(&outbound, "a");
        let topics: BTreeSet<TopicName> = outbound.topics_wanted().into_iter().collect();
        let come_and_go = |address: &str, topics: BTreeSet<TopicName>| {
            let node = outbound.add_node(address);
            outbound.set_topics(node, topics);
            outbound.dial_failed(node, "connection refused");
            outbound.remove_node(node);
        };
        let absence = |topic| lock(&outbound.table).absence(&Target::topic(topic), &"");
        come_and_go("host:1", topics.clone());
        advance(Duration::from_secs(3)).await;
        come_and_go("host:2", BTreeSet::new());
        let expected = "; the last one was host:1, listed until 3 s ago (connection refused)";
        assert!(absence("a").ends_with(expected), "{}", absence("a"));
        assert!(!absence("b").contains("listed"), "{}", absence("b"));
        // it is there again
        let node = outbound.add_node("host:1");
        outbound.set_topics(node, BTreeSet::new());
        assert!(!absence("a").contains("listed"), "{}", absence("a"));
        // the last ones are known, and no others
        for node in 0..1000 {
            come_and_go(&format!("another:{node}"), topics.clone());
        }
        assert!(absence("a").contains("another:999"), "{}", absence("a"));
        assert!(lock(&outbound.table).gone.len() <= 8);
    }
}
