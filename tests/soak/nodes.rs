//! Servers that come and go: stopped, killed, and started again at the same address.

use crate::api::{SoakDispatcher, Worker};
use crate::oracle::Oracle;
use fastrand::Rng;
use rpc_core::testing::lossy::Network;
use rpc_core::{Server, Stopped, Target};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Few enough that servers refuse some of what comes.
const CONCURRENCY: usize = 48;
const QUEUE: usize = 32;
const OPTIONS: &str = "window=64";

/// Longer than any handler takes; a stream whose end was lost may stand still for ever.
const STOPPING: Duration = Duration::from_secs(5);

/// The name of a node's server.
pub(crate) fn name(node: usize) -> String {
    format!("node-{node}")
}

/// Runs a node until the run is over.
pub(crate) async fn live(
    node: usize,
    network: Network,
    oracle: Arc<Oracle>,
    mut rng: Rng,
    mut over: watch::Receiver<bool>,
) {
    loop {
        let server = start(node, &network, &oracle).await;
        let life = Duration::from_millis(rng.u64(500..8000));
        let is_over = tokio::time::timeout(life, over.wait_for(|over| *over))
            .await
            .is_ok();
        if !is_over && rng.bool() {
            network.kill(&name(node));
            // the links are gone before the handlers are
            tokio::time::sleep(Duration::from_millis(1)).await;
            let stopped = server.wait_at_most(Duration::ZERO).await;
            oracle.died(stopped.not_run);
            all_accounted_for(node, &server, stopped, &oracle);
        } else {
            server.stop().await;
            let stopped = server.wait_at_most(STOPPING).await;
            if stopped.not_run > 0 {
                oracle.problem(|| format!("node {node} stopped, and did not run all: {stopped:?}"));
            }
            all_accounted_for(node, &server, stopped, &oracle);
        }
        if is_over {
            return;
        }
        tokio::time::sleep(Duration::from_millis(rng.u64(0..500))).await;
    }
}

async fn start(node: usize, network: &Network, oracle: &Arc<Oracle>) -> Server {
    let transport = network
        .transport_with(&name(node), OPTIONS)
        .expect("good options");
    Server::builder(transport)
        .target(Target::new().server(name(node)))
        .endpoint(SoakDispatcher::new(Worker {
            node,
            oracle: Arc::clone(oracle),
        }))
        .concurrency(CONCURRENCY)
        .queue(QUEUE)
        .start()
        .await
        .expect("a server")
}

/// Every request that a server accepted came to one of its ends.
fn all_accounted_for(node: usize, server: &Server, stopped: Stopped, oracle: &Oracle) {
    let stats = server.stats();
    let ended = stopped.finished
        + stopped.cut_off
        + stopped.not_run
        + stats.cancelled
        + stats.expired
        + stats.undecodable;
    if stats.accepted != ended {
        oracle.problem(|| format!("node {node} lost track of requests: {stats:?}, {stopped:?}"));
    }
}
