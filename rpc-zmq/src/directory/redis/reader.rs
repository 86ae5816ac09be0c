//! The client's side: which nodes serve the topics that are used.
//!
//! A poll asks for the marks of the topics, and reads a topic only when its mark has changed, or now and then while a node that it lists
//! has no link. A record is read once.

use super::connection::Connection;
use super::{RedisServer, keys, record};
use crate::address::Address;
use crate::backoff::Backoff;
use crate::directory::{Dialler, Listing, MOST_NODES, jittered};
use redis::{Pipeline, RedisResult};
use rpc_core::exchange::TopicName;
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

/// How often a warning about what is kept in Redis is logged at most.
const WARNING: Duration = Duration::from_secs(60);

type Instance = [u8; 16];

/// What is known of a topic.
#[derive(Debug, Default)]
struct Topic {
    mark: Vec<u8>,
    read: Option<Instant>,
    instances: BTreeSet<Instance>,
}

/// What is known of what Redis holds.
struct Reader<'a> {
    server: &'a RedisServer,
    topics: BTreeMap<TopicName, Topic>,
    nodes: BTreeMap<Instance, Address>,
    /// Something was read, and not all of it: it is not listed yet.
    unlisted: bool,
    /// A node of a topic has no record that can be read. It may get one that changes no mark.
    unrecorded: bool,
    warned: Option<Instant>,
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
        warned: None,
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
        let connection = match connection {
            Some(connection) => connection,
            none => none.insert(Connection::open(self.server).await?),
        };
        let marks = ask_for_marks(connection, &wanted).await?;
        let missing = self.unrecorded || dialler.misses_some();
        let marked: Vec<(TopicName, Vec<u8>)> = wanted
            .iter()
            .cloned()
            .zip(marks)
            .filter(|(name, mark)| {
                self.topics
                    .get(name)
                    .is_none_or(|topic| topic.is_stale(mark, missing, self.server.lease))
            })
            .collect();
        if !marked.is_empty() {
            self.unlisted = true;
            let now = connection.now().await?;
            for page in marked.chunks(TOPICS) {
                self.read_topics(connection, page, now).await?;
            }
        }
        if self.unlisted {
            self.read_records(connection).await?;
            dialler.list(dialler.bounded(self.listing()), true);
            self.unlisted = false;
        }
        dialler.outbound.directory_answered(&wanted);
        Ok(())
    }

    async fn read_topics(
        &mut self,
        connection: &mut Connection,
        page: &[(TopicName, Vec<u8>)],
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
        for ((name, mark), members) in page.iter().zip(found) {
            let members = readable(members)?.unwrap_or_else(|reason| {
                self.warn("a topic", &reason);
                Vec::new()
            });
            let count = members.len();
            let instances: BTreeSet<Instance> = members
                .iter()
                .filter_map(|member| keys::unhex(member))
                .collect();
            if instances.len() < count {
                self.warn("a topic", "it lists what is no instance");
            }
            let topic = Topic {
                mark: mark.clone(),
                read: Some(Instant::now()),
                instances: BTreeSet::new(),
            };
            self.topics.insert(name.clone(), topic);
            let known: usize = self
                .topics
                .values()
                .map(|topic| topic.instances.len())
                .sum();
            let room = MOST_MEMBERS.saturating_sub(known);
            if instances.len() > room {
                self.warn("topics", "they list more instances than are followed");
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
                            self.warn(&keys::hex(*instance), &wrong);
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

    /// Logs what is wrong with something in Redis, if there was nothing else in the last minute.
    fn warn(&mut self, record: &str, reason: &str) {
        if self.warned.is_some_and(|warned| warned.elapsed() < WARNING) {
            return;
        }
        self.warned = Some(Instant::now());
        let reason: String = reason
            .chars()
            .take(200)
            .flat_map(char::escape_debug)
            .collect();
        tracing::warn!(name: "rpc.directory.wrong_record", directory = %self.server, record, reason,
            "what the directory holds can't be read, and is skipped; more of this is not logged for a minute");
    }
}

impl Topic {
    fn is_stale(&self, mark: &[u8], missing: bool, lease: Duration) -> bool {
        let Some(read) = self.read else {
            return true;
        };
        // a node that is gone without a word is not marked
        let look_again = missing && read.elapsed() > lease / 3;
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

/// What is of another type was put there by somebody else, and is as if it were not there: why. Any other error is Redis', which may be
/// loading: it says nothing of what is there.
fn readable<T>(answer: RedisResult<T>) -> Result<Result<T, String>, String> {
    answer.map(Ok).or_else(|error| match error.code() {
        Some("WRONGTYPE") => Ok(Err(error.to_string())),
        _ => Err(error.to_string()),
    })
}
