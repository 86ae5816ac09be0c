//! Neither an enum nor a struct.

use rpc_core::{Context, RemoteError, rpc_api};
use std::fmt;

#[derive(RemoteError)]
pub union Failed {
    code: u32,
    number: f32,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it failed")
    }
}

#[rpc_api(version = "1.0")]
pub trait Compute {
    async fn reboot(&self, ctx: &Context, id: u64) -> Result<(), Failed>;
}

fn main() {}
