//! What the framework costs beside its floors.
//!
//! `cargo bench -p rpc-benches --bench rpc -- --help`

use rpc_benches::program::Program;
use rpc_benches::sides::{BESIDE_FLOORS, OURS, OURS_KEYS, RAW, ZEROMQ};
use std::process::ExitCode;

fn main() -> ExitCode {
    Program {
        usage: "cargo bench -p rpc-benches --bench rpc --",
        sides: &[OURS, OURS_KEYS, RAW, ZEROMQ],
        criteria: &[BESIDE_FLOORS],
        lock: include_str!("../../Cargo.lock"),
    }
    .main()
}
