//! A fleet that is upgraded one machine at a time: servers of four releases, and clients at every cap.
//!
//! `cargo run --example rolling_upgrade`
//!
//! It is the compute API of OpenStack's nova, from 5.0 of 2018 to 6.5 of 2026, as far as it has changed. The servers are
//! processes of their own; what is shown was read off the wire.
//!
//! - `api.rs`: the API, as it is now. All that the client and the newest server are made of.
//! - `releases/`: the same as it was at three older releases, which the other servers run.
//! - `types.rs`: what the messages hold.
//! - `calls.rs`: the calls, as a caller writes them.
//! - `matrix.rs`: makes each call from each cap to each server, and shows what was sent.
//! - `node.rs`, `server.rs`, `node_process.rs`: the servers, and how they are started and stopped.
//! - `tap.rs`, `msgpack.rs`: between the clients and the servers, to see what is sent.
//!
//! The servers are this same program, started with other arguments: `rolling_upgrade serve RELEASE`.

mod api;
mod calls;
mod matrix;
mod msgpack;
mod node;
mod node_process;
mod releases;
mod server;
mod tap;
mod types;

use node_process::NodeProcess;
use std::env;
use std::error::Error;
use std::sync::mpsc;
use std::time::Duration;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How long a node may take to start, to run a message, or to stop.
const PATIENCE: Duration = Duration::from_secs(10);

/// The releases that are served, with the versions that they speak.
const RELEASES: [(&str, &str); 4] = [
    ("train", "5.3"),
    ("victoria", "5.12"),
    ("zed", "6.1"),
    ("gazpacho", "6.5"),
];

/// What the same twenty methods take in nova 34.0.0, in lines that are neither blank nor comments nor documentation.
const BY_HAND: &str = "\
What it took by hand, for the same twenty methods in nova 34.0.0, in lines without blank ones, comments and documentation:
  nova/compute/rpcapi.py (1,738 lines in all): 377 for the methods of the client, 30 for the helpers that they use (_ver,
  prepare_for_alt_rpcserver, _compute_host), 28 for the names of releases; nova/compute/manager.py: 89 for _ComputeV5Proxy, which
  serves 5.x. Together 524, and 45 more for the signatures of what runs. A line has at most 79 characters.";

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [] => tokio::select! {
            result = parent() => result,
            // `parent` is dropped, and the nodes with it
            _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
        },
        [word, release] if word == "serve" => server::run(release).await,
        _ => Err("usage: rolling_upgrade [serve RELEASE]".into()),
    }
}

/// Starts the servers, makes every call, and stops the servers.
async fn parent() -> Result<()> {
    let (hear, heard) = mpsc::channel();
    let mut nodes = Vec::new();
    for (release, version) in RELEASES {
        nodes.push(NodeProcess::start(release, version, hear.clone()).await?);
    }
    let seen = matrix::show(&mut nodes, &heard).await?;
    for node in nodes {
        node.stop().await?;
    }

    println!("\n{BY_HAND}");
    println!(
        "Here: the trait, {} lines, counted the same way; a line has at most 120 characters. How caps are found is in \
         neither.\n",
        trait_lines()
    );
    println!(
        "Seen: {} calls from 5 clients to 4 releases; {} were run, {} of these in an older form; {} were refused before they were \
         sent; {} asked for a topic that was not there.",
        seen.sent + seen.refused + seen.absent,
        seen.sent,
        seen.older,
        seen.refused,
        seen.absent,
    );
    Ok(())
}

/// The lines of the trait that are neither blank nor comments, without the method that nova has no more.
fn trait_lines() -> usize {
    include_str!("api.rs")
        .lines()
        .skip_while(|line| !line.starts_with("#[rpc_api"))
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .filter(|line| !line.contains("add_aggregate_host") && !line.contains("routing(to: &str)"))
        .count()
        // the brace of the macro around it
        - 1
}
