//! A multicall returns all of its answers at once, or an error.

use rpc_core::{Context, rpc_api};

#[rpc_api(version = "2.5")]
pub trait Compute {
    async fn reboot(&self, ctx: &Context, id: u64) -> bool;
    #[rpc(multicall)]
    fn guests(&self, ctx: &Context) -> Result<Vec<u64>, String>;
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

    fn guests(&self, _: &Context) -> Result<Vec<u64>, String> {
        Ok(Vec::new())
    }
}

fn main() {
    let _ = uses;
}
