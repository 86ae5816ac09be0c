//! A version that is known later.

use rpc_core::{Context, rpc_api};

const VERSION: &str = "2.5";

#[rpc_api(version = VERSION)]
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
