//! A reference to a type of the user's, inside a slice of tuples.

use rpc_core::{Context, rpc_api};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub struct Own;

#[rpc_api(version = "2.5")]
pub trait Compute {
    async fn reboot(&self, ctx: &Context, id: u64) -> bool;
    async fn find(&self, ctx: &Context, like: &[(u8, &Own)]) -> bool;
}

fn uses(client: &ComputeClient) {
    drop(client.reboot(&Context::new(), 1));
    drop(ComputeClient::local(Node));
    drop(ComputeDispatcher::new(Node));
    let _ = &compute_api::API;
}

struct Node;

impl Compute for Node {
    async fn reboot(&self, _: &Context, id: u64) -> bool {
        id > 0
    }

    async fn find(&self, _: &Context, like: &[(u8, &Own)]) -> bool {
        like.is_empty()
    }
}

fn main() {
    let _ = uses;
}
