//! Good peers while hostile and broken ones are there, each side in a process of its own.
//!
//! `HOSTILE_SECONDS=60 cargo test --release -p rpc-tests --test hostile -- --nocapture` attacks for a minute instead of some seconds, and
//! prints what was measured.
//!
//! - `attacks.rs`: what the hostile do, over bare sockets. `frames.rs`: the frames that they write.
//! - `crowd.rs`: the good clients, and how long their calls take.
//! - `process.rs`: a node, the attackers and others as processes of this same program, and what memory they have.
//! - `memory.rs`: the most that a node holds. `stopped.rs`: processes that do not run. `nodes.rs`: hostile nodes.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing has failed")]

mod attacks;
mod crowd;
mod frames;
mod memory;
mod nodes;
mod process;
#[expect(dead_code, reason = "the tests of ZMTP use more of it")]
#[path = "../zmtp/raw.rs"]
mod raw;
mod service;
mod stopped;

use crowd::Crowd;
use process::{Process, Role};
use std::time::{Duration, Instant};

/// Held by each test: they load the machine, and none is to be the trouble of another.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// How long is attacked, if that is said.
fn seconds() -> Option<u64> {
    std::env::var("HOSTILE_SECONDS").ok()?.parse().ok()
}

/// What the guide says that a node takes at most with its default options, for as many connections as there are here; and the program.
const BOUND: u64 = (512 + 8 + 32) * 1024 * 1024 + 600 * 64 * 1024;

/// Below this, a machine that does other things as well decides how long a call takes; and a program that is not optimized takes
/// long for everything.
const NOISE: Duration = Duration::from_millis(if cfg!(debug_assertions) { 3000 } else { 5 });

/// How long after an attack its memory is free again.
const AFTER: Duration = Duration::from_secs(if cfg!(debug_assertions) { 30 } else { 10 });

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "what was measured")]
async fn good_clients_are_served_while_hostile_ones_stay() {
    let _turn = TURN.lock().await;
    let attacked = Duration::from_secs(seconds().unwrap_or(6));
    let node = Process::start(Role::Node, "zmq://?listen=127.0.0.1:0").await;
    let crowd = Crowd::connect(node.said()).await;
    crowd.calls(Duration::from_secs(1)).await;
    let alone = crowd.calls(attacked.min(Duration::from_secs(10)) / 2).await;
    let (memory, heap) = (node.memory(), node.allocated().await);

    let attackers = Process::start(Role::Attackers, node.said()).await;
    // until all of them are at it
    crowd.calls(Duration::from_secs(1)).await;
    let attacked = crowd.calls(attacked).await;
    let most = node.most_memory();
    drop(attackers);
    let ended = Instant::now();
    node.is_well().await;
    let grown = async || node.allocated().await.saturating_sub(heap);
    while grown().await > memory / 5 && ended.elapsed() < AFTER {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let grown = grown().await;

    println!(
        "alone: {alone:?}; attacked: {attacked:?}; memory {memory}, at most {most}; {grown} more are allocated, the process has {}",
        node.memory()
    );
    assert_eq!(alone.failed, Vec::<String>::new());
    assert_eq!(attacked.failed, Vec::<String>::new());
    let bound = NOISE.max(5 * alone.p99);
    assert!(attacked.p99 <= bound, "{attacked:?}, alone: {alone:?}");
    assert!(most <= BOUND, "{most} bytes");
    // what the allocator keeps of what was freed is not the node's
    assert!(grown <= memory / 5, "{grown} more, of {memory}");
    node.is_well().await;
}
