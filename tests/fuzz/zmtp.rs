//! A connection: greeting, handshake, and messages.

use rpc_zmq::fuzzing::hear;

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
