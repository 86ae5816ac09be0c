//! A client that is pinned to a version that does not have the method any more.
use rpc_core::{Context, rpc_api};

#[rpc_api(version = "6.1", also = "5.13")]
pub trait Compute {
    #[rpc(since = "5.2", until = "6.0")]
    async fn inject_file(&self, ctx: &Context, id: u64);
}

async fn run(client: ComputeClient) {
    let client = client.pin::<6, 0>();
    let _ = client.inject_file(&Context::new(), 1).await;
}

fn main() {}
