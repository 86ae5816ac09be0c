//! Everything at once, over links that lose, delay, repeat and reorder frames and are cut, with servers that come and go and handlers
//! that do what they should not: is what clients are told what servers did?
//!
//! `cargo test -p rpc-tests --test soak`; with `SOAK_MESSAGES=10000000 SOAK_SEEDS=20` and `--release`, the long run.
//! `SOAK_SEED=7` runs that seed alone.
//!
//! - `api.rs`: the service, and what its handlers do.
//! - `nodes.rs`: servers that are started, stopped and killed. `load.rs`: clients.
//! - `bytes.rs`: what a peer may send that is no good. `crowd.rs`: far more calls at once than a server takes.
//! - `oracle.rs`: what clients were told and what servers did. `memory.rs`: what the program holds.
//!
//! Time is tokio's paused clock, so a wait costs nothing and a deadline is exact.

#![allow(clippy::print_stdout, reason = "the numbers of a run are its result")]

mod api;
mod bytes;
mod crowd;
mod load;
mod memory;
mod nodes;
mod oracle;

use api::SoakClient;
use fastrand::Rng;
use oracle::{Kind, NODES, Oracle};
use rpc_core::testing::lossy::{Faults, Network, NetworkStats};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Clients, each with a transport of its own, and how many requests each has under way.
const CLIENTS: usize = 3;
const AT_ONCE: usize = 40;

/// How much more may be held in the last tenth than in the second.
const GROWTH: f64 = 1.05;

/// What may stay when everything is gone.
const LEFT: usize = 64 * 1024;

/// Below so many messages, what is under way at the moment is most of what is held.
const WORTH_MEASURING: usize = 200_000;

fn number(variable: &str) -> Option<usize> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().expect("a number"))
}

fn faults(rng: &mut Rng) -> Faults {
    let rate = |rng: &mut Rng, most: f64| rng.f64() * most;
    Faults::none()
        .loss(rate(rng, 0.02))
        .duplication(rate(rng, 0.02))
        .reordering(rate(rng, 0.02))
        .cuts(rate(rng, 0.0002))
        .delay(Duration::from_millis(rng.u64(0..5)))
        .jitter(Duration::from_millis(rng.u64(0..10)))
}

/// What came of one run.
struct Run {
    outcomes: BTreeMap<(Kind, &'static str), u64>,
    network: NetworkStats,
    problems: Vec<String>,
    second: usize,
    last: usize,
}

async fn run(seed: u64, messages: usize) -> Run {
    let mut rng = Rng::with_seed(seed);
    // instances choose their ids by it
    fastrand::seed(rng.u64(..));
    let network = Network::new(rng.u64(..), faults(&mut rng));
    let oracle = Arc::new(Oracle::new(messages));
    let over = watch::Sender::new(false);
    let mut nodes = JoinSet::new();
    for node in 0..NODES {
        let (network, oracle) = (network.clone(), Arc::clone(&oracle));
        nodes.spawn(nodes::live(
            node,
            network,
            oracle,
            rng.fork(),
            over.subscribe(),
        ));
    }
    let mut load = JoinSet::new();
    for client in 0..CLIENTS {
        let client = SoakClient::new(network.transport(&format!("client-{client}")));
        for _ in 0..AT_ONCE {
            load.spawn(load::send(client.clone(), Arc::clone(&oracle), rng.fork()));
        }
    }
    while let Some(ended) = load.join_next().await {
        ended.expect("a client does not panic");
    }
    over.send_replace(true);
    while let Some(ended) = nodes.join_next().await {
        ended.expect("a node does not panic");
    }
    Run {
        outcomes: oracle.outcomes(),
        network: network.stats(),
        problems: oracle.verdict(),
        second: oracle.heap(1),
        last: oracle.heap(9),
    }
}

/// Panics that handlers are told to are not shown: there are many.
fn hide_wanted_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.payload_as_str() != Some(api::PANIC) {
            before(panic);
        }
    }));
}

#[test]
fn what_clients_are_told_is_what_servers_did() {
    let _alone = memory::alone();
    hide_wanted_panics();
    let seeds = number("SOAK_SEEDS").unwrap_or(4);
    let messages = number("SOAK_MESSAGES").unwrap_or(20_000) / seeds;
    let seeds = match number("SOAK_SEED") {
        Some(seed) => seed..seed + 1,
        None => 1..seeds + 1,
    };
    let mut outcomes: BTreeMap<(Kind, &'static str), u64> = BTreeMap::new();
    let mut problems = Vec::new();
    let (mut second, mut last) = (0, 0);
    for seed in seeds {
        let began = Instant::now();
        let before = memory::live();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        let run = runtime.block_on(run(seed as u64, messages));
        drop(runtime);
        let growth = run.last as f64 / run.second as f64;
        let left = memory::live().saturating_sub(before);
        println!(
            "seed {seed}: {messages} messages in {:.1?}; {:?}; held in the second tenth {}, in the last {}, {growth:.3} times; \
             left over {}",
            began.elapsed(),
            run.network,
            run.second,
            run.last,
            left,
        );
        if left > LEFT {
            problems.push(format!("seed {seed}: {left} bytes are left over"));
        }
        second += run.second;
        last += run.last;
        problems.extend(
            run.problems
                .into_iter()
                .map(|problem| format!("seed {seed}: {problem}")),
        );
        for (outcome, count) in run.outcomes {
            *outcomes.entry(outcome).or_default() += count;
        }
    }
    for ((kind, outcome), count) in &outcomes {
        println!("{kind:?} {outcome}: {count}");
    }
    let growth = last as f64 / second as f64;
    println!("held in the last tenths, {growth:.3} times what was held in the second ones");
    if messages >= WORTH_MEASURING && growth > GROWTH {
        problems.push(format!("memory grew {growth:.3} times"));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
