//! The server's half: the arguments of a request as they arrived, read by the rules of the message's version.

use crate::codec::{self, Reader, Token, Wish};
use crate::convert::Conversion;
use crate::{MethodInfo, Version};
use bytes::Bytes;
use serde::Deserialize;

/// The arguments of a request, as they arrived.
#[derive(Debug)]
pub struct Frame {
    method: &'static MethodInfo,
    version: Version,
    trial: Trial,
    bytes: Bytes,
}

/// Whether the arguments are only decoded, and the method is not run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Trial {
    No,
    /// They are as a client sends them.
    Sent,
    /// They are being made up: each is in a `bin`, and may end before its value does.
    MadeUp,
}

impl Frame {
    /// The arguments of a message of this version.
    #[must_use]
    pub fn new(method: &'static MethodInfo, version: Version, bytes: Bytes) -> Self {
        Self {
            method,
            // a message that is older than its method is one of the method's first version
            version: version.max(method.since()),
            trial: Trial::No,
            bytes,
        }
    }

    /// Arguments that are decoded to see whether that works.
    pub(crate) fn trial(
        method: &'static MethodInfo,
        version: Version,
        bytes: Bytes,
        trial: Trial,
    ) -> Self {
        Self {
            trial,
            ..Self::new(method, version, bytes)
        }
    }

    /// All arguments have been decoded. An error if that was all that was wanted.
    ///
    /// # Errors
    ///
    /// In a trial: then the method is not run.
    #[inline]
    pub fn decoded(&self) -> Result<(), ArgumentError> {
        match self.trial {
            Trial::No => Ok(()),
            _ => Err(ArgumentError(codec::Error::nothing())),
        }
    }

    /// The arguments as they arrived.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The version by whose rules the message is read.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The encoded arguments, in the order of the method's [`ArgInfo`](crate::ArgInfo)s, with the defaults of those that are newer
    /// than the message.
    ///
    /// # Errors
    ///
    /// When they are no map, or one is missing, unknown or there twice.
    pub fn args<const N: usize>(&self) -> Result<[Slot<'_>; N], ArgumentError> {
        let mut slots = [Slot::EMPTY; N];
        self.fill(&mut slots).map_err(ArgumentError)?;
        Ok(slots)
    }

    fn fill<'a>(&'a self, slots: &mut [Slot<'a>]) -> Result<(), codec::Error> {
        let (args, version) = (self.method.args(), self.version);
        let growth = self.method.growth();
        // all of them, as they are now
        let plain = growth.held_in(version) == Some(growth.all);
        for (slot, info) in slots.iter_mut().zip(args) {
            slot.name = info.name();
            if !plain {
                slot.is_in = info.is_in(version);
                slot.name = info.name_in(version);
                slot.form = info.form_in(version);
            }
        }
        self.read(slots)?;
        if self.trial == Trial::MadeUp {
            unwrap(slots);
        }
        for (slot, info) in slots.iter_mut().zip(args) {
            if !slot.bytes.is_empty() {
                continue;
            }
            if slot.is_in {
                return Err(codec::Error::new("it is missing").in_field(slot.name));
            }
            // one that was removed has none, and is not asked for
            slot.bytes = info.default_bytes().unwrap_or_default();
            slot.form = None;
        }
        Ok(())
    }

    fn read<'a>(&'a self, slots: &mut [Slot<'a>]) -> Result<(), codec::Error> {
        let mut reader = Reader::new(&self.bytes);
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
            let is = |slot: &Slot<'_>| slot.is_in && slot.name == name;
            // arguments mostly come in the order of the method, so the first guess mostly fits
            let slot = match slots.get(index) {
                Some(slot) if is(slot) => index,
                _ => match slots.iter().position(is) {
                    Some(slot) => slot,
                    None => return Err(self.unknown().in_field(name)),
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
        Ok(())
    }

    #[cold]
    fn unknown(&self) -> codec::Error {
        if self.method.growth().is_none() {
            return codec::Error::new("no such argument");
        }
        codec::Error::new(format!("no such argument in version {}", self.version))
    }
}

/// Takes what is made up out of its `bin`s.
#[cold]
fn unwrap(slots: &mut [Slot<'_>]) {
    for slot in slots {
        if let Ok(Token::Bin(inside)) = Reader::new(slot.bytes).token() {
            slot.bytes = inside;
        }
    }
}

/// One encoded argument. A value takes at least one byte, so an empty slot is one that was not there.
#[derive(Clone, Copy, Debug)]
pub struct Slot<'a> {
    name: &'static str,
    bytes: &'a [u8],
    /// Which of the argument's older types it has.
    form: Option<usize>,
    /// Whether the message's version has it.
    is_in: bool,
}

impl<'a> Slot<'a> {
    const EMPTY: Self = Self {
        name: "",
        bytes: &[],
        form: None,
        is_in: true,
    };

    /// Decodes the argument.
    ///
    /// # Errors
    ///
    /// When the value does not fit the type.
    pub fn decode<T: Deserialize<'a>>(self) -> Result<T, ArgumentError> {
        if self.bytes.is_empty() {
            return Err(self.error(codec::Error::new("its default can't be encoded")));
        }
        codec::decode_checked(self.bytes).map_err(|error| self.error(error))
    }

    /// Decodes an argument that is bytes, without a copy.
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub fn bytes(self) -> Result<&'a [u8], ArgumentError> {
        self.decode()
    }

    /// How many bytes it has.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Which of the argument's older types the message holds, the oldest being 0.
    #[must_use]
    pub fn form(&self) -> Option<usize> {
        self.form
    }

    /// Decodes an argument in an older type, and makes the present one of it.
    ///
    /// # Errors
    ///
    /// When the value does not fit the type, or there is no present value for it.
    pub fn converted<C, Old, New>(self) -> Result<New, ArgumentError>
    where
        C: Conversion<Old, New>,
        Old: Deserialize<'a>,
    {
        C::convert(self.decode::<Old>()?).map_err(|error| self.error(codec::Error::new(error)))
    }

    #[cold]
    fn error(&self, error: codec::Error) -> ArgumentError {
        ArgumentError(error.in_field(self.name))
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

    /// What would have been taken instead, if that is known.
    pub(crate) fn wish(&self) -> Option<Wish> {
        self.0.wish()
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
