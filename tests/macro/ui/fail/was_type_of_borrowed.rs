//! A value that was converted has no bytes to borrow from.

use rpc_core::{Context, rpc_api};

#[rpc_api(version = "2.5")]
pub trait Compute {
    async fn reboot(
        &self,
        ctx: &Context,
        id: u64,
        #[rpc(was(type = String, until = "2.3"))] force: Option<&str>,
    ) -> bool;
}

fn uses(client: &ComputeClient) {
    drop(client.reboot(&Context::new(), 1, Some("")));
    drop(ComputeClient::local(Node));
    drop(ComputeDispatcher::new(Node));
    let _ = &compute_api::API;
}

struct Node;

impl Compute for Node {
    async fn reboot(&self, _: &Context, id: u64, _: Option<&str>) -> bool {
        id > 0
    }
}

fn main() {
    let _ = uses;
}
