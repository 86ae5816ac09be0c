//! The CURVE mechanism of ZMTP, by RFC 26 (`CurveZMQ`) and RFC 25: who is at the other end, and that nobody else reads along.
//!
//! No I/O happens here: bodies of frames go in, and bodies of frames come out. The primitives are those of the `crypto_box`
//! crate, and of `curve25519-dalek` below it.
//!
//! ```text
//! client                                       server
//!   HELLO     its short-term key       ────►
//!             ◄────  WELCOME   its short-term key, and a cookie that comes back with
//!   INITIATE  its long-term key, vouched ──►
//!             ◄────  READY
//!   MESSAGE   ◄───►  MESSAGE
//! ```

mod handshake;
mod keys;
mod session;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod weak_keys;

pub(crate) use handshake::{Greeted, Greeting, Initiated, Initiating};
pub use keys::{ParseKeyError, PublicKey, SecretKey};
pub(crate) use session::{OVERHEAD, Opener, Sealer};

use crypto_box::SalsaBox;
use crypto_box::aead::AeadInPlace;

/// The length of what authenticates a box.
const TAG: usize = 16;

/// A counter in front of a box, where each has one of its own.
const COUNTER: usize = 8;

/// Why a peer is not let in, or not any more. It says nothing about keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken(pub(crate) &'static str);

/// A nonce: what a box is for, and a number that no other box of this kind and key has.
fn counted(prefix: &[u8; 16], counter: u64) -> [u8; 24] {
    let mut nonce = [0; 24];
    nonce[..16].copy_from_slice(prefix);
    nonce[16..].copy_from_slice(&counter.to_be_bytes());
    nonce
}

/// A nonce: what a box is for, and random bytes.
fn random(prefix: &[u8; 8], random: &[u8; 16]) -> [u8; 24] {
    let mut nonce = [0; 24];
    nonce[..8].copy_from_slice(prefix);
    nonce[8..].copy_from_slice(random);
    nonce
}

/// Appends a box: what authenticates it, then what it holds.
fn seal(key: &SalsaBox, nonce: &[u8; 24], content: &[&[u8]], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + TAG, 0);
    for part in content {
        out.extend_from_slice(part);
    }
    let (tag, inside) = out[start..].split_at_mut(TAG);
    // it fails for more bytes than memory has
    if let Ok(made) = key.encrypt_in_place_detached(nonce.into(), b"", inside) {
        tag.copy_from_slice(&made);
    }
}

/// Opens a box in place, and gives what it holds. `None` for one that was not made with this key and nonce.
fn open<'a>(key: &SalsaBox, nonce: &[u8; 24], sealed: &'a mut [u8]) -> Option<&'a mut [u8]> {
    let (tag, inside) = sealed.split_at_mut_checked(TAG)?;
    key.decrypt_in_place_detached(nonce.into(), b"", inside, (&*tag).into())
        .ok()?;
    Some(inside)
}

/// Takes `N` bytes from the front.
fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*first)
}
