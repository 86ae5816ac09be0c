//! The fields of a header, written and read in their order.

use crate::Version;
use crate::codec::{Error, Reader, Token};

const NIL: u8 = 0xc0;

/// Writes the fields of a header. Writing to a Vec does not fail, so results are dropped.
///
/// What MessagePack says in one byte, as nearly all of a header, is put there as such: each request pays for this.
#[derive(Debug)]
pub(crate) struct HeaderWriter(pub(crate) Vec<u8>);

impl HeaderWriter {
    pub(crate) fn array(&mut self, len: usize) {
        match u8::try_from(len) {
            Ok(short @ ..=15) => self.0.push(0x90 | short),
            _ => {
                let len = u32::try_from(len).unwrap_or(u32::MAX);
                let _ = rmp::encode::write_array_len(&mut self.0, len);
            }
        }
    }

    pub(super) fn map(&mut self, len: usize) {
        match u8::try_from(len) {
            Ok(short @ ..=15) => self.0.push(0x80 | short),
            _ => {
                let len = u32::try_from(len).unwrap_or(u32::MAX);
                let _ = rmp::encode::write_map_len(&mut self.0, len);
            }
        }
    }

    pub(super) fn nil(&mut self) {
        self.0.push(NIL);
    }

    pub(crate) fn uint(&mut self, value: u64) {
        match u8::try_from(value) {
            Ok(short @ ..=0x7f) => self.0.push(short),
            _ => {
                let _ = rmp::encode::write_uint(&mut self.0, value);
            }
        }
    }

    pub(crate) fn str(&mut self, value: &str) {
        match u8::try_from(value.len()) {
            Ok(short @ ..=31) => {
                self.0.push(0xa0 | short);
                self.0.extend_from_slice(value.as_bytes());
            }
            _ => {
                let _ = rmp::encode::write_str(&mut self.0, value);
            }
        }
    }

    pub(super) fn optional_str(&mut self, value: Option<&str>) {
        match value {
            Some(value) => self.str(value),
            None => self.nil(),
        }
    }

    pub(super) fn bin(&mut self, value: &[u8]) {
        let _ = rmp::encode::write_bin(&mut self.0, value);
    }

    pub(super) fn bool(&mut self, value: bool) {
        let _ = rmp::encode::write_bool(&mut self.0, value);
    }

    pub(super) fn version(&mut self, version: Version) {
        let parts = [version.major(), version.minor(), version.revision()];
        let used = if version.revision() == 0 { 2 } else { 3 };
        self.array(used);
        for part in &parts[..used] {
            self.uint((*part).into());
        }
    }
}

/// Reads the fields of a header, in their order. Fields after the known ones are never looked at.
#[derive(Debug)]
pub(super) struct Fields<'a>(pub(super) Reader<'a>);

impl<'a> Fields<'a> {
    pub(super) fn new(header: &'a [u8], at_least: usize) -> Result<Self, Error> {
        let mut fields = Self(Reader::new(header));
        let len = fields.array()?;
        if len < at_least {
            return Err(Error::new(format!(
                "a header of {len} fields, it has at least {at_least}"
            )));
        }
        Ok(fields)
    }

    /// Whether another field follows, of those that older peers do not have.
    pub(super) fn is_there(&self) -> bool {
        !self.0.is_at_end()
    }

    fn wrong(found: Token<'_>, expected: &str) -> Error {
        Error::new(format!(
            "a header field is {}, expected {expected}",
            found.kind()
        ))
    }

    pub(super) fn array(&mut self) -> Result<usize, Error> {
        if let Some(short) = self.0.short_array() {
            return short;
        }
        match self.0.token()? {
            Token::Array(len) => Ok(len),
            other => Err(Self::wrong(other, "an array")),
        }
    }

    pub(super) fn map(&mut self) -> Result<usize, Error> {
        match self.0.token()? {
            Token::Map(len) => Ok(len),
            other => Err(Self::wrong(other, "a map")),
        }
    }

    pub(super) fn optional_array(&mut self) -> Result<Option<usize>, Error> {
        if self.0.pass(NIL) {
            return Ok(None);
        }
        match self.0.token()? {
            Token::Array(len) => Ok(Some(len)),
            other => Err(Self::wrong(other, "an array or nil")),
        }
    }

    pub(super) fn str(&mut self) -> Result<&'a str, Error> {
        if let Some(short) = self.0.short_str() {
            return short;
        }
        match self.0.token()? {
            Token::Str(value) => Ok(value),
            other => Err(Self::wrong(other, "a string")),
        }
    }

    pub(super) fn optional_str(&mut self) -> Result<Option<&'a str>, Error> {
        if self.0.pass(NIL) {
            return Ok(None);
        }
        match self.0.token()? {
            Token::Str(value) => Ok(Some(value)),
            other => Err(Self::wrong(other, "a string or nil")),
        }
    }

    pub(super) fn uint(&mut self) -> Result<u64, Error> {
        if let Some(short) = self.0.short_uint() {
            return Ok(short);
        }
        match self.0.token()? {
            Token::Unsigned(value) => Ok(value),
            other => Err(Self::wrong(other, "an unsigned integer")),
        }
    }

    pub(super) fn optional_uint(&mut self) -> Result<Option<u64>, Error> {
        match self.0.token()? {
            Token::Nil => Ok(None),
            Token::Unsigned(value) => Ok(Some(value)),
            other => Err(Self::wrong(other, "an unsigned integer or nil")),
        }
    }

    pub(super) fn bool(&mut self) -> Result<bool, Error> {
        match self.0.token()? {
            Token::Bool(value) => Ok(value),
            other => Err(Self::wrong(other, "a boolean")),
        }
    }

    pub(super) fn bin(&mut self) -> Result<&'a [u8], Error> {
        match self.0.token()? {
            Token::Bin(value) => Ok(value),
            other => Err(Self::wrong(other, "bytes")),
        }
    }

    pub(super) fn optional_bin(&mut self) -> Result<Option<&'a [u8]>, Error> {
        match self.0.token()? {
            Token::Nil => Ok(None),
            Token::Bin(value) => Ok(Some(value)),
            other => Err(Self::wrong(other, "bytes or nil")),
        }
    }

    pub(super) fn version(&mut self) -> Result<Version, Error> {
        let len = self.array()?;
        if !(2..=3).contains(&len) {
            return Err(Error::new("a version has two or three parts"));
        }
        let mut parts = [0; 3];
        for part in &mut parts[..len] {
            *part = u16::try_from(self.uint()?)
                .map_err(|_| Error::new("a part of a version is at most 65535"))?;
        }
        Ok(Version::new(parts[0], parts[1]).with_revision(parts[2]))
    }

    /// Passes the rest of a nested array, whose first `read` elements were read.
    pub(super) fn rest(&mut self, len: usize, read: usize) -> Result<(), Error> {
        for _ in read..len {
            self.0.skip_value()?;
        }
        Ok(())
    }
}
