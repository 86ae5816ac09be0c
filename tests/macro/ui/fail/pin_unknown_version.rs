//! A pin to a version that the API does not have.
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

fn run(client: ComputeClient) {
    let _ = client.pin::<3, 1>();
}

fn main() {}
