//! The most that a node holds.

use crate::process::{Process, Role};
use crate::{BOUND, TURN, attacks};
use std::time::{Duration, Instant};

/// All attackers are one peer, by their address, which has half of what clients may make a node hold; not every last buffer is full.
const FILLED: u64 = 180 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "what was measured")]
async fn a_node_that_is_filled_stays_below_what_the_guide_says() {
    let _turn = TURN.lock().await;
    let node = Process::start(Role::Node, "zmq://?listen=127.0.0.1:0").await;
    let attackers = attacks::fill(node.said(), 256);
    let since = Instant::now();
    while node.most_memory() < FILLED && since.elapsed() < Duration::from_secs(30) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // and as much more as there may be
    tokio::time::sleep(Duration::from_secs(3)).await;
    let most = node.most_memory();
    println!("at most {most} bytes");
    assert!(most <= BOUND, "{most} bytes");
    assert!(most >= FILLED, "only {most} bytes");
    drop(attackers);
    node.is_well().await;
}
