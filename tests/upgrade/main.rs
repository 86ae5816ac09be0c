//! A service that is upgraded one machine at a time, by the history of nova's own interfaces: what is sent at each cap, and what
//! the newest server makes of what old clients send.
//!
//! What nova's client sends was read off `nova/compute/rpcapi.py`, `nova/conductor/rpcapi.py` and `nova/scheduler/rpcapi.py` by
//! running them at each cap. Each table has it beside what is sent here.

#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing has failed")]

mod announced;
mod compute3;
mod compute4;
mod compute5;
mod conductor;
mod meaning;
mod old_messages;
mod pack;
mod scheduler;
mod table;
mod wire;

#[allow(
    dead_code,
    reason = "shared with the tests of the wire, which need other parts of it"
)]
#[path = "../wire/raw.rs"]
mod raw;

#[allow(
    unreachable_pub,
    reason = "shared with the example, as are the next two"
)]
#[path = "../../examples/rolling_upgrade/api.rs"]
mod api;
#[allow(unreachable_pub)]
#[path = "../../examples/rolling_upgrade/node.rs"]
mod node;
#[allow(unreachable_pub)]
#[path = "../../examples/rolling_upgrade/types.rs"]
mod types;
