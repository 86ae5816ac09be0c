//! A method's value that serde cannot write.

use rpc_core::{Context, rpc_api};

pub struct Opaque;

#[rpc_api(version = "1.0")]
pub trait Compute {
    async fn reboot(&self, ctx: &Context, id: u64) -> Result<Opaque, String>;
}

fn main() {}
