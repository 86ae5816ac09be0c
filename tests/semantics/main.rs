//! What the framework promises, one test a rule, over every transport.
//!
//! Each rule is a function that is given a [`World`](world::World); `rules!` makes a test of it for each transport.

#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing has failed")]

mod calls;
mod casts;
mod context;
mod deadlines;
mod errors;
mod guests;
mod life;
mod limits;
mod majors;
mod middleware;
mod negotiation;
mod probe;
mod routing;
mod streams;
mod versions;
mod world;

/// Runs each rule over memory and over ZeroMQ.
macro_rules! rules {
    ($($rule:ident,)*) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                $crate::world::within_limit(super::$rule($crate::world::World::memory())).await;
            })*
        }

        mod zmq {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                $crate::world::within_limit(super::$rule($crate::world::World::zmq())).await;
            })*
        }
    };
}
use rules;
