//! The items of a multicall have one type.

use rpc_core::{Context, Stream, rpc_api};

pub struct Old;

#[rpc_api(version = "2.5")]
pub trait Compute {
    #[rpc(multicall, returned(type = Old, until = "2.3"))]
    fn guests(&self, ctx: &Context) -> impl Stream<Item = u64> + Send;
}

fn uses(client: &ComputeClient) {
    drop(client.guests(&Context::new()));
    drop(ComputeClient::local(Node));
    drop(ComputeDispatcher::new(Node));
    let _ = &compute_api::API;
}

struct Node;

impl Compute for Node {
    fn guests(&self, _: &Context) -> impl Stream<Item = u64> + Send {
        futures_util::stream::empty()
    }
}

fn main() {
    let _ = uses;
}
