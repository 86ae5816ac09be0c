//! One client under load: a window of requests that is always full, and a version cap that follows the fleet.

use super::api::Build;
use super::record::{Record, Situation};
use super::request::{Client, Kind};
use super::{PATIENCE, Result};
use rpc_core::{Transport, Version};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// How many requests a client has in flight.
pub(crate) const WINDOW: usize = 32;

/// How often a client asks what the servers speak.
const NEGOTIATE: Duration = Duration::from_millis(100);

/// What a client found out when it asked what the servers speak.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// When it asked.
    asked: Instant,
    /// Each server with its version, sorted; or what went wrong.
    servers: Result<Vec<(String, Version)>>,
}

/// A client that sends as fast as it is answered. It stops when this is dropped.
pub(crate) struct Load {
    pub(crate) build: Build,
    transport: Transport,
    shared: Arc<Shared>,
    found: watch::Receiver<Option<Found>>,
    window: JoinSet<Record>,
    _negotiating: JoinSet<()>,
}

struct Shared {
    client: Client,
    build: Build,
    /// The upper part of all its ids.
    prefix: u64,
    next: AtomicU64,
    stop: AtomicBool,
    done: watch::Sender<u64>,
    situation: Arc<Situation>,
}

impl Load {
    /// `number` is one that no other client of the scenario has.
    pub(crate) async fn start(
        build: Build,
        number: u64,
        nodes: &str,
        situation: &Arc<Situation>,
    ) -> Result<Self> {
        let transport = rpc_zmq::connect(&format!("zmq://{nodes}"))
            .await
            .map_err(|error| error.to_string())?;
        let client = Client::new(build, transport.clone());
        let (sender, found) = watch::channel(None);
        let mut negotiating = JoinSet::new();
        negotiating.spawn(negotiate(client.clone(), sender));
        let shared = Arc::new(Shared {
            client,
            build,
            prefix: number << 40,
            next: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            done: watch::Sender::new(0),
            situation: Arc::clone(situation),
        });
        let mut window = JoinSet::new();
        for _ in 0..WINDOW {
            window.spawn(send_on(Arc::clone(&shared), found.clone()));
        }
        Ok(Self {
            build,
            transport,
            shared,
            found,
            window,
            _negotiating: negotiating,
        })
    }

    /// Waits until this client, asking after `since`, has found exactly these servers, and has capped itself accordingly.
    pub(crate) async fn finds(&mut self, since: Instant, servers: &[(String, Version)]) -> Result {
        let agrees = self.found.wait_for(|found| {
            found.as_ref().is_some_and(|found| {
                found.servers.is_err()
                    || found.asked >= since && found.servers.as_deref() == Ok(servers)
            })
        });
        let found = match timeout(PATIENCE, agrees).await {
            Ok(Ok(found)) => found.clone(),
            Ok(Err(error)) => return Err(error.to_string()),
            Err(_) => None,
        };
        match found.map(|found| found.servers) {
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(format!("a client can't negotiate: {error}")),
            None => Err(format!(
                "a client did not find {servers:?} within {PATIENCE:?}, but {:?}",
                *self.found.borrow()
            )),
        }
    }

    /// Waits until some more requests of each kind have ended.
    pub(crate) async fn goes_on(&self) -> Result {
        let mut done = self.shared.done.subscribe();
        let before = *done.borrow();
        let enough = before + 2 * WINDOW as u64 + 2 * Kind::CYCLE;
        match timeout(PATIENCE, done.wait_for(|done| *done >= enough)).await {
            Ok(_) => Ok(()),
            Err(_) => Err(format!(
                "a client of the {} build got {} answers within {PATIENCE:?}",
                self.build.name(),
                *self.shared.done.borrow() - before
            )),
        }
    }

    /// Sends nothing more, and waits for what was sent.
    pub(crate) async fn stop(mut self) -> Result<Record> {
        self.shared.stop.store(true, Relaxed);
        let mut record = Record::default();
        let all = async {
            while let Some(part) = self.window.join_next().await {
                record.append(part.map_err(|error| format!("a client failed: {error}"))?);
            }
            Ok::<_, String>(())
        };
        match timeout(PATIENCE, all).await {
            Ok(ended) => ended?,
            Err(_) => return Err(format!("a client has not ended after {PATIENCE:?}")),
        }
        if let Some(Err(error)) = self.found.borrow().as_ref().map(|found| &found.servers) {
            return Err(format!("a client can't negotiate: {error}"));
        }
        self.transport.close(Duration::from_secs(1)).await;
        match self.transport.stats().protocol_errors {
            0 => Ok(record),
            errors => Err(format!("servers broke the protocol {errors} times")),
        }
    }
}

/// One place of the window: a request after another.
async fn send_on(shared: Arc<Shared>, found: watch::Receiver<Option<Found>>) -> Record {
    let mut record = Record::default();
    while !shared.stop.load(Relaxed) {
        let number = shared.next.fetch_add(1, Relaxed);
        let id = shared.prefix | number;
        let kind = match Kind::of(shared.build, number) {
            // it is left out to please a cap, and there is none yet
            Kind::Hinted if found.borrow().is_none() => Kind::Put,
            kind => kind,
        };
        let began = Instant::now();
        let result = shared.client.send(id, kind).await;
        record.add(id, kind, began, result, &shared.situation);
        shared.done.send_modify(|done| *done += 1);
    }
    record
}

/// Asks again and again. There is always somebody to answer, so an error is the end of it.
async fn negotiate(client: Client, sender: watch::Sender<Option<Found>>) {
    let mut ticks = interval(NEGOTIATE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let asked = Instant::now();
        // a server may be being replaced at any moment
        let answer = client.rpc().negotiate().allow_unreached().await;
        let servers = answer.map_err(|error| error.to_string()).map(|found| {
            let newest = |versions: Vec<Version>| versions.into_iter().max();
            let mut servers: Vec<_> = found
                .servers
                .into_iter()
                .filter_map(|(name, versions)| Some((name, newest(versions)?)))
                .collect();
            servers.sort();
            servers
        });
        let failed = servers.is_err();
        sender.send_replace(Some(Found { asked, servers }));
        if failed {
            return;
        }
    }
}
