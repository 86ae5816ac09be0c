//! Nodes and clients on hosts of their own: processes that are stopped and killed, cables that are pulled, networks that part.
//!
//! Hosts are network namespaces, which only root can make. `cargo xtask test` runs these tests; `cargo test` leaves them out.
//! `FIELD_SECONDS=600` is how long the weather lasts.
//!
//! - `network.rs`: the hosts, and what happens to cables. `node.rs`: a node's process, which is this same program. `api.rs`: what it
//!   serves, and the log of what it ran.
//! - `faults.rs`: one fault at a time, and what a client is told.
//! - `redis.rs`: the directory by which nodes are found in bad weather, and what happens to it.
//! - `weather.rs`: faults of all kinds at once, for some time. `load.rs`: what clients send meanwhile. `verdict.rs`: whether what they
//!   were told is what nodes did.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing has failed")]
#![allow(clippy::print_stdout, reason = "the figures of a run are its result")]

mod api;
mod faults;
mod load;
mod network;
mod node;
mod redis;
mod verdict;
mod weather;

/// A test for each rule: its name, how many nodes there are, and how many seconds nothing may be heard of a peer.
macro_rules! rules {
    ($($rule:ident($nodes:literal),)*) => {
        mod with_network {
            $(#[test]
            #[ignore = "needs network namespaces: `cargo xtask test` as root makes them"]
            fn $rule() {
                crate::network::Network::with($nodes, super::$rule);
            })*
        }
    };
}
use rules;
