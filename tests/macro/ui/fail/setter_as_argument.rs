//! A newer argument is set on the call, not given to it.

use rpc_core::{Context, rpc_api};

#[rpc_api(version = "2.5")]
pub trait Compute {
    async fn reboot(
        &self,
        ctx: &Context,
        id: u64,
        #[rpc(since = "2.3")] hard: Option<bool>,
    ) -> bool;
}

fn uses(client: &ComputeClient) {
    drop(client.reboot(&Context::new(), 1, None));
    drop(ComputeClient::local(Node));
    drop(ComputeDispatcher::new(Node));
    let _ = &compute_api::API;
}

struct Node;

impl Compute for Node {
    async fn reboot(&self, _: &Context, id: u64, _: Option<bool>) -> bool {
        id > 0
    }
}

fn main() {
    let _ = uses;
}
