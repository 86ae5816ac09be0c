//! A type that is not fixed.

use rpc_core::RemoteError;
use std::fmt;

#[derive(RemoteError)]
pub enum Failed<T> {
    Lost(T),
}

impl<T> fmt::Display for Failed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it failed")
    }
}

fn main() {}
