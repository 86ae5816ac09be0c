//! A type without a `Default`.

use rpc_core::{Context, rpc_api};
use serde::{Deserialize, Serialize};

/// A type of its own.
#[derive(Debug, Serialize, Deserialize)]
pub struct Own;

#[rpc_api(version = "2.5")]
pub trait Compute {
    async fn reboot(
        &self,
        ctx: &Context,
        id: u64,
        #[rpc(since = "2.3", default)] force: Own,
    ) -> bool;
}

fn uses(client: &ComputeClient) {
    drop(client.reboot(&Context::new(), 1).force(Own));
    drop(ComputeClient::local(Node));
    drop(ComputeDispatcher::new(Node));
    let _ = &compute_api::API;
}

struct Node;

impl Compute for Node {
    async fn reboot(&self, _: &Context, id: u64, _: Own) -> bool {
        id > 0
    }
}

fn main() {
    let _ = uses;
}
