//! How values become bytes: MessagePack, in one form on every transport.
//!
//! - Structs are maps by field name, at every depth; enums go by variant name. So fields can be added and reordered.
//! - Types see a human-readable format (`is_human_readable()` is true): a UUID is its text, as it would be in JSON.
//! - What holds `u8`s (`Vec<u8>`, `&[u8]`, `Bytes` …) is MessagePack's `bin`; a `[u8; N]` is an array.
//! - 128-bit integers are plain integers where they fit into 64 bits, and 16 bytes of `bin` (big-endian) where not. serde
//!   itself cannot read them within tagged, untagged and flattened types; that is an error.
//! - `Some(None)` and `Some(())` are refused: they would read back as `None`.
//! - Nesting is at most [`MAX_DEPTH`] deep; trailing bytes and duplicate keys are errors. Extension types are not used.
//!
//! MessagePack's own bytes are written and read by the `rmp` crate. Its serde layer, `rmp-serde`, is not used: with bytes
//! as `bin` it cannot read a `Vec<u8>` or an `i128` back from a tagged or flattened type, and writes an empty `&[u8]` as an
//! array.

mod de;
mod ser;
mod skip;
mod wish;

pub(crate) use skip::{Reader, Token, skip};
pub(crate) use wish::{PADDING, SOME, Wish, heard, say as said};

use serde::{Deserialize, Serialize};
use std::fmt;

/// How deep values may be nested, when written and when read.
pub const MAX_DEPTH: usize = 64;

/// Space kept free in front of an encoded value, so that a header can be put there without a copy. A request's header
/// without metadata takes about 70 bytes.
const HEADROOM: usize = 128;

/// An encoded value, or several one after another, with room in front of it for a header.
#[derive(Clone)]
pub(crate) struct Encoded {
    buffer: Vec<u8>,
    start: usize,
}

impl Encoded {
    pub(crate) fn new() -> Self {
        Self::with_room_for(HEADROOM)
    }

    /// Empty, with room for so many bytes.
    pub(crate) fn with_room_for(bytes: usize) -> Self {
        let mut buffer = Vec::with_capacity(HEADROOM + bytes);
        buffer.resize(HEADROOM, 0);
        Self {
            buffer,
            start: HEADROOM,
        }
    }

    /// Takes it out of where it is, and leaves nothing there.
    pub(crate) fn take(&mut self) -> Self {
        let empty = Self {
            buffer: Vec::new(),
            start: 0,
        };
        std::mem::replace(self, empty)
    }

    /// A copy of bytes that are already encoded.
    pub(crate) fn copy_of(bytes: &[u8]) -> Self {
        let mut buffer = Vec::with_capacity(HEADROOM + bytes.len());
        buffer.resize(HEADROOM, 0);
        buffer.extend_from_slice(bytes);
        Self {
            buffer,
            start: HEADROOM,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Appends a value. On an error nothing is appended.
    pub(crate) fn push<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Error> {
        let end = self.buffer.len();
        value
            .serialize(&mut ser::Serializer::new(&mut self.buffer))
            .inspect_err(|_| self.buffer.truncate(end))
    }

    /// Appends what MessagePack calls `bin`.
    pub(crate) fn push_bin(&mut self, bytes: &[u8]) -> Result<(), Error> {
        ser::Serializer::new(&mut self.buffer).bin(bytes)
    }

    /// The buffer, to append to.
    pub(crate) fn tail(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Puts bytes in front: into the headroom if they fit there.
    pub(crate) fn prepend(&mut self, bytes: &[u8]) {
        match self.start.checked_sub(bytes.len()) {
            Some(start) => {
                self.buffer[start..self.start].copy_from_slice(bytes);
                self.start = start;
            }
            None => {
                self.buffer.splice(..self.start, bytes.iter().copied());
                self.start = 0;
            }
        }
    }

    /// Drops what was put in front of the last `len` bytes.
    pub(crate) fn keep_last(&mut self, len: usize) {
        self.start = self.buffer.len() - len.min(self.len());
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// The bytes, to write a part of a header that is known late.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.buffer[self.start..]
    }

    pub(crate) fn into_bytes(self) -> bytes::Bytes {
        let mut bytes = bytes::Bytes::from(self.buffer);
        bytes::Buf::advance(&mut bytes, self.start);
        bytes
    }
}

impl fmt::Debug for Encoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encoded({} bytes)", self.len())
    }
}

/// Decodes `bytes`, which must be one value and nothing after it.
pub(crate) fn decode<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, Error> {
    match skip(bytes, 0)? {
        end if end == bytes.len() => decode_checked(bytes),
        end => Err(Error::new(format!(
            "{} bytes follow the value",
            bytes.len() - end
        ))),
    }
}

/// Decodes bytes of which [`skip`] has said that they are one value.
pub(crate) fn decode_checked<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, Error> {
    T::deserialize(&mut de::Deserializer::new(bytes))
}

/// A value could not be encoded or decoded.
///
/// Says where in the value, if it has parts. Holds no values: these could be secrets.
#[derive(Debug)]
pub(crate) struct Error(Box<ErrorParts>);

#[derive(Debug)]
struct ErrorParts {
    message: String,
    /// From the innermost part outwards.
    path: Vec<String>,
    /// What would have been taken.
    wish: Option<Wish>,
}

impl Error {
    #[cold]
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(Box::new(ErrorParts {
            message: message.into(),
            path: Vec::new(),
            wish: None,
        }))
    }

    /// The same, with what would have been taken instead.
    #[cold]
    fn wishing(mut self, wish: Wish) -> Self {
        wish::say(wish);
        self.0.wish = Some(wish);
        self
    }

    /// What would have been taken instead, if that is known.
    pub(crate) fn wish(&self) -> Option<Wish> {
        self.0.wish
    }

    /// Nothing is wrong: all was decoded, and that was all.
    #[cold]
    pub(crate) fn nothing() -> Self {
        Self::new("nothing").wishing(Wish::Nothing)
    }

    #[cold]
    fn inside(mut self, part: impl fmt::Display) -> Self {
        // the depth of values is bounded, and so is this
        self.0.path.push(crate::text::shown(&part.to_string()));
        self
    }

    /// Names the field or argument that the error is in.
    #[cold]
    pub(crate) fn in_field(self, name: &str) -> Self {
        self.inside(format_args!(".{name}"))
    }

    #[cold]
    pub(crate) fn at_index(self, index: usize) -> Self {
        self.inside(format_args!("[{index}]"))
    }

    /// Where in the value, like `spec.flavors[0].name`; empty for the value itself.
    pub(crate) fn path(&self) -> String {
        let path: String = self.0.path.iter().rev().map(String::as_str).collect();
        path.trim_start_matches('.').into()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path();
        if !path.is_empty() {
            write!(f, "`{path}`: ")?;
        }
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

impl serde::ser::Error for Error {
    #[cold]
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(crate::text::shown(&message.to_string()))
    }
}

impl serde::de::Error for Error {
    #[cold]
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(crate::text::shown(&message.to_string()))
    }

    #[cold]
    fn invalid_type(found: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        Self::new(format!("this is {}, expected {expected}", kind_of(&found)))
    }

    #[cold]
    fn invalid_value(found: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        Self::new(format!(
            "this {} has a value that does not fit, expected {expected}",
            kind_of(&found)
                .trim_start_matches("a ")
                .trim_start_matches("an ")
        ))
    }

    #[cold]
    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!(
            "unknown variant, expected one of: {}",
            expected.join(", ")
        ))
        .wishing(Wish::Variant(expected))
    }

    #[cold]
    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("missing field `{field}`")).wishing(Wish::Field(field))
    }

    #[cold]
    fn duplicate_field(field: &'static str) -> Self {
        Self::new(format!("duplicate field `{field}`")).wishing(Wish::Once(field))
    }
}

/// What serde found, without its value.
fn kind_of(found: &serde::de::Unexpected<'_>) -> &'static str {
    use serde::de::Unexpected as U;
    match found {
        U::Bool(_) => "a boolean",
        U::Unsigned(_) | U::Signed(_) => "an integer",
        U::Float(_) => "a floating point number",
        U::Char(_) | U::Str(_) => "a string",
        U::Bytes(_) => "bytes",
        U::Unit => "nil",
        U::Option => "an option",
        U::NewtypeStruct => "a newtype",
        U::Seq => "an array",
        U::Map => "a map",
        U::Enum | U::UnitVariant | U::NewtypeVariant | U::TupleVariant | U::StructVariant => {
            "an enum"
        }
        U::Other(_) => "something else",
    }
}

#[cfg(test)]
mod tests;
