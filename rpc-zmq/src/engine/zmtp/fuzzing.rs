//! A door for the fuzz targets. Not for anybody else: it changes without notice.

mod curve;

pub use curve::{CHANGED, Said, hear_by_curve};

use super::handshake::{Handshake, LONGEST, Role};
use super::intake::{Intake, MessageLimits};
use super::mechanism::Security;
use bytes::{BufMut, Bytes, BytesMut};

const LIMITS: MessageLimits = MessageLimits {
    bytes: 100_000,
    frames: 10,
};

/// What a connection has heard of its peer.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// What was sent in the handshake.
    pub sent: Vec<u8>,
    /// Whether the handshake came to its end.
    pub agreed: bool,
    /// The frames of messages.
    pub frames: Vec<Bytes>,
    /// Commands, as they are shown.
    pub commands: Vec<String>,
    /// Why the connection ended.
    pub broken: Option<String>,
}

/// Takes the bytes of a peer, in pieces of this size: handshake, messages and commands. This side is a node or a client.
///
/// # Panics
///
/// When it holds more than it may.
#[must_use]
pub fn hear(node: bool, bytes: &[u8], piece: usize) -> Heard {
    let mut heard = Heard::default();
    heard.broken = take(node, bytes, piece.max(1), &mut heard).err();
    heard
}

fn take(node: bool, bytes: &[u8], piece: usize, heard: &mut Heard) -> Result<(), String> {
    let role = if node { Role::Router } else { Role::Dealer };
    let mut handshake = Handshake::new(Security::Null(role), &mut heard.sent);
    let mut pieces = bytes.chunks(piece);
    let agreed = loop {
        let Some(piece) = pieces.next() else {
            return Ok(());
        };
        handshake.received().extend_from_slice(piece);
        if let Some(agreed) = handshake.advance(&mut heard.sent)? {
            break agreed;
        }
        // as where bytes come from a socket
        if handshake.received().len() >= LONGEST {
            return Err("the handshake is too long".into());
        }
    };
    heard.agreed = true;
    let mut intake = Intake::new(LIMITS, None, BytesMut::new());
    let mut arrived = 0;
    for piece in std::iter::once(&agreed.rest[..]).chain(pieces) {
        arrived += piece.len();
        listen(&mut intake, piece, arrived, heard)?;
    }
    Ok(())
}

/// Takes bytes that come after the handshake; with them, so many have arrived.
fn listen(
    intake: &mut Intake,
    mut bytes: &[u8],
    arrived: usize,
    heard: &mut Heard,
) -> Result<(), String> {
    while !bytes.is_empty() {
        let mut room = intake.room();
        let count = bytes.len().min(room.remaining_mut());
        assert!(count > 0, "there is always room");
        room.put_slice(&bytes[..count]);
        bytes = &bytes[count..];
        intake.arrived(count);
        assert!(intake.held() <= 64 * 1024 + 2 * (arrived - bytes.len()));
        let mut more = true;
        while more {
            let mut frames = Vec::new();
            let commands = &mut heard.commands;
            let taken = intake.take(&mut frames, |command| {
                commands.push(format!("{command:?}"));
                Ok(())
            });
            heard.frames.append(&mut frames);
            more = taken?;
        }
    }
    Ok(())
}
