//! A connection: greeting, handshake, and messages.

use bytes::Bytes;
use rpc_zmq::fuzzing::{CHANGED, Said, hear, hear_by_curve};

/// The first byte says which side listens and how the rest is cut into pieces. However it is cut, the same is heard.
pub(crate) fn connection(bytes: &[u8]) {
    let Some((how, bytes)) = bytes.split_first() else {
        return;
    };
    let (node, piece) = (how & 1 == 0, usize::from(how >> 1) + 1);
    let whole = hear(node, bytes, usize::MAX);
    assert!(whole.sent.starts_with(&[0xff]), "it greets");
    assert!(hear(node, bytes, piece) == whole, "in pieces of {piece}");
}

/// How many commands of a peer a handshake by CURVE takes.
const COMMANDS: usize = 2;

/// The first byte says which side listens; the rest is what a peer says that has a listed key: what it does with each command and frame,
/// a length, and bytes. What is changed or not sealed is never taken, and what is sealed arrives as it was.
pub(crate) fn curve(bytes: &[u8]) {
    let Some((how, mut bytes)) = bytes.split_first() else {
        return;
    };
    let mut said = Vec::new();
    while let [what, high, low, rest @ ..] = bytes {
        let len = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
        let (now, rest) = rest.split_at(len);
        bytes = rest;
        said.push(match what % 4 {
            0 => Said::Changed(now),
            1 => Said::Bare(now),
            _ => Said::Well(now),
        });
    }
    let heard = hear_by_curve(how & 1 == 0, &said);
    let (commands, frames) = said.split_at(said.len().min(COMMANDS));
    if commands == [Said::Well(b""); COMMANDS] {
        assert!(heard.agreed, "{heard:?}");
    }
    if !commands.iter().all(is_sealed) {
        assert!(!heard.agreed, "{heard:?}");
    }
    if !heard.agreed {
        assert!(heard.frames.is_empty() && heard.commands.is_empty());
        return;
    }
    let sealed = frames.iter().take_while(|said| is_sealed(said));
    let sent: Vec<Bytes> = sealed.filter_map(part).collect();
    assert!(sent.starts_with(&heard.frames));
    assert!(heard.broken.is_some() || heard.frames == sent);
    assert!(heard.broken.is_some() || frames.iter().all(is_sealed));
}

/// Whether it is what its sealer made of it.
fn is_sealed(said: &Said<'_>) -> bool {
    match said {
        Said::Well(_) => true,
        Said::Changed(bits) => bits.iter().take(CHANGED).all(|bits| *bits == 0),
        Said::Bare(_) => false,
    }
}

/// The part of a message that is in a frame.
fn part(said: &Said<'_>) -> Option<Bytes> {
    match said {
        Said::Well([0 | 1, body @ ..]) => Some(Bytes::copy_from_slice(body)),
        Said::Well([]) | Said::Changed(_) => Some(Bytes::new()),
        _ => None,
    }
}
