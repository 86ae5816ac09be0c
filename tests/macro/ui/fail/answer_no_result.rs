//! A method returns a type of the user's with no `Result` around it.

use rpc_core::{Context, rpc_api};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub struct Guest;

#[rpc_api(version = "1.0")]
pub trait Compute {
    async fn guest(&self, ctx: &Context) -> Guest;
}

fn main() {}
