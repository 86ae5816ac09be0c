//! The sides that need nothing but this workspace's own dependencies.

mod api;
mod floor;
mod keys;
mod ours;
mod raw;
mod servers;
mod zeromq;

use crate::criterion::Criterion;
use crate::side::{IN_FLIGHT, LARGE, SEQUENTIAL, Side, Work};

/// The framework.
pub const OURS: Side = Side {
    name: "ours",
    what: "this framework over ZeroMQ: a generated client and dispatcher, MessagePack, a task for each request",
    lacks: "",
    packages: &[],
    does: &[
        SEQUENTIAL,
        IN_FLIGHT,
        LARGE,
        Work::StreamReady,
        Work::StreamPaced,
        Work::Cast,
        Work::Idle,
        Work::Many,
    ],
    serve: |work| Box::pin(api::serve(work)),
    run: |job| Box::pin(ours::run(job)),
};

/// The framework with keys.
pub const OURS_KEYS: Side = Side {
    name: "ours-keys",
    what: "the same with keys: both ends have proved who they are, and each frame is encrypted (CURVE)",
    lacks: "",
    packages: &[],
    does: &[SEQUENTIAL, IN_FLIGHT, LARGE, Work::StreamReady, Work::Cast],
    serve: |work| Box::pin(api::serve_with_keys(work)),
    run: |job| Box::pin(ours::run_with_keys(job)),
};

/// The floor of sockets.
pub const RAW: Side = Side {
    name: "raw",
    what: "frames with a length over one TCP connection of tokio, a table of who waits for what, a task that reads; the server answers where it reads",
    lacks: "methods, a codec, deadlines, cancellation, acceptance, limits, versions, streams, more than one server, reconnection, heartbeats",
    packages: &["tokio"],
    does: &[SEQUENTIAL, IN_FLIGHT, LARGE, Work::Cast, Work::Idle],
    serve: |_| Box::pin(raw::serve()),
    run: |job| Box::pin(raw::run(job)),
};

/// The floor of ZeroMQ.
pub const ZEROMQ: Side = Side {
    name: "zeromq",
    what: "the bare `zeromq` crate: one message for each request and item, a table of who waits for what, a task for each request",
    lacks: "methods, a codec, deadlines, cancellation, acceptance, limits, versions, flow control of streams, reconnection, heartbeats",
    packages: &["zeromq"],
    does: &[
        SEQUENTIAL,
        IN_FLIGHT,
        LARGE,
        Work::StreamReady,
        Work::StreamPaced,
        Work::Cast,
        Work::Idle,
    ],
    serve: |_| Box::pin(zeromq::serve()),
    run: |job| Box::pin(zeromq::run(job)),
};

/// What the framework may cost beside its floors.
pub const BESIDE_FLOORS: &[Criterion] = &[
    Criterion::at_most("sequential", "raw", 1.5),
    Criterion::at_most("sequential", "zeromq", 2.0),
    Criterion::at_least("in_flight_64", "raw", 0.6),
    Criterion::at_least("in_flight_64", "zeromq", 0.7),
    Criterion::at_least("stream_ready", "zeromq", 1.0),
    Criterion::at_least("stream_ready", "zeromq", 3.0),
    Criterion::at_most("stream_paced", "zeromq", 2.0),
    Criterion::at_least("cast_64", "raw", 0.5),
    Criterion::at_least("cast_64", "zeromq", 0.5),
    Criterion::figure_at_most("idle_1000 server", 12.0),
    Criterion::figure_at_most("idle_1000 client", 12.0),
];
