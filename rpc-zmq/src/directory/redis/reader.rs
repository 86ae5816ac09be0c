//! The client's side: which nodes serve the topics that are used.
//!
//! A poll asks for the marks of the topics, and reads a topic only when its mark has changed, or now and then while a node that it lists
//! has no link. A record is read once.
//!
//! A topic that can't be read keeps the nodes that were known of it, and no other topic back: it is read alone from then on, after the
//! others.

use super::connection::Connection;
use super::warnings::Warnings;
use super::{RedisServer, keys, record};
use crate::address::Address;
use crate::backoff::Backoff;
use crate::directory::{Dialler, Listing, MOST_NODES, jittered};
use redis::{Pipeline, RedisResult};
use rpc_core::exchange::{Outbound, TopicName};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// After how long a topic that nothing is sent to is not asked for any more.
const UNUSED: Duration = Duration::from_secs(600);

/// How many instances all topics have together at most, those counted twice that serve two.
const MOST_MEMBERS: usize = 64 * 1024;

/// How many topics are read at a time.
const TOPICS: usize = 16;

/// How many records are read at a time.
const RECORDS: usize = 32;

/// How many topics are warned of in a minute at most.
const WARNINGS: usize = 16;

/// By this code Redis refuses a key, or a command.
const NOT_ALLOWED: &str = "NOPERM";

type Instance = [u8; 16];

/// What is known of a topic.
#[derive(Debug, Default)]
struct Topic {
    mark: Vec<u8>,
    read: Option<Instant>,
    instances: BTreeSet<Instance>,
    /// It could not be read the last time.
    broken: bool,
}

/// A topic that is to be read, and its mark.
type Stale = (TopicName, Vec<u8>);

/// What is known of what Redis holds.
struct Reader<'a> {
    server: &'a RedisServer,
    topics: BTreeMap<TopicName, Topic>,
    nodes: BTreeMap<Instance, Address>,
    /// Something was read, and not all of it: it is not listed yet.
    unlisted: bool,
    /// A node of a topic has no record that can be read. It may get one that changes no mark.
    unrecorded: bool,
    topics_warned: Warnings,
    records_warned: Warnings,
}

/// Lists the nodes of the topics that are used again and again: when a topic is used first, when a link is lost, and as often as the
/// URL says.
pub(in crate::directory) async fn follow(dialler: &Arc<Dialler>, server: &RedisServer) {
    let outbound = &dialler.outbound;
    let mut reader = Reader {
        server,
        topics: BTreeMap::new(),
        nodes: BTreeMap::new(),
        unlisted: false,
        unrecorded: false,
        topics_warned: Warnings::about(WARNINGS),
        records_warned: Warnings::about(1),
    };
    let mut connection = None;
    let mut backoff = Backoff::new();
    let mut forgotten = Instant::now();
    loop {
        if forgotten.elapsed() > UNUSED {
            forgotten = Instant::now();
            outbound.forget_unused_topics();
        }
        match reader.poll(&mut connection, dialler).await {
            Ok(()) => {
                backoff.reset();
                tokio::select! {
                    () = sleep(jittered(server.poll)) => {}
                    () = outbound.topic_wanted() => {}
                    () = dialler.link_lost() => {}
                }
            }
            Err(reason) => {
                connection = None;
                outbound.directory_failed(&reason);
                sleep(backoff.next()).await;
            }
        }
    }
}

impl Reader<'_> {
    async fn poll(
        &mut self,
        connection: &mut Option<Connection>,
        dialler: &Arc<Dialler>,
    ) -> Result<(), String> {
        let wanted = dialler.outbound.topics_wanted();
        let before = self.topics.len();
        self.topics.retain(|name, _| wanted.contains(name));
        self.unlisted |= self.topics.len() < before;
        if wanted.is_empty() {
            if std::mem::take(&mut self.unlisted) {
                dialler.list(Listing::new(), true);
            }
            return Ok(());
        }
        let marks = ask_for_marks(self.opened(connection).await?, &wanted).await?;
        let missing = self.unrecorded || dialler.misses_some();
        let (broken, sound): (Vec<Stale>, Vec<Stale>) = wanted
            .iter()
            .cloned()
            .zip(marks)
            .filter(|(name, mark)| {
                self.topics
                    .get(name)
                    .is_none_or(|topic| topic.is_stale(mark, missing, self.server.lease))
            })
            .partition(|(name, _)| self.is_broken(name));
        self.take_in(connection, dialler, &wanted, &sound).await?;
        if !broken.is_empty() {
            self.take_in(connection, dialler, &wanted, &broken).await?;
        }
        Ok(())
    }

    async fn opened<'a>(
        &self,
        connection: &'a mut Option<Connection>,
    ) -> Result<&'a mut Connection, String> {
        match connection {
            Some(connection) => Ok(connection),
            none => Ok(none.insert(Connection::open(self.server).await?)),
        }
    }

    fn is_broken(&self, name: &TopicName) -> bool {
        self.topics.get(name).is_some_and(|topic| topic.broken)
    }

    /// Reads topics, and lists what is known then.
    async fn take_in(
        &mut self,
        connection: &mut Option<Connection>,
        dialler: &Arc<Dialler>,
        wanted: &[TopicName],
        stale: &[Stale],
    ) -> Result<(), String> {
        let outbound = &dialler.outbound;
        if !stale.is_empty() {
            self.unlisted = true;
            self.read_topics(connection, outbound, stale).await?;
        }
        if self.unlisted {
            self.read_records(self.opened(connection).await?).await?;
            dialler.list(dialler.bounded(self.listing()), true);
            self.unlisted = false;
        }
        let read = wanted.iter().filter(|name| !self.is_broken(name));
        outbound.directory_answered(&read.cloned().collect::<Vec<_>>());
        Ok(())
    }

    /// Reads topics, several at a time. When an answer is too long, each of them is read alone, to tell which it is.
    async fn read_topics(
        &mut self,
        connection: &mut Option<Connection>,
        outbound: &Outbound,
        stale: &[Stale],
    ) -> Result<(), String> {
        let now = self.opened(connection).await?.now().await?;
        let mut pages: Vec<&[Stale]> = stale.chunks(TOPICS).collect();
        while let Some(page) = pages.pop() {
            if page.len() > 1 && page.iter().any(|(name, _)| self.is_broken(name)) {
                pages.extend(page.chunks(1));
                continue;
            }
            let opened = self.opened(connection).await?;
            let Err(reason) = self.read_page(opened, outbound, page, now).await else {
                continue;
            };
            let is_too_long = opened.too_long().is_some();
            match page {
                [one] if is_too_long || self.is_broken(&one.0) => {
                    self.breaks(outbound, one, &reason);
                }
                _ if is_too_long => pages.extend(page.chunks(1)),
                _ => return Err(reason),
            }
            *connection = None;
        }
        Ok(())
    }

    /// A topic can't be read.
    fn breaks(&mut self, outbound: &Outbound, (name, mark): &Stale, reason: &str) {
        self.warn_of(name, reason);
        outbound.topic_failed(name, reason);
        let topic = self.topics.entry(name.clone()).or_default();
        topic.mark.clone_from(mark);
        topic.read = Some(Instant::now());
        topic.broken = true;
    }

    fn warn_of(&mut self, name: &TopicName, reason: &str) {
        let key = keys::topic(name);
        self.topics_warned.say(self.server, &key, reason);
    }

    async fn read_page(
        &mut self,
        connection: &mut Connection,
        outbound: &Outbound,
        page: &[Stale],
        now: u64,
    ) -> Result<(), String> {
        let mut commands = Pipeline::new();
        for (name, _) in page {
            commands
                .cmd("ZRANGEBYSCORE")
                .arg(keys::topic(name))
                .arg(format!("({now}"))
                .arg("+inf")
                .arg("LIMIT")
                .arg(0)
                .arg(MOST_NODES + 1);
        }
        let found: Vec<RedisResult<Vec<Vec<u8>>>> =
            connection.ask(commands.ignore_errors()).await?;
        for (stale, members) in page.iter().zip(found) {
            let (name, mark) = stale;
            if let Err(error) = &members
                && error.code() == Some(NOT_ALLOWED)
            {
                self.breaks(outbound, stale, &error.to_string());
                continue;
            }
            let members = readable(members)?.unwrap_or_else(|reason| {
                self.warn_of(name, &reason);
                Vec::new()
            });
            let count = members.len();
            let instances: BTreeSet<Instance> = members
                .iter()
                .filter_map(|member| keys::unhex(member))
                .collect();
            if instances.len() < count {
                self.warn_of(name, "it lists what is no instance");
            }
            let topic = Topic {
                mark: mark.clone(),
                read: Some(Instant::now()),
                instances: BTreeSet::new(),
                broken: false,
            };
            self.topics.insert(name.clone(), topic);
            let known: usize = self
                .topics
                .values()
                .map(|topic| topic.instances.len())
                .sum();
            let room = MOST_MEMBERS.saturating_sub(known);
            if instances.len() > room {
                self.warn_of(name, "the topics list more instances than are followed");
            }
            if let Some(topic) = self.topics.get_mut(name) {
                topic.instances = instances.into_iter().take(room).collect();
            }
        }
        Ok(())
    }

    /// Reads the records that are not known yet.
    async fn read_records(&mut self, connection: &mut Connection) -> Result<(), String> {
        let instances: BTreeSet<Instance> = self
            .topics
            .values()
            .flat_map(|topic| topic.instances.iter().copied())
            .collect();
        self.nodes.retain(|known, _| instances.contains(known));
        self.unrecorded = false;
        let unknown: Vec<Instance> = instances
            .into_iter()
            .filter(|instance| !self.nodes.contains_key(instance))
            // one more, so that it is seen that there are too many
            .take((MOST_NODES + 1).saturating_sub(self.nodes.len()))
            .collect();
        for page in unknown.chunks(RECORDS) {
            let mut commands = Pipeline::new();
            for instance in page {
                commands
                    .cmd("GETRANGE")
                    .arg(keys::node(&keys::hex(*instance)))
                    .arg(0)
                    .arg(record::LONGEST);
            }
            let found: Vec<RedisResult<Vec<u8>>> = connection.ask(commands.ignore_errors()).await?;
            for (instance, text) in page.iter().zip(found) {
                match readable(text)? {
                    // its lease has just ended
                    Ok(text) if text.is_empty() => self.unrecorded = true,
                    text => match text.and_then(|text| record::read(&text, *instance)) {
                        Ok(address) => drop(self.nodes.insert(*instance, address)),
                        Err(wrong) => {
                            self.unrecorded = true;
                            let key = keys::node(&keys::hex(*instance));
                            self.records_warned.say(self.server, &key, &wrong);
                        }
                    },
                }
            }
        }
        Ok(())
    }

    fn listing(&self) -> Listing {
        let mut listing = Listing::new();
        for (name, topic) in &self.topics {
            for instance in &topic.instances {
                let Some(address) = self.nodes.get(instance) else {
                    continue;
                };
                let listed = listing.entry(address.clone()).or_default();
                listed.instances.insert(*instance);
                let topics = listed.topics.get_or_insert_default();
                topics.insert(name.clone());
            }
        }
        listing
    }
}

impl Topic {
    fn is_stale(&self, mark: &[u8], missing: bool, lease: Duration) -> bool {
        let Some(read) = self.read else {
            return true;
        };
        let look_again = read.elapsed() > lease / 3;
        if self.broken {
            return look_again;
        }
        // a node that is gone without a word is not marked
        let look_again = missing && look_again;
        mark.is_empty() || mark != self.mark || look_again
    }
}

/// The mark of each topic, empty if there is none.
async fn ask_for_marks(
    connection: &mut Connection,
    topics: &[TopicName],
) -> Result<Vec<Vec<u8>>, String> {
    let mut commands = Pipeline::new();
    for name in topics {
        commands
            .cmd("GETRANGE")
            .arg(keys::mark(name))
            .arg(0)
            .arg(63);
    }
    let marks: Vec<RedisResult<Vec<u8>>> = connection.ask(commands.ignore_errors()).await?;
    let marks = marks.into_iter();
    marks
        .map(|mark| Ok(readable(mark)?.unwrap_or_default()))
        .collect()
}

/// What is of another type was put there by somebody else, and is as if it were not there, as is what this side may not read: why. Any
/// other error is Redis', which may be loading: it says nothing of what is there.
fn readable<T>(answer: RedisResult<T>) -> Result<Result<T, String>, String> {
    answer.map(Ok).or_else(|error| match error.code() {
        Some("WRONGTYPE" | NOT_ALLOWED) => Ok(Err(error.to_string())),
        _ => Err(error.to_string()),
    })
}
