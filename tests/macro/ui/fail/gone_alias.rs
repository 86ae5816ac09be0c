//! A name for a version of a major that is not spoken any more.

use rpc_core::{Context, rpc_api};

#[rpc_api(version = "6.5", aliases(yoga = "5.13", zed = "6.5"))]
pub trait Compute {
    async fn reboot(&self, ctx: &Context, id: u64) -> bool;
}

fn uses(client: &ComputeClient) {
    drop(client.reboot(&Context::new(), 1));
    drop(ComputeClient::local(Node));
    drop(ComputeDispatcher::new(Node));
    let _ = &compute_api::API;
}

struct Node;

impl Compute for Node {
    async fn reboot(&self, _: &Context, id: u64) -> bool {
        id > 0
    }
}

fn main() {
    let _ = uses;
}
