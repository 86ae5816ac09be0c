//! `None` and `Some(None)` are the same.

use rpc_core::{Context, rpc_api};

#[rpc_api(version = "2.5")]
pub trait Compute {
    async fn reboot(
        &self,
        ctx: &Context,
        id: u64,
        #[rpc(was(type = Option<Option<u8>>, until = "2.3"))] force: u8,
    ) -> bool;
}

fn uses(client: &ComputeClient) {
    drop(client.reboot(&Context::new(), 1, 1));
    drop(ComputeClient::local(Node));
    drop(ComputeDispatcher::new(Node));
    let _ = &compute_api::API;
}

struct Node;

impl Compute for Node {
    async fn reboot(&self, _: &Context, id: u64, _: u8) -> bool {
        id > 0
    }
}

fn main() {
    let _ = uses;
}
