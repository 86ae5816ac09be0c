//! Each cast can be a fanout.

use rpc_core::{Context, rpc_api};

#[rpc_api(version = "2.5")]
pub trait Compute {
    #[rpc(cast)]
    async fn reboot(&self, ctx: &Context, id: u64, #[rpc(since = "2.3")] fanout: Option<bool>);
}

fn uses(client: &ComputeClient) {
    drop(client.reboot(&Context::new(), 1).fanout(true));
    drop(ComputeClient::local(Node));
    drop(ComputeDispatcher::new(Node));
    let _ = &compute_api::API;
}

struct Node;

impl Compute for Node {
    async fn reboot(&self, _: &Context, _: u64, _: Option<bool>) {}
}

fn main() {
    let _ = uses;
}
