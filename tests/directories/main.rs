//! Nodes that are found by DNS and by Redis: with a real DNS server and a real Redis, which each test starts for itself. `cargo xtask test`
//! installs them and runs these tests; `cargo test` leaves them out.

#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing has failed")]

mod environment;
mod lists;
mod nobody;
mod nodes;
mod stalling;
mod told;
mod with_dnsmasq;
mod with_redis;
