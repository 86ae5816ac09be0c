//! Reading MessagePack without knowing the type: where a value ends, and whether it is fit to be decoded.

use super::{Error, MAX_DEPTH, ser::too_deep};
use rmp::Marker;
use std::collections::HashSet;

/// What begins at some place of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Token<'a> {
    Nil,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    F32(f32),
    F64(f64),
    Str(&'a str),
    Bin(&'a [u8]),
    /// The elements follow.
    Array(usize),
    /// The keys and values follow, in turn.
    Map(usize),
}

impl Token<'_> {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "a boolean",
            Self::Unsigned(_) | Self::Signed(_) => "an integer",
            Self::F32(_) | Self::F64(_) => "a floating point number",
            Self::Str(_) => "a string",
            Self::Bin(_) => "bytes",
            Self::Array(_) => "an array",
            Self::Map(_) => "a map",
        }
    }
}

/// A place in a message, moving forwards.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// The next byte, without moving.
    pub(super) fn next_byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], Error> {
        if len > self.remaining() {
            return Err(cut_short());
        }
        let taken = &self.bytes[self.at..self.at + len];
        self.at += len;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N)?);
        Ok(bytes)
    }

    fn u8(&mut self) -> Result<usize, Error> {
        Ok(usize::from(self.fixed::<1>()?[0]))
    }

    fn u16(&mut self) -> Result<usize, Error> {
        Ok(usize::from(u16::from_be_bytes(self.fixed()?)))
    }

    fn u32(&mut self) -> Result<usize, Error> {
        usize::try_from(u32::from_be_bytes(self.fixed()?)).map_err(|_| cut_short())
    }

    fn text(&mut self, len: usize) -> Result<&'a str, Error> {
        std::str::from_utf8(self.take(len)?).map_err(|_| Error::new("a string that is not UTF-8"))
    }

    fn str(&mut self, len: usize) -> Result<Token<'a>, Error> {
        self.text(len).map(Token::Str)
    }

    /// The number of entries that follow, each of at least `size` bytes. Nothing larger is believed, so that nobody
    /// reserves memory for what is not there.
    fn count(&self, count: usize, size: usize) -> Result<usize, Error> {
        if count > self.remaining() / size {
            return Err(cut_short());
        }
        Ok(count)
    }

    /// Passes the next byte, if it is this one.
    #[inline]
    pub(crate) fn pass(&mut self, byte: u8) -> bool {
        self.pass_if(|next| next == byte).is_some()
    }

    #[inline]
    fn pass_if(&mut self, is_wanted: impl FnOnce(u8) -> bool) -> Option<u8> {
        let next = self.next_byte().filter(|next| is_wanted(*next))?;
        self.at += 1;
        Some(next)
    }

    /// The next token, if it is an integer of one byte.
    #[inline]
    pub(crate) fn short_uint(&mut self) -> Option<u64> {
        self.pass_if(|next| next <= 0x7f).map(u64::from)
    }

    /// The next token, if it is a text of less than 32 bytes.
    #[inline]
    pub(crate) fn short_str(&mut self) -> Option<Result<&'a str, Error>> {
        let first = self.pass_if(|next| next & 0xe0 == 0xa0)?;
        Some(self.text(usize::from(first & 0x1f)))
    }

    /// The next token, if it is an array of less than 16 elements.
    #[inline]
    pub(crate) fn short_array(&mut self) -> Option<Result<usize, Error>> {
        let first = self.pass_if(|next| next & 0xf0 == 0x90)?;
        Some(self.count(usize::from(first & 0x0f), 1))
    }

    fn array(&self, len: usize) -> Result<Token<'a>, Error> {
        self.count(len, 1).map(Token::Array)
    }

    fn map(&self, len: usize) -> Result<Token<'a>, Error> {
        self.count(len, 2).map(Token::Map)
    }

    /// Reads the next token.
    // most tokens are one byte or a short text: inlined, that is a comparison or two
    #[inline]
    pub(crate) fn token(&mut self) -> Result<Token<'a>, Error> {
        let Some(&first) = self.bytes.get(self.at) else {
            return Err(cut_short());
        };
        self.at += 1;
        match first {
            0..=0x7f => Ok(Token::Unsigned(first.into())),
            0x80..=0x8f => self.map(usize::from(first & 0x0f)),
            0x90..=0x9f => self.array(usize::from(first & 0x0f)),
            0xa0..=0xbf => self.str(usize::from(first & 0x1f)),
            0xc0 => Ok(Token::Nil),
            _ => self.long_token(first),
        }
    }

    /// The rest of a token that begins with this byte.
    fn long_token(&mut self, first: u8) -> Result<Token<'a>, Error> {
        Ok(match Marker::from_u8(first) {
            Marker::Null => Token::Nil,
            Marker::False => Token::Bool(false),
            Marker::True => Token::Bool(true),
            Marker::FixPos(v) => Token::Unsigned(v.into()),
            Marker::FixNeg(v) => Token::Signed(v.into()),
            Marker::U8 => Token::Unsigned(self.fixed::<1>()?[0].into()),
            Marker::U16 => Token::Unsigned(u16::from_be_bytes(self.fixed()?).into()),
            Marker::U32 => Token::Unsigned(u32::from_be_bytes(self.fixed()?).into()),
            Marker::U64 => Token::Unsigned(u64::from_be_bytes(self.fixed()?)),
            Marker::I8 => Token::Signed(i8::from_be_bytes(self.fixed()?).into()),
            Marker::I16 => Token::Signed(i16::from_be_bytes(self.fixed()?).into()),
            Marker::I32 => Token::Signed(i32::from_be_bytes(self.fixed()?).into()),
            Marker::I64 => Token::Signed(i64::from_be_bytes(self.fixed()?)),
            Marker::F32 => Token::F32(f32::from_be_bytes(self.fixed()?)),
            Marker::F64 => Token::F64(f64::from_be_bytes(self.fixed()?)),
            Marker::FixStr(len) => self.str(len.into())?,
            Marker::Str8 => {
                let len = self.u8()?;
                self.str(len)?
            }
            Marker::Str16 => {
                let len = self.u16()?;
                self.str(len)?
            }
            Marker::Str32 => {
                let len = self.u32()?;
                self.str(len)?
            }
            Marker::Bin8 => {
                let len = self.u8()?;
                Token::Bin(self.take(len)?)
            }
            Marker::Bin16 => {
                let len = self.u16()?;
                Token::Bin(self.take(len)?)
            }
            Marker::Bin32 => {
                let len = self.u32()?;
                Token::Bin(self.take(len)?)
            }
            Marker::FixArray(len) => self.array(len.into())?,
            Marker::Array16 => {
                let len = self.u16()?;
                self.array(len)?
            }
            Marker::Array32 => {
                let len = self.u32()?;
                self.array(len)?
            }
            Marker::FixMap(len) => self.map(len.into())?,
            Marker::Map16 => {
                let len = self.u16()?;
                self.map(len)?
            }
            Marker::Map32 => {
                let len = self.u32()?;
                self.map(len)?
            }
            Marker::Reserved => return Err(Error::new("not MessagePack: byte 0xc1 is never used")),
            _ => {
                return Err(Error::new(
                    "an extension type of MessagePack: these are not used",
                ));
            }
        })
    }

    /// Passes one value, and checks it: bounds, UTF-8, depth and keys.
    pub(crate) fn skip_value(&mut self) -> Result<&'a [u8], Error> {
        self.skip_at(0)
    }

    fn skip_at(&mut self, depth: usize) -> Result<&'a [u8], Error> {
        let start = self.at;
        match self.token()? {
            Token::Array(len) => {
                let depth = deeper(depth)?;
                for index in 0..len {
                    self.skip_at(depth).map_err(|error| error.at_index(index))?;
                }
            }
            Token::Map(len) => {
                let depth = deeper(depth)?;
                let mut keys = Keys::default();
                for index in 0..len {
                    let key = self.skip_at(depth)?;
                    if !keys.insert(key) {
                        return Err(Error::new("a key occurs twice").at_index(index));
                    }
                    self.skip_at(depth).map_err(|error| match key_name(key) {
                        Some(name) => error.in_field(name),
                        None => error.at_index(index),
                    })?;
                }
            }
            _ => {}
        }
        Ok(&self.bytes[start..self.at])
    }
}

/// Where the value ends that begins at `from`. It is checked on the way: see [`Reader::skip_value`].
pub(crate) fn skip(bytes: &[u8], from: usize) -> Result<usize, Error> {
    let mut reader = Reader {
        bytes,
        at: from.min(bytes.len()),
    };
    reader.skip_value()?;
    Ok(reader.at)
}

/// The key's text, if it is one that may be shown: a field's name, not somebody's data.
fn key_name(key: &[u8]) -> Option<&str> {
    match Reader::new(key).token() {
        Ok(Token::Str(name)) if name.len() <= 64 => Some(name),
        _ => None,
    }
}

fn deeper(depth: usize) -> Result<usize, Error> {
    if depth == MAX_DEPTH {
        return Err(too_deep());
    }
    Ok(depth + 1)
}

#[cold]
fn cut_short() -> Error {
    Error::new("it ends in the middle of a value")
}

/// The keys of one map, compared as they are encoded.
#[derive(Default)]
struct Keys<'a> {
    first: [&'a [u8]; 8],
    used: usize,
    /// Only large maps pay for hashing.
    rest: HashSet<&'a [u8]>,
}

impl<'a> Keys<'a> {
    fn insert(&mut self, key: &'a [u8]) -> bool {
        if self.first[..self.used].contains(&key) {
            return false;
        }
        if self.used < self.first.len() {
            self.first[self.used] = key;
            self.used += 1;
            return true;
        }
        self.rest.insert(key)
    }
}
