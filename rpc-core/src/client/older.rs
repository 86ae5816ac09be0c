//! Answers of servers that are older than a change of the answer's type.

use crate::convert::Conversion;
use crate::{Outcome, Version, codec};
use serde::de::DeserializeOwned;
use std::any::Any;

/// What the value of an answer was below a version, and how the present one is made of it.
#[derive(Clone, Copy, Debug)]
pub struct Older {
    until: Version,
    decode: Decode,
}

/// Decodes an old value and makes the present one of it.
type Decode = fn(&[u8]) -> Result<Box<dyn Any>, codec::Error>;

impl Older {
    /// Below `until`, a call that returns an `R` was answered with an `Old`.
    #[must_use]
    pub const fn of<C, R, Old>(until: Version) -> Self
    where
        C: Conversion<Old, R::Value>,
        R: Outcome,
        R::Value: 'static,
        Old: DeserializeOwned,
    {
        Self {
            until,
            decode: |bytes| {
                let old: Old = codec::decode(bytes)?;
                let value = C::convert(old).map_err(codec::Error::new)?;
                Ok(Box::new(value))
            },
        }
    }

    pub(super) fn decode<T: 'static>(&self, bytes: &[u8]) -> Result<T, codec::Error> {
        let value = (self.decode)(bytes)?.downcast();
        // `of` names the same type as the call, in generated code
        value
            .map(|value| *value)
            .map_err(|_| codec::Error::new("it is not of the call's type"))
    }
}

/// The entry that holds for a version.
pub(super) fn of(older: &'static [Older], version: Version) -> Option<&'static Older> {
    older.iter().find(|older| version < older.until)
}
