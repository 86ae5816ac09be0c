//! An error that does not own what it holds.

use rpc_core::RemoteError;
use std::fmt;

#[derive(RemoteError)]
pub enum Failed<'a> {
    Lost(&'a str),
}

impl fmt::Display for Failed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it failed")
    }
}

fn main() {}
