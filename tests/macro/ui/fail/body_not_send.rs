//! An implementation holds what cannot move between threads.

use std::rc::Rc;

use rpc_core::{Context, rpc_api};

#[rpc_api(version = "1.0")]
pub trait Compute {
    async fn reboot(&self, ctx: &Context, id: u64) -> bool;
}

struct Node;

impl Compute for Node {
    async fn reboot(&self, _: &Context, id: u64) -> bool {
        let held = Rc::new(id);
        std::future::ready(()).await;
        *held > 0
    }
}

fn main() {}
