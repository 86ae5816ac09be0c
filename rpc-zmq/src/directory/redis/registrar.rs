//! The node's side: its record and its topics, as long as it lives.

use super::connection::Connection;
use super::{RedisServer, keys, record};
use crate::backoff::Backoff;
use redis::{Pipeline, RedisResult, Value};
use rpc_core::exchange::{Inbound, Registration, TopicName, Trouble};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, watch};
use tokio::time::{sleep, timeout};

/// How long the keys of a topic stay when nobody renews them.
const TOPIC_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a node that ends waits for Redis at most.
const LEAVING: Duration = Duration::from_secs(1);

/// Tells Redis about this node.
pub(crate) struct Registrar {
    server: RedisServer,
    inbound: Arc<Inbound>,
    told: watch::Sender<Told>,
    known: Mutex<Known>,
}

/// How far Redis knows.
#[derive(Debug, Default)]
struct Told {
    /// The announcement that it was told of.
    serial: u64,
    /// What is wrong with it.
    trouble: Trouble,
}

/// What Redis may hold of this node.
#[derive(Default)]
struct Known {
    connection: Option<Connection>,
    joined: BTreeSet<TopicName>,
    /// The topics that have changed since they were marked.
    unmarked: BTreeSet<TopicName>,
}

impl Registrar {
    pub(in crate::directory) fn new(server: RedisServer, inbound: &Arc<Inbound>) -> Self {
        Self {
            server,
            inbound: Arc::clone(inbound),
            told: watch::Sender::default(),
            known: Mutex::default(),
        }
    }

    /// Tells what there is, again when that changes, and before the lease ends.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut announcements = self.inbound.announcements();
        let mut backoff = Backoff::new();
        loop {
            let serial = *announcements.borrow_and_update();
            let pause = match self.tell(&self.inbound.registration()).await {
                Ok(()) => {
                    self.succeeded(serial);
                    backoff.reset();
                    self.server.lease / 3
                }
                Err(reason) => {
                    self.failed(&reason);
                    // what could be said of it has to be said again in time
                    backoff.next().min(self.server.lease / 3)
                }
            };
            tokio::select! {
                () = sleep(pause) => {}
                _ = announcements.changed() => {}
            }
        }
    }

    fn succeeded(&self, serial: u64) {
        let mut recovered = false;
        self.told.send_modify(|told| {
            told.serial = serial;
            recovered = told.trouble.ends();
        });
        if recovered {
            tracing::info!(name: "rpc.directory.recovered", directory = %self.server, "the node is registered again");
        }
    }

    fn failed(&self, reason: &str) {
        let mut is_news = false;
        self.told
            .send_modify(|told| is_news = told.trouble.goes_on(reason));
        if is_news {
            let shown: String = reason
                .chars()
                .take(200)
                .flat_map(char::escape_debug)
                .collect();
            tracing::warn!(name: "rpc.directory.failed", directory = %self.server, reason = shown,
                "the node can't be registered; clients that are linked stay so");
        }
    }

    /// Waits until Redis knows what is announced now. It does not wait for one that does not answer.
    pub(crate) async fn caught_up(&self) {
        let announced = *self.inbound.announcements().borrow();
        let caught_up = |told: &Told| told.serial >= announced || told.trouble.reason().is_some();
        // it is there as long as this is
        let _ = self.told.subscribe().wait_for(caught_up).await;
    }

    /// Takes this node out. The task that tells has ended before.
    pub(crate) async fn leave(&self) {
        let answers = self.known.lock().await.connection.is_some();
        if !answers && self.told.borrow().trouble.reason().is_some() {
            return;
        }
        let nothing = Registration {
            servers: Vec::new(),
            ..self.inbound.registration()
        };
        // its lease ends in any case
        let _ = timeout(LEAVING, self.tell(&nothing)).await;
    }

    async fn tell(&self, node: &Registration) -> Result<(), String> {
        let mut known = self.known.lock().await;
        // one that is given up in the middle of an answer is not used again
        let mut connection = match known.connection.take() {
            Some(connection) => connection,
            None => Connection::open(&self.server).await?,
        };
        let refused = self.write(&mut connection, &mut known, node).await?;
        known.connection = Some(connection);
        refused.map_or(Ok(()), Err)
    }

    /// Gives what was wrong with some of it, if the rest is done.
    async fn write(
        &self,
        connection: &mut Connection,
        known: &mut Known,
        node: &Registration,
    ) -> Result<Option<String>, String> {
        let topics: BTreeSet<TopicName> = node
            .servers
            .iter()
            .map(|server| TopicName {
                exchange: server.exchange.clone(),
                topic: server.topic.clone(),
            })
            .collect();
        let left: Vec<TopicName> = known.joined.difference(&topics).cloned().collect();
        // also if this fails in the middle, they have to be marked
        known
            .unmarked
            .extend(topics.difference(&known.joined).cloned());
        known.unmarked.extend(left.iter().cloned());
        known.joined.extend(topics.iter().cloned());

        let now = connection.now().await?;
        let mut commands = self.renewal(node, &topics, now);
        let instance = keys::hex(node.instance);
        for name in &left {
            commands.cmd("ZREM").arg(keys::topic(name)).arg(&instance);
        }
        let done: Vec<RedisResult<Value>> = connection.ask(commands.ignore_errors()).await?;
        let refused = done.iter().find_map(|done| done.as_ref().err());
        let refused = refused.map(ToString::to_string);
        // after the node itself, two answers for each topic: whether it was not in it, and whether it had a mark
        for (name, done) in topics.iter().zip(done[1..].chunks(2)) {
            if matches!(done, [Ok(Value::Int(1)), _] | [_, Ok(Value::Int(0))]) {
                known.unmarked.insert(name.clone());
            }
        }
        if !known.unmarked.is_empty() {
            let mut commands = Pipeline::new();
            for name in &known.unmarked {
                commands
                    .cmd("SET")
                    .arg(keys::mark(name))
                    .arg(format!("{:016x}", fastrand::u64(..)))
                    .arg("PX")
                    .arg(millis(TOPIC_LIFE))
                    .ignore();
            }
            connection.ask::<()>(&commands).await?;
            known.unmarked.clear();
        }
        known.joined = topics;
        Ok(refused)
    }

    /// What keeps a node and its topics for another lease.
    fn renewal(&self, node: &Registration, topics: &BTreeSet<TopicName>, now: u64) -> Pipeline {
        let instance = keys::hex(node.instance);
        let lease = millis(self.server.lease);
        let mut commands = Pipeline::new();
        if topics.is_empty() {
            commands.cmd("DEL").arg(keys::node(&instance));
        } else {
            commands
                .cmd("SET")
                .arg(keys::node(&instance))
                .arg(record::write(node))
                .arg("PX")
                .arg(lease);
        }
        for name in topics {
            let topic = keys::topic(name);
            commands
                .cmd("ZREMRANGEBYSCORE")
                .arg(&topic)
                .arg("-inf")
                .arg(now)
                .ignore()
                .cmd("ZADD")
                .arg(&topic)
                .arg(now + lease)
                .arg(&instance)
                .cmd("PEXPIRE")
                .arg(&topic)
                .arg(millis(TOPIC_LIFE))
                .ignore()
                .cmd("PEXPIRE")
                .arg(keys::mark(name))
                .arg(millis(TOPIC_LIFE));
        }
        commands
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
