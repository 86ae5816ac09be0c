//! A slip.

use rpc_core::{Context, rpc_api};

#[rpc_api(version = "2.5")]
pub trait Compute {
    async fn reboot(
        &self,
        ctx: &Context,
        id: u64,
        #[rpc(sinse = "2.3", default)] force: bool,
    ) -> bool;
}

fn uses(client: &ComputeClient) {
    drop(client.reboot(&Context::new(), 1).force(true));
    drop(ComputeClient::local(Node));
    drop(ComputeDispatcher::new(Node));
    let _ = &compute_api::API;
}

struct Node;

impl Compute for Node {
    async fn reboot(&self, _: &Context, id: u64, _: bool) -> bool {
        id > 0
    }
}

fn main() {
    let _ = uses;
}
