//! A fleet is upgraded while it works: two builds of one service, in both roles, in processes of their own, over ZeroMQ.
//!
//! `cargo test -p rpc-tests --test fleet`; with `FLEET_SECONDS=60`, each scenario takes a minute.
//!
//! - `api.rs`: the two builds. `server.rs`: the process that serves one of them; it is this same program, started with
//!   other arguments. `log.rs`: where it writes down what it ran.
//! - `request.rs`, `load.rs`, `record.rs`: what clients send, how they keep servers busy, and what became of it.
//! - `node.rs`, `fleet.rs`, `scenarios.rs`: a server's process, all of them with their clients, and what is done to them.
//! - `verdict.rs`: whether what clients were told is what servers did.
//! - `harness.rs`: chooses, runs and counts scenarios, as Rust's test programs do.

mod api;
mod fleet;
mod harness;
mod load;
mod log;
mod node;
mod record;
mod request;
mod scenarios;
mod server;
mod verdict;

use api::Build;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// An error is what to show.
type Result<T = (), E = String> = std::result::Result<T, E>;

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads can be started");
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let build = |name| match name {
        "old" => Build::Old,
        _ => Build::New,
    };
    if let ["serve", name, server, address, log] = arguments[..] {
        let served = runtime.block_on(server::run(build(name), server, address, Path::new(log)));
        if let Err(error) = &served {
            harness::problem(&format!("{server}: {error}"));
        }
        return served.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    runtime.block_on(harness::run(&arguments))
}
