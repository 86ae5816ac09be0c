//! A client that is pinned to an older version than the method's.
use rpc_core::{Context, rpc_api};

#[rpc_api(version = "2.5")]
pub trait Compute {
    #[rpc(since = "2.1")]
    async fn snapshot(
        &self,
        ctx: &Context,
        id: u64,
        #[rpc(since = "2.3")] clean_shutdown: Option<bool>,
    ) -> u64;
    #[rpc(cast, fanout, since = "2.4")]
    async fn drop_caches(&self, ctx: &Context);
}

async fn run(client: ComputeClient) {
    let client = client.pin::<2, 3>();
    let _ = client.drop_caches(&Context::new()).await;
}

fn main() {}
