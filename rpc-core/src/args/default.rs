//! The defaults of arguments that came later than their method, encoded once.

use crate::codec::Encoded;
use serde::Serialize;
use std::sync::OnceLock;

/// The encoded default of one argument, made when it is first needed.
#[derive(Debug, Default)]
pub struct DefaultBytes(OnceLock<Vec<u8>>);

impl DefaultBytes {
    /// Not made yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The default, which `make` gives. It is empty if it can't be encoded: whoever needs it then says so.
    pub fn get<T: Serialize>(&self, make: impl FnOnce() -> T) -> &[u8] {
        self.0.get_or_init(|| {
            let mut encoded = Encoded::new();
            let _ = encoded.push(&make());
            encoded.bytes().to_vec()
        })
    }

    /// The same for an argument that is bytes.
    pub fn get_bytes<T: AsRef<[u8]>>(&self, make: impl FnOnce() -> T) -> &[u8] {
        self.0.get_or_init(|| {
            let mut encoded = Encoded::new();
            let _ = encoded.push_bin(make().as_ref());
            encoded.bytes().to_vec()
        })
    }
}

/// The default `None`, encoded.
#[must_use]
pub const fn none() -> &'static [u8] {
    &[0xc0]
}
