//! A method without docs, where docs must be: an error on the trait only.
#![deny(missing_docs)]

use rpc_core::{Context, rpc_api};

/// Runs guests.
#[rpc_api(version = "1.0")]
pub trait Compute {
    async fn reboot(&self, ctx: &Context, id: u64) -> bool;
}

fn main() {}
