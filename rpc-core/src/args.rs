//! The arguments of one message: a map by name, written and read one by one.
//!
//! No type per method is generated for them. What is generic is one value at a time; the rest is compiled once.

use crate::api::MethodInfo;
use crate::codec::{self, Encoded, Reader, Token};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Writes the arguments, in the order of the method's [`ArgInfo`](crate::ArgInfo)s.
#[derive(Debug)]
pub(crate) struct ArgWriter {
    method: &'static MethodInfo,
    written: usize,
    encoded: Encoded,
}

impl ArgWriter {
    pub(crate) fn new(method: &'static MethodInfo) -> Self {
        let mut encoded = Encoded::new();
        let count = u32::try_from(method.args().len()).unwrap_or(u32::MAX);
        // a Vec takes whatever is written
        let _ = rmp::encode::write_map_len(encoded.tail(), count);
        Self {
            method,
            written: 0,
            encoded,
        }
    }

    fn name(&mut self) -> &'static str {
        let name = self
            .method
            .args()
            .get(self.written)
            .map_or("", |arg| arg.name());
        self.written += 1;
        let _ = rmp::encode::write_str(self.encoded.tail(), name);
        name
    }

    pub(crate) fn arg<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), codec::Error> {
        let name = self.name();
        self.encoded
            .push(value)
            .map_err(|error| error.in_field(name))
    }

    pub(crate) fn bytes(&mut self, value: &[u8]) -> Result<(), codec::Error> {
        let name = self.name();
        self.encoded
            .push_bin(value)
            .map_err(|error| error.in_field(name))
    }

    pub(crate) fn finish(self) -> Encoded {
        self.encoded
    }
}

/// The arguments of a request, as they arrived.
#[derive(Debug)]
pub struct Frame {
    method: &'static MethodInfo,
    bytes: Bytes,
}

impl Frame {
    pub(crate) fn new(method: &'static MethodInfo, bytes: Bytes) -> Self {
        Self { method, bytes }
    }

    /// The encoded arguments, in the order of the method's [`ArgInfo`](crate::ArgInfo)s.
    ///
    /// # Errors
    ///
    /// When they are no map, or one is missing, unknown or there twice.
    pub fn args<const N: usize>(&self) -> Result<[Slot<'_>; N], ArgumentError> {
        let mut slots = [Slot {
            name: "",
            bytes: &[],
        }; N];
        for (slot, info) in slots.iter_mut().zip(self.method.args()) {
            slot.name = info.name();
        }
        fill(&mut slots, &self.bytes).map_err(ArgumentError)?;
        Ok(slots)
    }
}

fn fill<'a>(slots: &mut [Slot<'a>], bytes: &'a [u8]) -> Result<(), codec::Error> {
    let mut reader = Reader::new(bytes);
    let count = match reader.token()? {
        Token::Map(count) => count,
        other => {
            return Err(codec::Error::new(format!(
                "arguments are a map by name, this is {}",
                other.kind()
            )));
        }
    };
    for index in 0..count {
        let Token::Str(name) = reader.token()? else {
            return Err(codec::Error::new("an argument's name is a string"));
        };
        // arguments mostly come in the order of the method, so the first guess mostly fits
        let slot = match slots.get(index) {
            Some(slot) if slot.name == name => index,
            _ => match slots.iter().position(|slot| slot.name == name) {
                Some(slot) => slot,
                None => return Err(codec::Error::new("no such argument").in_field(name)),
            },
        };
        if !slots[slot].bytes.is_empty() {
            return Err(codec::Error::new("it is there twice").in_field(name));
        }
        slots[slot].bytes = reader.skip_value().map_err(|error| error.in_field(name))?;
    }
    if !reader.is_at_end() {
        return Err(codec::Error::new("bytes follow the arguments"));
    }
    match slots.iter().find(|slot| slot.bytes.is_empty()) {
        Some(missing) => Err(codec::Error::new("it is missing").in_field(missing.name)),
        None => Ok(()),
    }
}

/// One encoded argument. A value takes at least one byte, so an empty slot is one that was not there.
#[derive(Clone, Copy, Debug)]
pub struct Slot<'a> {
    name: &'static str,
    bytes: &'a [u8],
}

impl<'a> Slot<'a> {
    /// Decodes an argument that every message of the method holds.
    ///
    /// # Errors
    ///
    /// When the value does not fit the type.
    pub fn required<T: Deserialize<'a>>(self) -> Result<T, ArgumentError> {
        codec::decode_checked(self.bytes).map_err(|error| ArgumentError(error.in_field(self.name)))
    }

    /// An argument that is bytes, without a copy.
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub fn bytes(self) -> Result<&'a [u8], ArgumentError> {
        self.required()
    }
}

/// Arguments could not be decoded.
#[derive(Debug)]
pub struct ArgumentError(codec::Error);

impl ArgumentError {
    /// The argument that is wrong, as far as it is known, like `spec.flavors[0].name`.
    pub(crate) fn path(&self) -> String {
        self.0.path()
    }

    pub(crate) fn message(&self) -> String {
        self.0.to_string()
    }
}

/// What an argument behind a reference is decoded as: `&[T]` as `Vec<T>`, `&str` as `String`, `&Path` as `PathBuf`, any other
/// `&T` as `T`.
pub trait OwnedArg {
    /// The type that is decoded.
    type Owned;
}

impl<T> OwnedArg for T {
    type Owned = T;
}

impl OwnedArg for str {
    type Owned = String;
}

impl<T> OwnedArg for [T] {
    type Owned = Vec<T>;
}

impl OwnedArg for std::path::Path {
    type Owned = std::path::PathBuf;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ArgInfo, MethodKind, Version};

    static METHOD: MethodInfo = MethodInfo::new("m", MethodKind::Call, Version::new(1, 0))
        .with_args(&[ArgInfo::new("id", "u32"), ArgInfo::new("name", "&str")]);

    fn framed(pairs: &[(&str, &[u8])]) -> Frame {
        let mut bytes = Vec::new();
        rmp::encode::write_map_len(&mut bytes, u32::try_from(pairs.len()).unwrap()).unwrap();
        for (name, value) in pairs {
            rmp::encode::write_str(&mut bytes, name).unwrap();
            bytes.extend_from_slice(value);
        }
        Frame::new(&METHOD, bytes.into())
    }

    fn error(frame: &Frame) -> String {
        match frame.args::<2>() {
            Err(error) => error.message(),
            Ok([id, name]) => match (id.required::<u32>(), name.required::<&str>()) {
                (Err(error), _) | (_, Err(error)) => error.message(),
                _ => "none".into(),
            },
        }
    }

    #[test]
    fn arguments_go_by_name() {
        let mut args = ArgWriter::new(&METHOD);
        args.arg(&7u32).unwrap();
        args.arg("ada").unwrap();
        let frame = Frame::new(&METHOD, args.finish().into_bytes());
        let [id, name] = frame.args().unwrap();
        assert_eq!(id.required::<u32>().unwrap(), 7);
        assert_eq!(name.required::<&str>().unwrap(), "ada");

        let turned = framed(&[("name", b"\xa1x"), ("id", b"\x01")]);
        assert_eq!(error(&turned), "none");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let id = ("id", &b"\x01"[..]);
        let name = ("name", &b"\xa1x"[..]);
        assert_eq!(error(&framed(&[id])), "`name`: it is missing");
        assert_eq!(
            error(&framed(&[id, name, ("extra", b"\x01")])),
            "`extra`: no such argument"
        );
        assert_eq!(error(&framed(&[id, id, name])), "`id`: it is there twice");
        assert_eq!(
            error(&framed(&[("id", b"\xa3abc"), name])),
            "`id`: this is a string, expected u32"
        );
        assert_eq!(
            error(&Frame::new(
                &METHOD,
                Bytes::from_static(b"\x93\x01\x02\x03")
            )),
            "arguments are a map by name, this is an array"
        );
        assert_eq!(
            error(&Frame::new(&METHOD, Bytes::from_static(b"\x82\xa2id"))),
            "it ends in the middle of a value"
        );
        assert_eq!(
            error(&Frame::new(&METHOD, Bytes::from_static(b"\xc1"))),
            "not MessagePack: byte 0xc1 is never used"
        );
        let mut deep = vec![0x91; 10_000];
        deep.push(0xc0);
        assert!(error(&framed(&[id, ("name", &deep)])).contains("nested deeper than 64 levels"));
    }
}
