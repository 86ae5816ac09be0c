//! What happens when a peer is broken: bytes that are no frames, frames that are wrong, answers that nobody asked for.
//!
//! The peers here are bare ZeroMQ sockets. They write frames by hand, from `docs/wire-protocol.md`.

#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing has failed")]

mod heartbeats;
mod hidden;
mod raw;
mod to_a_client;
mod to_a_server;
