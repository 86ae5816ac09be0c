//! A connection by CURVE to a peer whose key is listed, and who does with it what it likes.

use super::super::command;
use super::super::greeting;
use super::super::handshake::{Handshake, Role};
use super::super::head::{self, Kind};
use super::super::intake::Intake;
use super::super::mechanism::Security;
use super::{Heard, LIMITS, listen};
use crate::address::Address;
use crate::curve::{Greeted, Greeting, Initiated, Initiating, PublicKey, Sealer, SecretKey};
use crate::keyring::{Holder, Keyring};
use bytes::BytesMut;
use crypto_box::aead::OsRng;
use std::sync::Arc;

/// How many bytes of a frame are changed at most, at its end: so many are authenticated in each.
pub const CHANGED: usize = 16;

/// What the peer says next: a command while the handshake goes on, and then a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said<'a> {
    /// As it should be. In the handshake this is its metadata, unless it is empty; then, it is sealed, the flags first.
    Well(&'a [u8]),
    /// The same with other bits where these are set, at its end.
    Changed(&'a [u8]),
    /// This, and not sealed.
    Bare(&'a [u8]),
}

/// Takes what a peer says. This side is a node or a client.
///
/// # Panics
///
/// When it holds more than it may.
#[must_use]
pub fn hear_by_curve(node: bool, said: &[Said<'_>]) -> Heard {
    let mut heard = Heard::default();
    heard.broken = take(node, said, &mut heard).err();
    heard
}

fn take(node: bool, said: &[Said<'_>], heard: &mut Heard) -> Result<(), String> {
    let (own, other) = (SecretKey::generate(), SecretKey::generate());
    let kind = if node { "client" } else { "node" };
    let listed = other.public_key();
    let list = format!("[[{kind}]]\nkey = \"{listed}\"\ntopics = []\n");
    let mut peer = match node {
        true => Peer::Client(other, own.public_key()),
        false => Peer::Node(other),
    };
    let keyring = Arc::new(Keyring::of(own, &list));
    let security = match node {
        true => Security::CurveNode(keyring),
        false => {
            let address = Address::tcp("node:1").map_err(|error| format!("{error:?}"))?;
            Security::CurveClient(Holder::node(keyring, listed, address))
        }
    };
    let mut handshake = Handshake::new(security, &mut heard.sent);
    let greeting = greeting::ours(b"CURVE", !node);
    handshake.received().extend_from_slice(&greeting);
    handshake.advance(&mut heard.sent)?;
    let mut said = said.iter();
    let session = loop {
        let Some(said) = said.next() else {
            return Ok(());
        };
        let role = if node { Role::Dealer } else { Role::Router };
        let proper = command::socket_type(role.socket_type());
        let frame = said.frame(Kind::Command, |metadata| match metadata {
            [] => peer.next(&heard.sent, &proper),
            metadata => peer.next(&heard.sent, metadata),
        });
        handshake.received().extend_from_slice(&frame);
        if let Some(agreed) = handshake.advance(&mut heard.sent)? {
            break agreed.session;
        }
    };
    heard.agreed = true;
    // a node's peer has READY to take
    let _ = node.then(|| peer.next(&heard.sent, b""));
    let (Some(session), Peer::Sealing(mut sealer)) = (session, peer) else {
        return Err("only one of both has agreed".into());
    };
    let mut intake = Intake::new(LIMITS, Some(session.opener), BytesMut::new());
    let mut arrived = 0;
    for said in said {
        let frame = said.frame(Kind::Part { more: false }, |inside| {
            let (flags, inside) = inside.split_first().unwrap_or((&0, &[]));
            let mut body = Vec::new();
            sealer.seal(*flags, inside, &mut body);
            body
        });
        arrived += frame.len();
        listen(&mut intake, &frame, arrived, heard)?;
    }
    Ok(())
}

impl Said<'_> {
    /// As it is sent, if this is how its body is made as it should be.
    fn frame(self, kind: Kind, proper: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
        let body = match self {
            Self::Well(inside) => proper(inside),
            Self::Changed(bits) => {
                let mut body = proper(&[]);
                let from = body.len().saturating_sub(CHANGED);
                for (byte, bits) in body[from..].iter_mut().zip(bits) {
                    *byte ^= bits;
                }
                body
            }
            Self::Bare(bytes) => bytes.to_vec(),
        };
        let mut frame = Vec::new();
        head::put(&mut frame, kind, body.len());
        frame.extend(body);
        frame
    }
}

/// How far the peer is.
enum Peer {
    Client(SecretKey, PublicKey),
    Greeting(Greeting),
    Initiating(Initiating),
    Node(SecretKey),
    Greeted(Greeted),
    Sealing(Sealer),
    /// It was not answered as it should have been.
    Lost,
}

impl Peer {
    /// The body of its next command, after what the other side has sent.
    fn next(&mut self, heard: &[u8], metadata: &[u8]) -> Vec<u8> {
        let heard = last_command(heard);
        let (next, said) = match std::mem::replace(self, Self::Lost) {
            Self::Client(own, node) => {
                let (greeting, hello) = Greeting::start(own, node, &mut OsRng);
                (Self::Greeting(greeting), hello)
            }
            Self::Greeting(greeting) => match greeting.welcomed(heard, metadata, &mut OsRng) {
                Ok((initiating, initiate)) => (Self::Initiating(initiating), initiate),
                Err(_) => (Self::Lost, Vec::new()),
            },
            Self::Initiating(initiating) => match initiating.ready(heard) {
                Ok((_, sealer, _)) => (Self::Sealing(sealer), Vec::new()),
                Err(_) => (Self::Lost, Vec::new()),
            },
            Self::Node(own) => match Greeted::start(&own, heard, &mut OsRng) {
                Ok((greeted, welcome)) => (Self::Greeted(greeted), welcome),
                Err(_) => (Self::Lost, Vec::new()),
            },
            Self::Greeted(greeted) => match greeted.initiated(heard) {
                Ok(Initiated { accepting, .. }) => {
                    let (ready, sealer, _) = accepting.ready(metadata);
                    (Self::Sealing(sealer), ready)
                }
                Err(_) => (Self::Lost, Vec::new()),
            },
            before => (before, Vec::new()),
        };
        *self = next;
        said
    }
}

/// The body of the last command after a greeting.
fn last_command(sent: &[u8]) -> &[u8] {
    let mut rest = sent.get(greeting::LEN..).unwrap_or_default();
    let mut last: &[u8] = &[];
    while let Ok(Some(head)) = head::parse(rest) {
        let len = usize::try_from(head.len).unwrap_or(usize::MAX);
        let Some(body) = rest.get(head.size..head.size.saturating_add(len)) else {
            break;
        };
        last = body;
        rest = &rest[head.size + len..];
    }
    last
}
