//! Two variants of one name on the wire.

use rpc_core::{Context, RemoteError, rpc_api};
use std::fmt;

#[derive(RemoteError)]
pub enum Failed {
    Lost,
    #[rpc(class = "Lost")]
    Gone,
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
