//! Nobody can write these conversions.

use rpc_core::{Context, rpc_api};

#[rpc_api(version = "2.5")]
pub trait Compute {
    #[rpc(returned(type = Option<u32>, until = "2.3"))]
    async fn reboot(
        &self,
        ctx: &Context,
        #[rpc(was(type = u32, until = "2.3"))] id: u64,
        #[rpc(was(type = Vec<u8>, until = "2.3"))] zones: Vec<String>,
    ) -> Result<u64, String>;
}

fn uses(client: &ComputeClient) {
    drop(client.reboot(&Context::new(), 1, Vec::new()));
    drop(ComputeClient::local(Node));
    drop(ComputeDispatcher::new(Node));
    let _ = &compute_api::API;
}

struct Node;

impl Compute for Node {
    async fn reboot(&self, _: &Context, id: u64, _: Vec<String>) -> Result<u64, String> {
        Ok(id)
    }
}

fn main() {
    let _ = uses;
}
