//! Faults of all kinds, at several nodes at once and for some time, while clients send all that can be sent.

use crate::api::FieldClient;
use crate::load::{self, Entry};
use crate::network::{Directory, Network};
use crate::node::{Node, Setting, name};
use crate::redis::Redis;
use crate::verdict::{Incident, verdict};
use fastrand::Rng;
use rpc_core::{Context, Transport};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;

pub(crate) const NODES: usize = 8;
const CLIENTS: u64 = 64;

/// How long nothing may be heard of a peer. Not much: most faults last longer.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(2);
const SETTING: Setting = Setting {
    directory: Directory::Redis,
    options: "heartbeat=2000",
    // so few that some requests wait when their node is killed
    at_once: 2,
};

/// How long after the last fault all is well: the longest pause between two attempts to connect, one attempt that fails in between,
/// and time for a busy machine.
const RECOVERY: Duration = Duration::from_secs(15);

/// How many nodes are in trouble at a time: each of these groups has one.
const GROUPS: [Range<usize>; 3] = [0..3, 3..6, 6..8];

/// How long a fault lasts, and how long there is none, in milliseconds.
pub(crate) const LASTS: Range<u64> = 200..7_000;
pub(crate) const PAUSE: Range<u64> = 200..3_000;

/// How many problems are shown.
const SHOWN: usize = 20;

/// What happens to a node. One that is added here happens as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// It is told to stop, and starts again.
    Restart,
    /// It is killed, and starts again.
    Kill,
    /// Its process stands still.
    Stop,
    /// Nothing arrives at it, nor leaves it.
    Cable,
    /// It hears its clients, and they do not hear it.
    WayBack,
}

const FAULTS: [Fault; 5] = [
    Fault::Restart,
    Fault::Kill,
    Fault::Stop,
    Fault::Cable,
    Fault::WayBack,
];

impl Fault {
    async fn strike(self, node: &mut Node, lasts: Duration) {
        let number = node.number;
        match self {
            Self::Restart => node.stop().await,
            Self::Kill => node.kill().await,
            Self::Stop => node.pause(),
            Self::Cable => node.network.pull_cable(number),
            Self::WayBack => node.network.lose_way_back(number),
        }
        tokio::time::sleep(lasts).await;
        match self {
            Self::Restart | Self::Kill => node.start_again().await,
            Self::Stop => node.resume(),
            Self::Cable => node.network.plug_in_cable(number),
            Self::WayBack => node.network.find_way_back(number),
        }
    }
}

mod with_redis {
    use super::what_clients_are_told_is_what_nodes_did;

    crate::rules! {
        what_clients_are_told_is_what_nodes_did(8),
    }
}

/// How long the weather lasts.
pub(crate) fn length() -> Duration {
    let seconds = std::env::var("FIELD_SECONDS").map(|seconds| seconds.parse());
    Duration::from_secs(seconds.map_or(20, |seconds| seconds.expect("a number of seconds")))
}

async fn what_clients_are_told_is_what_nodes_did(network: Arc<Network>) {
    let seed = fastrand::u64(..);
    println!("seed {seed}, {:?}", length());
    let mut rng = Rng::with_seed(seed);
    let mut redis = Redis::start(&network).await;
    let mut groups = Vec::new();
    for group in GROUPS {
        let mut nodes = Vec::new();
        for number in group {
            nodes.push(Node::start(&network, number, SETTING).await);
        }
        groups.push(nodes);
    }
    let url = network.url(SETTING.directory, SETTING.options);
    let over = watch::Sender::new(false);
    let mut transports = Vec::new();
    for _ in 0..CLIENTS {
        transports.push(rpc_zmq::connect(&url).await.unwrap());
    }
    // every client has found every node before the first fault
    all_is_well(&transports).await;
    let mut clients = JoinSet::new();
    for (client, transport) in (1..).zip(&transports) {
        let client_api = FieldClient::new(transport.clone());
        let first = client << 32;
        clients.spawn(load::send(client_api, first, rng.fork(), over.subscribe()));
    }
    let until = Instant::now() + length();
    let mut weather = JoinSet::new();
    for nodes in groups {
        weather.spawn(storm(nodes, rng.fork(), until));
    }
    let of_redis = redis.storm(rng.fork(), until).await;
    println!("{of_redis} faults of Redis");
    let mut nodes = Vec::new();
    let mut incidents = Vec::new();
    while let Some(ended) = weather.join_next().await {
        let (group, known) = ended.expect("no panic");
        nodes.extend(group);
        incidents.extend(known);
    }
    over.send_replace(true);
    let mut entries: Vec<Entry> = Vec::new();
    while let Some(ended) = clients.join_next().await {
        entries.extend(ended.expect("no panic"));
    }
    all_is_well(&transports).await;
    for node in &mut nodes {
        node.stop().await;
    }
    nodes.sort_by_key(|node| node.number);
    let logs: Vec<Vec<u64>> = nodes.iter().map(Node::log).collect();
    let problems = verdict(&entries, &incidents, &logs);
    let shown = problems[..problems.len().min(SHOWN)].join("\n");
    assert!(problems.is_empty(), "{} problems:\n{shown}", problems.len());
}

/// One fault after another, each at one of the nodes.
async fn storm(mut nodes: Vec<Node>, mut rng: Rng, until: Instant) -> (Vec<Node>, Vec<Incident>) {
    let mut incidents = Vec::new();
    while Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(rng.u64(PAUSE))).await;
        let node = rng.usize(0..nodes.len());
        let fault = FAULTS[rng.usize(0..FAULTS.len())];
        let began = Instant::now();
        let lasts = Duration::from_millis(rng.u64(LASTS));
        fault.strike(&mut nodes[node], lasts).await;
        incidents.push(Incident {
            node: nodes[node].number,
            fault,
            began,
            ended: Instant::now(),
        });
    }
    (nodes, incidents)
}

/// Every client is answered by every node.
async fn all_is_well(transports: &[Transport]) {
    let began = Instant::now();
    let mut answers = JoinSet::new();
    for (client, transport) in (0..).zip(transports) {
        for node in 0..NODES {
            let server = FieldClient::new(transport.clone())
                .prepare(|call| call.server(name(node)).timeout(RECOVERY));
            let id = 1 + 2 * (client * NODES as u64 + node as u64);
            let call = server.ask(&Context::new(), id, 0);
            answers.spawn(async move { (node, call.await) });
        }
    }
    while let Some(answer) = answers.join_next().await {
        let (node, answer) = answer.expect("no panic");
        answer.unwrap_or_else(|error| panic!("{} does not answer: {error}", name(node)));
    }
    println!("all was well after {:?}", began.elapsed());
}
