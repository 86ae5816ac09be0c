//! serde has no say in the form.

use rpc_core::{Context, RemoteError, rpc_api};
use std::fmt;

#[derive(RemoteError)]
#[serde(tag = "kind")]
pub enum Failed {
    Lost,
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
