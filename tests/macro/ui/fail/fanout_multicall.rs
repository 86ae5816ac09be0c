//! A fanout that is a multicall.

use rpc_core::{Context, Stream, rpc_api};

#[rpc_api(version = "2.5")]
pub trait Compute {
    async fn reboot(&self, ctx: &Context, id: u64) -> bool;
    #[rpc(multicall, fanout)]
    fn guests(&self, ctx: &Context) -> impl Stream<Item = u64> + Send;
}

fn uses(client: &ComputeClient) {
    drop(client.reboot(&Context::new(), 1));
    drop(client.guests(&Context::new()));
    drop(ComputeClient::local(Node));
    drop(ComputeDispatcher::new(Node));
    let _ = &compute_api::API;
}

struct Node;

fn main() {
    let _ = uses;
}
