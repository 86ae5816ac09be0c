//! Older messages mean this value.

use rpc_core::{Context, rpc_api};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Mode {
    Slow,
    Fast,
}

#[rpc_api(version = "2.5")]
pub trait Compute {
    async fn reboot(
        &self,
        ctx: &Context,
        id: u64,
        #[rpc(since = "2.3", default = Mode::Slow, values(Mode::Fast | Mode::Slow = "2.4"))]
        mode: Mode,
    ) -> bool;
}

fn uses(client: &ComputeClient) {
    drop(client.reboot(&Context::new(), 1).mode(Mode::Fast));
    drop(ComputeClient::local(Node));
    drop(ComputeDispatcher::new(Node));
    let _ = &compute_api::API;
}

struct Node;

impl Compute for Node {
    async fn reboot(&self, _: &Context, id: u64, _: Mode) -> bool {
        id > 0
    }
}

fn main() {
    let _ = uses;
}
