//! The first argument is a reference, but to something else.

use rpc_core::{Context, rpc_api};

#[rpc_api(version = "1.0")]
pub trait Compute {
    async fn reboot(&self, id: &u64) -> bool;
    async fn start(&self, ctx: &Context) -> bool;
}

fn main() {}
