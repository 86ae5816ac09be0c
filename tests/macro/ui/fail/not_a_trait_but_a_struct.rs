//! The attribute is on a struct.

use rpc_core::{Context, rpc_api};

#[rpc_api(version = "1.0")]
pub struct Node;

fn uses(_: &Context) -> Node {
    Node
}

fn main() {}
