//! Whoever calls a deprecated method is told, once.
#![deny(deprecated)]

use rpc_core::{Context, rpc_api};

#[rpc_api(version = "1.0")]
pub trait Compute {
    #[deprecated = "use `start`"]
    async fn reboot(&self, ctx: &Context) -> bool;
}

fn uses(client: &ComputeClient) {
    drop(client.reboot(&Context::new()));
}

fn main() {
    let _ = uses;
}
