//! The framework beside other RPC frameworks and libzmq, in one run.
//!
//! `cargo xtask bench --peers --help`

mod grpc;
mod libzmq;
mod tarpc;

use rpc_benches::criterion::Criterion;
use rpc_benches::program::Program;
use rpc_benches::sides::{BESIDE_FLOORS, OURS, OURS_KEYS, RAW, ZEROMQ};
use std::process::ExitCode;

const BESIDE_PEERS: &[Criterion] = &[
    Criterion::at_least("in_flight_64", "tarpc-bincode", 1.5),
    Criterion::at_least("stream_ready", "tonic", 0.4),
    Criterion::at_least("echo_1mib", "tarpc-msgpack", 1.0),
];

fn main() -> ExitCode {
    Program {
        usage: "cargo xtask bench --peers",
        sides: &[
            OURS,
            OURS_KEYS,
            RAW,
            ZEROMQ,
            libzmq::LIBZMQ,
            tarpc::BINCODE,
            tarpc::MESSAGE_PACK,
            grpc::TONIC,
        ],
        criteria: &[BESIDE_FLOORS, BESIDE_PEERS],
        lock: include_str!("../Cargo.lock"),
    }
    .main()
}
