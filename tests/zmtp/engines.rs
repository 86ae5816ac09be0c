//! What the second engine does not bear.

use crate::probes::{PROBES, bears};
use crate::process::Node;
use crate::raw::Raw;
use crate::service;
use futures_util::future::join_all;
use std::collections::BTreeSet;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_zeromq_crate_does_not_bear_what_its_engine_lists() {
    let failed = join_all(PROBES.iter().map(|probe| async {
        // in a process of its own: some of them end it
        let node = Node::start("zmq://?listen=127.0.0.1:0&engine=zeromq", "").await;
        let outcome = bears(&node.address, (probe.run)(node.address.clone())).await;
        outcome.is_err().then_some(probe.name)
    }));
    let failed: BTreeSet<&str> = failed.await.into_iter().flatten().collect();
    let docs = include_str!("../../rpc-zmq/src/engine/zeromq.rs");
    let listed: BTreeSet<&str> = docs
        .lines()
        .filter_map(|line| line.strip_prefix("//! - `")?.strip_suffix('`'))
        .collect();
    assert_eq!(failed, listed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_descriptors_goes_on_when_there_are_some() {
    let node = Node::start("zmq://?listen=127.0.0.1:0", "ulimit -n 40;").await;
    let mut raws = Vec::new();
    for _ in 0..100 {
        raws.push(Raw::connect(&node.address).await.unwrap());
    }
    drop(raws);
    assert!(service::is_served(&node.address).await);
}
