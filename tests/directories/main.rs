//! Nodes that are found by DNS and by Redis: with a real DNS server and a real Redis, which each test starts for itself.

#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing has failed")]

mod dns;
mod environment;
mod nodes;
mod redis_down;
mod redis_layout;
mod redis_nodes;
mod stalling;
