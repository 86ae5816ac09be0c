//! What the framework costs beside its floors.
//!
//! `cargo bench -p rpc-benches --bench rpc -- --help`

use rpc_benches::measure::Criterion;
use rpc_benches::program::Program;
use rpc_benches::sides::{OURS, RAW, ZEROMQ};
use std::process::ExitCode;

const CRITERIA: &[Criterion] = &[
    Criterion::at_most("sequential", "zeromq", 2.0),
    Criterion::at_most("sequential", "raw", 1.5),
    Criterion::at_least("in_flight_64", "zeromq", 0.7),
    Criterion::at_least("in_flight_64", "raw", 0.6),
    Criterion::at_least("stream_ready", "zeromq", 3.0),
    Criterion::at_most("stream_paced", "zeromq", 2.0),
    Criterion::at_least("cast_64", "zeromq", 0.5),
    Criterion::at_least("cast_64", "raw", 0.5),
];

fn main() -> ExitCode {
    Program {
        usage: "cargo bench -p rpc-benches --bench rpc --",
        sides: &[OURS, ZEROMQ, RAW],
        criteria: CRITERIA,
    }
    .main()
}
