//! Generic code whose clients are new enough for the method, and not for the argument.
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

async fn run<V: compute_api::Since2_1>(client: &ComputeClient<V>) {
    let _ = client
        .snapshot(&Context::new(), 1)
        .clean_shutdown(true)
        .await;
}

fn main() {}
