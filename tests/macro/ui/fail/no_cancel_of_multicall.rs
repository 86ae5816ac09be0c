//! A stream that is not cancelled.

use rpc_core::{Context, Stream, rpc_api};

#[rpc_api(version = "2.5")]
pub trait Compute {
    async fn reboot(&self, ctx: &Context, id: u64) -> bool;
    #[rpc(multicall, no_cancel)]
    fn find(&self, ctx: &Context) -> impl Stream<Item = u64> + Send;
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

    fn find(&self, _: &Context) -> impl Stream<Item = u64> + Send {
        futures_util::stream::empty()
    }
}

fn main() {
    let _ = uses;
}
