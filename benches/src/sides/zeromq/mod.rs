//! The floor of ZeroMQ: a bare `zeromq` echo, with what no program of that kind can do without.
//!
//! A message is one frame: a prefix of 8 bytes, then a body. The first byte of the prefix is what is asked for, the others are
//! a number that tells requests apart. The server answers each message in a task of its own, through a clone of its sending
//! half. The client has one connection, whatever the number of its tasks: they share the sending half, and one task reads.

mod client;
mod server;

pub(super) use client::run;
pub(super) use server::serve;

/// How many bytes are in front of a body.
const PREFIX: usize = 8;

/// What may be asked for.
const ECHO: u8 = 0;
/// Nothing comes back.
const NOTE: u8 = 1;
/// How many notes there were, and in how many nanoseconds.
const NOTED: u8 = 2;
/// Numbers from 0 upwards.
const READY: u8 = 3;
/// A stamp every millisecond.
const PACED: u8 = 4;

/// The number of 8 bytes that a body is.
fn number(body: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(body.try_into().ok()?))
}
