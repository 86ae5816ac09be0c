//! A name for a version of a major that the API skips.

use rpc_core::{Context, rpc_api};

#[rpc_api(version = "5.2", also = "3.9", aliases(yoga = "4.1"))]
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
