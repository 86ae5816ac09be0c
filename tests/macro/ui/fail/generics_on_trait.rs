//! The trait has a type parameter.

use rpc_core::{Context, rpc_api};

#[rpc_api(version = "1.0")]
pub trait Compute<T: Send + 'static> {
    async fn reboot(&self, ctx: &Context, id: u64) -> bool;
}

struct Node;

impl Compute<u8> for Node {
    async fn reboot(&self, _: &Context, id: u64) -> bool {
        id > 0
    }
}

fn uses() {
    drop(ComputeClient::local(Node).reboot(&Context::new(), 1));
}

fn main() {}
