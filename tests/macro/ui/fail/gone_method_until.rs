//! A method that only the older major had, which is not spoken any more.

use rpc_core::{Context, rpc_api};

#[rpc_api(version = "6.5")]
pub trait Compute {
    #[rpc(since = "5.3", until = "6.0", removed(force: bool = false, until = "5.8"))]
    async fn reboot(
        &self,
        ctx: &Context,
        id: u64,
        #[rpc(since = "5.4", default, was(name = "wait", until = "5.6"))] seconds: u32,
    ) -> bool;
}

fn uses(client: &ComputeClient) {
    drop(client.reboot(&Context::new(), 1, 60));
    drop(ComputeClient::local(Node));
    drop(ComputeDispatcher::new(Node));
    let _ = &compute_api::API;
}

struct Node;

impl Compute for Node {
    async fn reboot(&self, _: &Context, id: u64, _: u32) -> bool {
        id > 0
    }
}

fn main() {
    let _ = uses;
}
