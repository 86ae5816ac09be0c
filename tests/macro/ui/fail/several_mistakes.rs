//! Each mistake is told, at once.

use rpc_core::{Context, rpc_api};

#[rpc_api(version = "2.5", topik = "compute")]
pub trait Compute {
    #[rpc(since = "2.6", timeout = "never")]
    async fn reboot(&self, id: u64) -> bool;
    #[rpc(cast)]
    fn note(&self, ctx: &Context, text: &mut String) -> bool;
}

fn main() {}
