//! An error that has no message.

use rpc_core::RemoteError;

#[derive(Debug, RemoteError)]
pub enum Failed {
    Lost { id: u64 },
}

fn main() {}
