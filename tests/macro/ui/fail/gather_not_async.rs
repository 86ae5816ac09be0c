//! A gather is written as a call is.

use rpc_core::{Context, rpc_api};

#[rpc_api(version = "2.5")]
pub trait Compute {
    async fn reboot(&self, ctx: &Context, id: u64) -> bool;
    #[rpc(gather)]
    fn load(&self, ctx: &Context) -> u64;
}

fn uses(client: &ComputeClient) {
    drop(client.reboot(&Context::new(), 1));
    drop(client.load(&Context::new()));
    drop(ComputeClient::local(Node));
    drop(ComputeDispatcher::new(Node));
    let _ = &compute_api::API;
}

struct Node;

impl Compute for Node {
    async fn reboot(&self, _: &Context, id: u64) -> bool {
        id > 0
    }

    fn load(&self, _: &Context) -> u64 {
        1
    }
}

fn main() {
    let _ = uses;
}
