//! The form in which errors with `#[derive(RemoteError)]` travel: `{"class": .., "message": .., "data": ..}`.

mod content;
mod read;
#[cfg(test)]
mod tests;

pub use read::read;

use serde::ser::SerializeStruct;
use serde::{Deserializer, Serialize, Serializer};
use std::fmt;

/// The fields, in the order in which they are written. The class must come before the data.
const FIELDS: &[&str] = &["class", "message", "data"];

/// An error whose variants travel by name.
pub trait RemoteError<'de>: Sized {
    /// The name of the type.
    const NAME: &'static str;

    /// The classes that are known.
    const CLASSES: &'static [&'static str];

    /// What a class that is not known becomes, with its message.
    const OTHER: Option<fn(String, String) -> Self>;

    /// Reads one of a known class, of an enum by its name or of a struct.
    ///
    /// # Errors
    ///
    /// When its data is none.
    fn known<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// Writes an error.
///
/// # Errors
///
/// When its data can't be written.
pub fn write<S: Serializer, T: Serialize>(
    serializer: S,
    name: &'static str,
    class: &str,
    message: &dyn fmt::Display,
    data: Option<&T>,
) -> Result<S::Ok, S::Error> {
    let mut fields = serializer.serialize_struct(name, 2 + usize::from(data.is_some()))?;
    fields.serialize_field("class", class)?;
    fields.serialize_field("message", &Shown(message))?;
    if let Some(data) = data {
        fields.serialize_field("data", data)?;
    }
    fields.end()
}

struct Shown<'a>(&'a dyn fmt::Display);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}
