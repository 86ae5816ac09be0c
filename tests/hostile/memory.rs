//! The most that a node holds.

use crate::process::{Process, Role};
use crate::{BOUND, attacks};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "what was measured")]
async fn a_node_that_is_filled_stays_below_what_the_guide_says() {
    let node = Process::start(Role::Node, "zmq://?listen=127.0.0.1:0").await;
    let attackers = attacks::fill(node.said(), 256);
    // until it holds no more
    let mut most = 0;
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = node.most_memory();
        if most > 100_000_000 && now < most + most / 50 {
            break;
        }
        most = now;
    }
    let most = node.most_memory();
    println!("at most {most} bytes");
    assert!(most <= BOUND, "{most} bytes");
    // it was filled
    assert!(most >= BOUND / 4, "only {most} bytes");
    node.is_well().await;
    drop(attackers);
}
