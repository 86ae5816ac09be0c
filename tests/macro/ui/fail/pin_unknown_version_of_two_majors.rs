//! A pin to a version that no major of the API has.
use rpc_core::{Context, rpc_api};

#[rpc_api(version = "6.1", also = "5.13")]
pub trait Compute {
    #[rpc(since = "5.2", until = "6.0")]
    async fn inject_file(&self, ctx: &Context, id: u64);
}

fn run(client: ComputeClient) {
    let _ = client.pin::<5, 14>();
}

fn main() {}
