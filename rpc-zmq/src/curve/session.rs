//! What is sealed and opened once both ends know each other.

use super::{Broken, COUNTER, TAG, counted, open, seal};
use bytes::{Buf, Bytes, BytesMut};
use crypto_box::SalsaBox;
use std::sync::Arc;

const NAME: &[u8] = b"\x07MESSAGE";
const OF_CLIENT: &[u8; 16] = b"CurveZMQMESSAGEC";
const OF_SERVER: &[u8; 16] = b"CurveZMQMESSAGES";

/// What a sealed frame is longer than what it holds: its name, a counter, the tag, and a byte of flags.
pub(crate) const OVERHEAD: usize = NAME.len() + COUNTER + TAG + 1;

/// Seals the frames that leave. Each has a counter of its own, which only rises.
pub(crate) struct Sealer {
    key: Arc<SalsaBox>,
    prefix: &'static [u8; 16],
    last: u64,
}

/// Opens the frames that arrive.
pub(crate) struct Opener {
    key: Arc<SalsaBox>,
    prefix: &'static [u8; 16],
    last: u64,
}

/// Both directions at one end. `sent` and `seen` are the counters that the handshake used up.
pub(super) fn session(key: SalsaBox, is_client: bool, sent: u64, seen: u64) -> (Sealer, Opener) {
    let key = Arc::new(key);
    let (own, other) = if is_client {
        (OF_CLIENT, OF_SERVER)
    } else {
        (OF_SERVER, OF_CLIENT)
    };
    let sealer = Sealer {
        key: Arc::clone(&key),
        prefix: own,
        last: sent,
    };
    let opener = Opener {
        key,
        prefix: other,
        last: seen,
    };
    (sealer, opener)
}

impl Sealer {
    /// Appends the body of a frame that holds another with these flags (1: more follow; 2: a command).
    pub(crate) fn seal(&mut self, flags: u8, body: &[u8], out: &mut Vec<u8>) {
        self.last += 1;
        out.reserve(body.len() + OVERHEAD);
        out.extend_from_slice(NAME);
        out.extend_from_slice(&self.last.to_be_bytes());
        let nonce = counted(self.prefix, self.last);
        seal(&self.key, &nonce, &[&[flags], body], out);
    }
}

impl Opener {
    /// The flags and the body of the frame that this one holds. It is opened in place.
    pub(crate) fn open(&mut self, mut frame: BytesMut) -> Result<(u8, Bytes), Broken> {
        if frame.len() < OVERHEAD || !frame.starts_with(NAME) {
            return Err(Broken("a frame that is not sealed"));
        }
        frame.advance(NAME.len());
        let counter = frame.get_u64();
        if counter <= self.last {
            return Err(Broken("a sealed frame came twice, or out of order"));
        }
        self.last = counter;
        let inside = open(&self.key, &counted(self.prefix, counter), &mut frame);
        let Some([flags, ..]) = inside else {
            return Err(Broken("a sealed frame that can't be opened"));
        };
        let flags = *flags;
        frame.advance(TAG + 1);
        Ok((flags, frame.freeze()))
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

impl std::fmt::Debug for Opener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opener")
    }
}
