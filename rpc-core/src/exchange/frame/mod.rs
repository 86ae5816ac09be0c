//! The frames of the wire protocol: their kinds, prefix and headers. `docs/wire-protocol.md` describes them.
//!
//! A frame is 12 bytes of prefix, a header, and a body:
//!
//! ```text
//! protocol version: u8 | kind: u8 | length of the header: u16 | id: u64 | header: MessagePack array | body
//! ```

mod announcement;
mod answer;
mod header;
#[cfg(test)]
mod properties;
mod request;
mod running;

pub(crate) use announcement::{AnnouncedApi, AnnouncedService, Announcement, MOST_SERVERS, Window};
pub(crate) use answer::{
    Fail, METHOD_ERROR, fail, numbers, numbers_header, parse_fail, parse_numbers,
};
pub(crate) use header::HeaderWriter;
pub(crate) use request::{Credit, RequestHeader};
pub(crate) use running::{parse_running, running};

use crate::codec::{Encoded, Error};
use bytes::{Buf, Bytes};

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
    /// A client has taken in an announcement: what it sends from now on goes by it.
    Seen = 14,
    /// These requests are queued or running.
    Running = 15,
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
            14 => Self::Seen,
            15 => Self::Running,
            _ => return None,
        })
    }

    pub(crate) fn is_request(self) -> bool {
        matches!(self, Self::Call | Self::Cast | Self::Multicall)
    }

    /// Whether it is for whoever waits for the answer to a request.
    pub(crate) fn is_answer(self) -> bool {
        matches!(
            self,
            Self::Reply | Self::Fail | Self::Accept | Self::Items | Self::End | Self::Unsupported
        )
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
        bytes.advance(PREFIX);
        let header = bytes.split_to(header_len);
        Ok(Self {
            kind: if spoken {
                Kind::from_u8(kind_byte)
            } else {
                None
            },
            kind_byte,
            id,
            header,
            body: bytes,
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

/// Frames of one kind without header and body, which share their memory.
pub(crate) fn bares(kind: Kind, ids: &[u64]) -> impl Iterator<Item = Bytes> + use<> {
    let mut frames = Vec::with_capacity(PREFIX * ids.len());
    for id in ids {
        frames.extend_from_slice(&prefix(kind, 0, *id));
    }
    let frames = Bytes::from(frames);
    (0..ids.len()).map(move |index| frames.slice(PREFIX * index..PREFIX * (index + 1)))
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
