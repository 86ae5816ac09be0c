//! The sides that need nothing but this workspace's own dependencies.

mod api;
mod ours;
mod raw;
mod zeromq;

use crate::side::{Side, Work};

/// The framework.
pub const OURS: Side = Side {
    name: "ours",
    what: "this framework over ZeroMQ: a generated client and dispatcher, MessagePack, deadlines, windows, a task for each request",
    can: |_| true,
    serve: || Box::pin(api::serve()),
    run: |work, scale, port, server| Box::pin(ours::run(work, scale, port, server)),
};

/// The floor of sockets.
pub const RAW: Side = Side {
    name: "raw",
    what: "bytes over one TCP connection, and a table of who waits for what: no codec, no deadlines, no limits, no task for a request, no streams",
    can: |work| !matches!(work, Work::StreamReady | Work::StreamPaced),
    serve: || Box::pin(raw::serve()),
    run: |work, scale, port, server| Box::pin(raw::run(work, scale, port, server)),
};

/// The floor of ZeroMQ.
pub const ZEROMQ: Side = Side {
    name: "zeromq",
    what: "the bare `zeromq` crate, one message for each request and item: no codec, no deadlines, no limits, and a cast is sent and not accepted",
    can: |_| true,
    serve: || Box::pin(zeromq::serve()),
    run: |work, scale, port, server| Box::pin(zeromq::run(work, scale, port, server)),
};
