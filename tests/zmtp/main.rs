//! What peers may do to a node and to a client by ZMTP: hostile ones, broken ones, and ones that are gone without a word.
//!
//! The peers here write bytes to bare sockets. [`probes`] are what a node must bear; they run against both engines, and what the
//! `zeromq` crate does not bear is the list in its engine's documentation.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing has failed")]

mod closing;
mod engines;
mod links;
mod probes;
mod process;
mod raw;
mod service;
