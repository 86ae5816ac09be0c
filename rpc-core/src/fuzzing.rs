//! Doors for the fuzz targets. Not for anybody else: they change without notice.

use crate::codec::{self, Encoded};
use serde::{Deserialize, Serialize};

/// Decodes one value.
///
/// # Errors
///
/// When the bytes are none of this type.
pub fn decode<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, String> {
    codec::decode(bytes).map_err(|error| error.to_string())
}

/// Encodes a value.
///
/// # Errors
///
/// When the value has no form.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, String> {
    let mut encoded = Encoded::new();
    encoded.push(value).map_err(|error| error.to_string())?;
    Ok(encoded.bytes().to_vec())
}
