//! Rust and Python speak the same protocol: each is client and server of the other, in processes of their own, over ZeroMQ.
//!
//! The Python side, `tests/python/`, is written from `docs/wire-protocol.md` alone and uses libzmq; it shares nothing with the code
//! of this repository. `cargo xtask test` installs what it needs and runs these tests; `cargo test` leaves them out.
//!
//! - `api.rs`, `service.rs`: the service that both sides have. `python.rs`: the processes.
//! - `to_python/`: Rust clients and Python servers. `from_python.rs`: Python clients and Rust servers.
//! - `keys.rs`: both ways over CURVE.
//! - `alone.rs`: Python without Rust: the vectors, and both its sides with each other.

#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing has failed")]

mod alone;
mod api;
mod from_python;
mod keys;
mod python;
mod service;
mod to_python;

/// A test for each rule. None takes longer than two minutes; one that hangs fails, and its processes end.
macro_rules! rules {
    ($($rule:ident,)*) => {
        mod with_python {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs the Python peers: `cargo xtask test` installs them"]
            async fn $rule() {
                let limit = std::time::Duration::from_secs(120);
                tokio::time::timeout(limit, super::$rule()).await.expect("the test hangs");
            })*
        }
    };
}
use rules;
