//! A multicall has many replies: it is not awaited as a call is.

use rpc_core::{CallError, Context, Never, Stream, rpc_api};

#[rpc_api(version = "2.5")]
pub trait Compute {
    #[rpc(multicall)]
    fn guests(&self, ctx: &Context) -> impl Stream<Item = u64> + Send;
}

async fn first(client: &ComputeClient) -> Result<u64, CallError<Never>> {
    client.guests(&Context::new()).await
}

fn main() {
    let _ = first;
}
