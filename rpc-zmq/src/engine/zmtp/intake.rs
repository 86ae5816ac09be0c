//! From bytes to frames: the buffer that is read into, and what is cut out of it. No I/O.
//!
//! Frames are slices of the buffer, so nothing is copied. What keeps a small frame keeps its buffer: hence no buffer is larger than
//! [`LARGEST`], and it is as small as what comes is little. A frame that is larger gets memory of its own, which grows as
//! its bytes arrive: what a head announces costs nothing. What is sealed is opened where it is.

use super::command::{self, Command};
use super::head::{self, Head, Kind};
use crate::curve::{Broken, OVERHEAD, Opener};
use bytes::buf::Limit;
use bytes::{Buf, BufMut, Bytes, BytesMut};

/// The sizes of the buffer.
const SMALLEST: usize = 2 * 1024;
const LARGEST: usize = 32 * 1024;

/// How many frames are handed on at a time. A buffer full of empty ones has thousands.
const TOGETHER: usize = 128;

/// How large the messages of a peer may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct MessageLimits {
    /// All frames of a message together, in bytes.
    pub(super) bytes: usize,
    pub(super) frames: usize,
}

/// What has arrived and is no whole frame yet.
#[derive(Debug)]
pub(super) struct Intake {
    limits: MessageLimits,
    /// Opens what arrives, if it is sealed.
    opener: Option<Opener>,
    chunk: BytesMut,
    /// How large the next buffer is to be.
    size: usize,
    /// The frame that has memory of its own.
    large: Option<Large>,
    /// What has come of the message of which more frames are to come.
    message: Message,
}

#[derive(Debug)]
struct Large {
    more: bool,
    len: usize,
    arrived: BytesMut,
}

#[derive(Debug, Default)]
struct Message {
    bytes: usize,
    frames: usize,
}

impl Intake {
    /// Begins with what came after the handshake.
    pub(super) fn new(limits: MessageLimits, opener: Option<Opener>, chunk: BytesMut) -> Self {
        Self {
            limits,
            opener,
            chunk,
            size: SMALLEST,
            large: None,
            message: Message::default(),
        }
    }

    /// Where the next bytes go. It always has room.
    pub(super) fn room(&mut self) -> Limit<&mut BytesMut> {
        if let Some(Large { len, arrived, .. }) = &mut self.large {
            let missing = *len - arrived.len();
            if arrived.len() == arrived.capacity() {
                arrived.reserve(missing.min(arrived.len()));
            }
            let room = missing.min(arrived.capacity() - arrived.len());
            return arrived.limit(room);
        }
        let free = self.chunk.capacity() - self.chunk.len();
        if free < self.size / 4 && !(self.chunk.is_empty() && self.chunk.try_reclaim(self.size)) {
            // what has come of the next frame moves; there is room for all of it, or it is a large one
            let mut chunk = BytesMut::with_capacity(self.size.max(2 * self.chunk.len()));
            chunk.extend_from_slice(&self.chunk);
            self.chunk = chunk;
        }
        let room = self.chunk.capacity() - self.chunk.len();
        (&mut self.chunk).limit(room)
    }

    /// So many bytes have been put into the room.
    pub(super) fn arrived(&mut self, count: usize) {
        if self.large.is_none() && self.chunk.len() == self.chunk.capacity() && count > 0 {
            self.size = (2 * self.size).min(LARGEST);
        }
    }

    /// How much memory is taken, or about to be, by a frame that has not arrived as a whole, besides the buffer.
    pub(super) fn arriving(&self) -> usize {
        let large = self.large.as_ref();
        large.map_or(0, |large| {
            let (len, arrived) = (large.len, &large.arrived);
            match arrived.len() == arrived.capacity() {
                true => len.min(2 * arrived.len()),
                false => arrived.capacity(),
            }
        })
    }

    /// Nothing has come for a while: what is not needed is given back, and the next buffer is a small one.
    pub(super) fn rest(&mut self) {
        self.size = SMALLEST;
        self.give_back();
    }

    /// Nothing is going to be read at once: a buffer in which nothing waits is given back.
    pub(super) fn give_back(&mut self) {
        if self.chunk.is_empty() {
            self.chunk = BytesMut::new();
        }
    }

    /// Moves frames that are complete to `frames`, and hands commands on. `true` if there may be more of them. An error ends the
    /// connection, after these frames.
    pub(super) fn take(
        &mut self,
        frames: &mut Vec<Bytes>,
        mut command: impl FnMut(Command<'_>) -> Result<(), String>,
    ) -> Result<bool, String> {
        while frames.len() < TOGETHER {
            if let Some(large) = self.large.take_if(|large| large.arrived.len() == large.len) {
                let kind = Kind::Part { more: large.more };
                self.whole(kind, large.arrived, frames, &mut command)?;
            }
            if self.large.is_some() {
                return Ok(false);
            }
            let Some(head) = head::parse(&self.chunk)? else {
                return Ok(false);
            };
            let len = self.permitted(&head)?;
            match head.kind {
                _ if self.chunk.len() - head.size >= len => {
                    self.chunk.advance(head.size);
                    let body = self.chunk.split_to(len);
                    self.whole(head.kind, body, frames, &mut command)?;
                }
                Kind::Part { more } if len > LARGEST / 2 => {
                    self.chunk.advance(head.size);
                    let mut arrived = BytesMut::with_capacity(len.min(LARGEST));
                    arrived.extend_from_slice(&self.chunk);
                    self.chunk.clear();
                    self.large = Some(Large { more, len, arrived });
                }
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Hands a frame on: the one that is in it, if it is sealed.
    fn whole(
        &mut self,
        kind: Kind,
        body: BytesMut,
        frames: &mut Vec<Bytes>,
        command: &mut impl FnMut(Command<'_>) -> Result<(), String>,
    ) -> Result<(), String> {
        let (kind, body) = match &mut self.opener {
            None => (kind, body.freeze()),
            Some(opener) => {
                let opened = opener.open(body);
                let (flags, body) = opened.map_err(|Broken(reason)| reason.to_owned())?;
                (head::sealed_kind(flags)?, body)
            }
        };
        match kind {
            Kind::Command if body.len() as u64 > command::LONGEST => Err(too_long(body.len())),
            Kind::Command => command(command::parse(&body)?),
            Kind::Part { more } => {
                self.message.add(body.len(), more);
                frames.push(body);
                Ok(())
            }
        }
    }

    /// How many bytes of memory it holds.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn held(&self) -> usize {
        self.chunk.capacity()
            + self
                .large
                .as_ref()
                .map_or(0, |large| large.arrived.capacity())
    }

    /// The length of a frame, if it may be so long.
    fn permitted(&self, head: &Head) -> Result<usize, String> {
        let sealed = self.opener.is_some();
        if sealed && head.kind != (Kind::Part { more: false }) {
            return Err("a frame that is not sealed".into());
        }
        if head.kind == Kind::Command {
            return match usize::try_from(head.len) {
                Ok(len) if head.len <= command::LONGEST => Ok(len),
                _ => Err(too_long(head.len)),
            };
        }
        if self.message.frames >= self.limits.frames {
            return Err(format!(
                "a message of more than {} frames",
                self.limits.frames
            ));
        }
        let around = if sealed { OVERHEAD } else { 0 };
        usize::try_from(head.len)
            .ok()
            .filter(|len| len.saturating_sub(around) <= self.limits.bytes - self.message.bytes)
            .ok_or_else(|| {
                format!(
                    "a message of {} bytes or more, and the limit is {} (`max_message`)",
                    head.len.saturating_add(self.message.bytes as u64),
                    self.limits.bytes
                )
            })
    }
}

fn too_long(command: impl std::fmt::Display) -> String {
    format!("a command of {command} bytes")
}

impl Message {
    /// Counts a frame.
    fn add(&mut self, len: usize, more: bool) {
        if more {
            self.bytes += len;
            self.frames += 1;
        } else {
            *self = Self::default();
        }
    }
}
