//! The framework beside other RPC frameworks and libzmq, in one run.
//!
//! `cargo run --release -- --help` in this folder, or `cargo xtask bench --peers`

mod grpc;
mod libzmq;
mod tarpc;

use rpc_benches::measure::Criterion;
use rpc_benches::program::Program;
use rpc_benches::sides::{OURS, RAW, ZEROMQ};
use std::process::ExitCode;

const CRITERIA: &[Criterion] = &[
    Criterion::at_most("sequential", "raw", 1.5),
    Criterion::at_least("in_flight_64", "raw", 0.6),
    Criterion::at_least("in_flight_64", "tarpc-bincode", 1.5),
    Criterion::at_least("stream_ready", "zeromq", 3.0),
    Criterion::at_least("stream_ready", "tonic", 0.4),
    Criterion::at_least("cast_64", "raw", 0.5),
    Criterion::at_least("echo_1mib", "tarpc-msgpack", 1.0),
];

fn main() -> ExitCode {
    Program {
        usage: "cargo run --release --",
        sides: &[
            OURS,
            RAW,
            ZEROMQ,
            libzmq::LIBZMQ,
            tarpc::BINCODE,
            tarpc::MESSAGE_PACK,
            grpc::TONIC,
        ],
        criteria: CRITERIA,
    }
    .main()
}
