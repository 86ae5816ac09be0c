//! The frames of the wire protocol: their kinds, prefix and headers. `docs/wire-protocol.md` describes them.
//!
//! A frame is 12 bytes of prefix, a header, and a body:
//!
//! ```text
//! protocol version: u8 | kind: u8 | length of the header: u16 | id: u64 | header: MessagePack array | body
//! ```

use crate::codec::{Encoded, Error, Reader, Token};
use crate::{Version, text};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::Duration;

/// The protocol version that is spoken here, and the only one.
pub const PROTOCOL: u8 = 1;

/// The length of what precedes the header.
pub(crate) const PREFIX: usize = 12;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A client greets: which protocol versions it speaks.
    Hello = 1,
    /// An instance says who it is, its window, and what it serves.
    Announce = 2,
    /// A request for one reply.
    Call = 3,
    /// A request for acceptance only.
    Cast = 4,
    /// A request for a stream of items.
    Multicall = 5,
    /// The value of a call.
    Reply = 6,
    /// A request failed or was refused.
    Fail = 7,
    /// A cast or multicall was accepted.
    Accept = 8,
    /// Items of a stream.
    Items = 9,
    /// The end of a stream.
    End = 10,
    /// More items may be sent.
    Credit = 11,
    /// Nobody waits for the answer any more.
    Cancel = 12,
    /// The answer to a kind that is not known.
    Unsupported = 13,
}

impl Kind {
    fn from_u8(kind: u8) -> Option<Self> {
        Some(match kind {
            1 => Self::Hello,
            2 => Self::Announce,
            3 => Self::Call,
            4 => Self::Cast,
            5 => Self::Multicall,
            6 => Self::Reply,
            7 => Self::Fail,
            8 => Self::Accept,
            9 => Self::Items,
            10 => Self::End,
            11 => Self::Credit,
            12 => Self::Cancel,
            13 => Self::Unsupported,
            _ => return None,
        })
    }

    pub(crate) fn is_request(self) -> bool {
        matches!(self, Self::Call | Self::Cast | Self::Multicall)
    }
}

/// A frame, taken apart as far as it can be without knowing its kind.
#[derive(Debug)]
pub(crate) struct Frame {
    /// `None` for a kind or a protocol version that only other peers know.
    pub(crate) kind: Option<Kind>,
    pub(crate) kind_byte: u8,
    pub(crate) id: u64,
    pub(crate) header: Bytes,
    pub(crate) body: Bytes,
}

impl Frame {
    pub(crate) fn parse(mut bytes: Bytes) -> Result<Self, Error> {
        if bytes.len() < PREFIX {
            return Err(Error::new("a frame of less than 12 bytes"));
        }
        // in every version of the protocol, the prefix is this one
        let spoken = bytes[0] == PROTOCOL;
        let header_len = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
        if bytes.len() - PREFIX < header_len {
            return Err(Error::new("a frame that ends within its header"));
        }
        let kind_byte = bytes[1];
        let id = id(&bytes);
        let body = bytes.split_off(PREFIX + header_len);
        let header = bytes.split_off(PREFIX);
        Ok(Self {
            kind: if spoken {
                Kind::from_u8(kind_byte)
            } else {
                None
            },
            kind_byte,
            id,
            header,
            body,
        })
    }
}

/// The id of a frame that has at least a prefix.
pub(crate) fn id(frame: &[u8]) -> u64 {
    let bytes = frame.get(4..PREFIX).and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, u64::from_be_bytes)
}

/// The kind of a frame of our own.
pub(crate) fn kind(frame: &[u8]) -> Option<Kind> {
    frame.get(1).copied().and_then(Kind::from_u8)
}

/// Writes the id of a request, which is known only when it is sent.
pub(crate) fn set_id(frame: &mut Encoded, id: u64) {
    frame.bytes_mut()[4..PREFIX].copy_from_slice(&id.to_be_bytes());
}

/// Puts prefix and header in front of a body.
pub(crate) fn prepend(body: &mut Encoded, kind: Kind, id: u64, header: &[u8]) -> Result<(), Error> {
    let Ok(len) = u16::try_from(header.len()) else {
        return Err(Error::new("the header is longer than 64 KiB"));
    };
    if !header.is_empty() {
        body.prepend(header);
    }
    body.prepend(&prefix(kind, len, id));
    Ok(())
}

/// A frame without header and body.
pub(crate) fn bare(kind: Kind, id: u64) -> Bytes {
    Bytes::copy_from_slice(&prefix(kind, 0, id))
}

fn prefix(kind: Kind, header_len: u16, id: u64) -> [u8; PREFIX] {
    let mut prefix = [0; PREFIX];
    prefix[0] = PROTOCOL;
    prefix[1] = kind as u8;
    prefix[2..4].copy_from_slice(&header_len.to_be_bytes());
    prefix[4..].copy_from_slice(&id.to_be_bytes());
    prefix
}

/// A frame without body. Its header is a few bytes long.
fn with_header(kind: Kind, id: u64, write: impl FnOnce(&mut HeaderWriter)) -> Bytes {
    let mut header = HeaderWriter(Vec::with_capacity(PREFIX + 24));
    header.0.resize(PREFIX, 0);
    write(&mut header);
    let len = u16::try_from(header.0.len() - PREFIX).unwrap_or(0);
    header.0[..PREFIX].copy_from_slice(&prefix(kind, len, id));
    header.0.into()
}

/// Writes the fields of a header. Writing to a Vec does not fail, so results are dropped.
#[derive(Debug)]
pub(crate) struct HeaderWriter(pub(crate) Vec<u8>);

impl HeaderWriter {
    pub(crate) fn array(&mut self, len: usize) {
        let _ = rmp::encode::write_array_len(&mut self.0, u32::try_from(len).unwrap_or(u32::MAX));
    }

    fn map(&mut self, len: usize) {
        let _ = rmp::encode::write_map_len(&mut self.0, u32::try_from(len).unwrap_or(u32::MAX));
    }

    fn nil(&mut self) {
        let _ = rmp::encode::write_nil(&mut self.0);
    }

    pub(crate) fn uint(&mut self, value: u64) {
        let _ = rmp::encode::write_uint(&mut self.0, value);
    }

    pub(crate) fn str(&mut self, value: &str) {
        let _ = rmp::encode::write_str(&mut self.0, value);
    }

    fn optional_str(&mut self, value: Option<&str>) {
        match value {
            Some(value) => self.str(value),
            None => self.nil(),
        }
    }

    fn bin(&mut self, value: &[u8]) {
        let _ = rmp::encode::write_bin(&mut self.0, value);
    }

    fn bool(&mut self, value: bool) {
        let _ = rmp::encode::write_bool(&mut self.0, value);
    }

    fn version(&mut self, version: Version) {
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
struct Fields<'a>(Reader<'a>);

impl<'a> Fields<'a> {
    fn new(header: &'a [u8], at_least: usize) -> Result<Self, Error> {
        let mut fields = Self(Reader::new(header));
        let len = fields.array()?;
        if len < at_least {
            return Err(Error::new(format!(
                "a header of {len} fields, it has at least {at_least}"
            )));
        }
        Ok(fields)
    }

    fn wrong(found: Token<'_>, expected: &str) -> Error {
        Error::new(format!(
            "a header field is {}, expected {expected}",
            found.kind()
        ))
    }

    fn array(&mut self) -> Result<usize, Error> {
        match self.0.token()? {
            Token::Array(len) => Ok(len),
            other => Err(Self::wrong(other, "an array")),
        }
    }

    fn map(&mut self) -> Result<usize, Error> {
        match self.0.token()? {
            Token::Map(len) => Ok(len),
            other => Err(Self::wrong(other, "a map")),
        }
    }

    fn optional_array(&mut self) -> Result<Option<usize>, Error> {
        match self.0.token()? {
            Token::Nil => Ok(None),
            Token::Array(len) => Ok(Some(len)),
            other => Err(Self::wrong(other, "an array or nil")),
        }
    }

    fn str(&mut self) -> Result<&'a str, Error> {
        match self.0.token()? {
            Token::Str(value) => Ok(value),
            other => Err(Self::wrong(other, "a string")),
        }
    }

    fn optional_str(&mut self) -> Result<Option<&'a str>, Error> {
        match self.0.token()? {
            Token::Nil => Ok(None),
            Token::Str(value) => Ok(Some(value)),
            other => Err(Self::wrong(other, "a string or nil")),
        }
    }

    fn uint(&mut self) -> Result<u64, Error> {
        match self.0.token()? {
            Token::Unsigned(value) => Ok(value),
            other => Err(Self::wrong(other, "an unsigned integer")),
        }
    }

    fn optional_uint(&mut self) -> Result<Option<u64>, Error> {
        match self.0.token()? {
            Token::Nil => Ok(None),
            Token::Unsigned(value) => Ok(Some(value)),
            other => Err(Self::wrong(other, "an unsigned integer or nil")),
        }
    }

    fn bool(&mut self) -> Result<bool, Error> {
        match self.0.token()? {
            Token::Bool(value) => Ok(value),
            other => Err(Self::wrong(other, "a boolean")),
        }
    }

    fn bin(&mut self) -> Result<&'a [u8], Error> {
        match self.0.token()? {
            Token::Bin(value) => Ok(value),
            other => Err(Self::wrong(other, "bytes")),
        }
    }

    fn version(&mut self) -> Result<Version, Error> {
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
    fn rest(&mut self, len: usize, read: usize) -> Result<(), Error> {
        for _ in read..len {
            self.0.skip_value()?;
        }
        Ok(())
    }
}

/// How many items and bytes a stream may be ahead of its consumer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Credit {
    pub(crate) items: u64,
    pub(crate) bytes: u64,
}

/// The header of a call, a cast or a multicall.
#[derive(Debug)]
pub(crate) struct RequestHeader<'a> {
    pub(crate) exchange: &'a str,
    pub(crate) topic: &'a str,
    pub(crate) server: &'a str,
    pub(crate) namespace: Option<&'a str>,
    /// The version of the message.
    pub(crate) version: Version,
    /// The version of the API that the client was built with.
    pub(crate) built: Version,
    pub(crate) method: &'a str,
    pub(crate) remaining: Option<Duration>,
    pub(crate) credit: Option<Credit>,
}

impl<'a> RequestHeader<'a> {
    pub(crate) fn write(&self, header: &mut HeaderWriter, context: &crate::Context) {
        header.array(10);
        header.str(self.exchange);
        header.str(self.topic);
        header.str(self.server);
        header.optional_str(self.namespace);
        header.version(self.version);
        header.version(self.built);
        header.str(self.method);
        match self.remaining {
            Some(remaining) => {
                header.uint(u64::try_from(remaining.as_micros()).unwrap_or(u64::MAX));
            }
            None => header.nil(),
        }
        header.map(context.metadata().count());
        for (key, value) in context.metadata() {
            header.str(key);
            header.str(value);
        }
        match self.credit {
            Some(credit) => {
                header.array(2);
                header.uint(credit.items);
                header.uint(credit.bytes);
            }
            None => header.nil(),
        }
    }

    /// The header, and the metadata.
    pub(crate) fn parse(header: &'a [u8]) -> Result<(Self, BTreeMap<String, String>), Error> {
        let mut fields = Fields::new(header, 10)?;
        let mut request = Self {
            exchange: fields.str()?,
            topic: fields.str()?,
            server: fields.str()?,
            namespace: fields.optional_str()?,
            version: fields.version()?,
            built: fields.version()?,
            method: fields.str()?,
            remaining: fields.optional_uint()?.map(Duration::from_micros),
            credit: None,
        };
        let mut metadata = BTreeMap::new();
        for _ in 0..fields.map()? {
            let (key, value) = (fields.str()?, fields.str()?);
            if metadata.insert(key.to_owned(), value.to_owned()).is_some() {
                return Err(Error::new("a key of the metadata occurs twice"));
            }
        }
        if let Some(len) = fields.optional_array()? {
            if len < 2 {
                return Err(Error::new("credit is items and bytes"));
            }
            request.credit = Some(Credit {
                items: fields.uint()?,
                bytes: fields.uint()?,
            });
        }
        Ok((request, metadata))
    }
}

/// The kind under which a method's own error travels; its value is in the body.
pub(crate) const METHOD_ERROR: &str = "Method";

/// Writes a failure.
pub(crate) fn fail(id: u64, kind: &str, message: &str) -> Bytes {
    // a header ends at 64 KiB, and nobody reads longer texts
    let message = text::shown(message);
    with_header(Kind::Fail, id, |header| {
        header.array(2);
        header.str(kind);
        header.str(&message);
    })
}

/// Reads the header of a failure: its kind and message.
pub(crate) fn parse_fail(header: &[u8]) -> Result<(&str, &str), Error> {
    let mut fields = Fields::new(header, 2)?;
    Ok((fields.str()?, fields.str()?))
}

/// Writes or reads headers that are one or two numbers.
pub(crate) fn numbers<const N: usize>(kind: Kind, id: u64, numbers: [u64; N]) -> Bytes {
    with_header(kind, id, |header| {
        header.array(N);
        for number in numbers {
            header.uint(number);
        }
    })
}

/// A header of some numbers, to be put in front of a body.
pub(crate) fn numbers_header<const N: usize>(numbers: [u64; N]) -> Vec<u8> {
    let mut header = HeaderWriter(Vec::with_capacity(1 + 9 * N));
    header.array(N);
    for number in numbers {
        header.uint(number);
    }
    header.0
}

pub(crate) fn parse_numbers<const N: usize>(header: &[u8]) -> Result<[u64; N], Error> {
    let mut fields = Fields::new(header, N)?;
    let mut numbers = [0; N];
    for number in &mut numbers {
        *number = fields.uint()?;
    }
    Ok(numbers)
}

/// What an instance says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Announcement {
    pub(crate) protocols: (u64, u64),
    pub(crate) instance: [u8; 16],
    /// What the node calls its own address.
    pub(crate) address: String,
    /// How many requests one client may have in flight, and how many bytes of them.
    pub(crate) window: Window,
    pub(crate) services: Vec<AnnouncedService>,
}

/// How much one client may have in flight at an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) requests: u32,
    pub(crate) bytes: u32,
}

/// A server, as it is announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AnnouncedService {
    pub(crate) exchange: String,
    pub(crate) topic: String,
    pub(crate) server: String,
    pub(crate) draining: bool,
    pub(crate) apis: Vec<AnnouncedApi>,
}

/// An endpoint of a server, as it is announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AnnouncedApi {
    pub(crate) name: String,
    pub(crate) namespace: Option<String>,
    pub(crate) version: Version,
}

impl AnnouncedService {
    /// The newest version of a namespace and major that is served.
    pub(crate) fn newest(&self, namespace: Option<&str>, major: u16) -> Option<Version> {
        self.apis
            .iter()
            .filter(|api| api.namespace.as_deref() == namespace && api.version.major() == major)
            .map(|api| api.version)
            .max()
    }
}

impl Announcement {
    pub(crate) fn write(&self) -> Result<Bytes, Error> {
        let mut body = HeaderWriter(Vec::new());
        body.array(self.services.len());
        for service in &self.services {
            body.array(5);
            body.str(&service.exchange);
            body.str(&service.topic);
            body.str(&service.server);
            body.bool(service.draining);
            body.array(service.apis.len());
            for api in &service.apis {
                body.array(3);
                body.str(&api.name);
                body.optional_str(api.namespace.as_deref());
                body.version(api.version);
            }
        }
        let mut header = HeaderWriter(Vec::new());
        header.array(6);
        header.uint(self.protocols.0);
        header.uint(self.protocols.1);
        header.bin(&self.instance);
        header.str(&self.address);
        header.uint(self.window.requests.into());
        header.uint(self.window.bytes.into());
        let mut frame = Encoded::copy_of(&body.0);
        prepend(&mut frame, Kind::Announce, 0, &header.0)?;
        Ok(frame.into_bytes())
    }

    pub(crate) fn parse(header: &[u8], body: &[u8]) -> Result<Self, Error> {
        let mut fields = Fields::new(header, 6)?;
        let protocols = (fields.uint()?, fields.uint()?);
        let instance = fields
            .bin()?
            .try_into()
            .map_err(|_| Error::new("an instance's id has 16 bytes"))?;
        let address = text::shown(fields.str()?);
        let (requests, bytes) = (fields.uint()?, fields.uint()?);
        let window = Window {
            requests: u32::try_from(requests).unwrap_or(u32::MAX),
            bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
        };
        let mut fields = Fields(Reader::new(body));
        let mut services = Vec::new();
        for _ in 0..fields.array()? {
            let len = fields.array()?;
            let (exchange, topic, server) = (
                fields.str()?.into(),
                fields.str()?.into(),
                fields.str()?.into(),
            );
            let draining = fields.bool()?;
            let mut apis = Vec::new();
            for _ in 0..fields.array()? {
                let len = fields.array()?;
                apis.push(AnnouncedApi {
                    name: text::shown(fields.str()?),
                    namespace: fields.optional_str()?.map(Into::into),
                    version: fields.version()?,
                });
                fields.rest(len, 3)?;
            }
            fields.rest(len, 5)?;
            services.push(AnnouncedService {
                exchange,
                topic,
                server,
                draining,
                apis,
            });
        }
        Ok(Self {
            protocols,
            instance,
            address,
            window,
            services,
        })
    }
}
