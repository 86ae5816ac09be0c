//! An option takes a value of its type, or `None`.

use rpc_core::{Context, rpc_api, transport};
use std::time::Duration;

#[rpc_api(version = "2.5")]
pub trait Compute {
    async fn reboot(&self, ctx: &Context, id: u64) -> bool;
}

fn main() {
    let client = ComputeClient::new(transport::memory("options"));
    let _ = client.prepare(|call| call.timeout(5));
    let _ = client.prepare(|call| call.version_cap(2.5));
    let _ = client.prepare(|call| call.server(Duration::ZERO));
}
