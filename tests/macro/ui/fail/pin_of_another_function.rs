//! A client that is pinned lower than the function needs that it is passed to.
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

fn needs<V: compute_api::Since2_4>(client: &ComputeClient<V>) {
    drop(client.drop_caches(&Context::new()));
}

fn run(client: ComputeClient) {
    needs(&client.pin::<2, 3>());
}

fn main() {}
