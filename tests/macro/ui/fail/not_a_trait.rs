//! The attribute is on an `impl`.

use rpc_core::{Context, rpc_api};

struct Node;

#[rpc_api(version = "1.0")]
impl Node {
    fn new(_: &Context) -> Self {
        Self
    }
}

fn uses() -> Node {
    Node::new(&Context::new())
}

fn main() {}
