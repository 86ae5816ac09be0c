//! Tests of CURVE in the engine, without I/O: the handshake, and what is sealed after it.

use super::command::{self, Command};
use super::greeting;
use super::handshake::{Agreed, Handshake, LONGEST, Role};
use super::head::{self, Kind};
use super::intake::{Intake, MessageLimits};
use super::mechanism::{Security, Session};
use super::outlet::Outlet;
use crate::address::Address;
use crate::curve::{OVERHEAD, Sealer, SecretKey};
use crate::keyring::{Holder, Keyring};
use bytes::{BufMut, Bytes, BytesMut};
use proptest::prelude::*;
use std::sync::Arc;

const LIMITS: MessageLimits = MessageLimits {
    bytes: 100_000,
    frames: 10,
};

/// Both ends, which know each other.
struct Ends {
    client: Arc<Keyring>,
    node: Arc<Keyring>,
}

impl Ends {
    fn new() -> Self {
        let (client, node) = (SecretKey::generate(), SecretKey::generate());
        let entry = |kind, key: &SecretKey| {
            let key = key.public_key();
            format!("[[{kind}]]\nkey = \"{key}\"\ntopics = []\n")
        };
        let (of_node, of_client) = (entry("node", &node), entry("client", &client));
        Self {
            client: Arc::new(Keyring::of(client, &of_node)),
            node: Arc::new(Keyring::of(node, &of_client)),
        }
    }

    fn client(&self) -> Security {
        let at = Address::tcp("node:1").unwrap();
        let key = self.client.listed().expected_at(&at)[0];
        Security::CurveClient(Holder::node(Arc::clone(&self.client), key, at))
    }

    fn node(&self) -> Security {
        Security::CurveNode(Arc::clone(&self.node))
    }
}

/// How a handshake between two ends went: what each agreed on or refused, and the last that each said.
struct Outcome {
    client: Result<Option<Agreed>, String>,
    node: Result<Option<Agreed>, String>,
    said: [Vec<u8>; 2],
}

/// Lets both ends shake hands, in pieces of these sizes over and over, until nothing comes any more.
fn shake(client: Security, node: Security, pieces: &[usize]) -> Outcome {
    let mut outcome = Outcome {
        client: Ok(None),
        node: Ok(None),
        said: Default::default(),
    };
    let mut wires = [Vec::new(), Vec::new()];
    let mut ends = [
        Handshake::new(client, &mut wires[1]),
        Handshake::new(node, &mut wires[0]),
    ];
    let mut at = 0;
    while wires.iter().any(|wire| !wire.is_empty()) {
        for end in 0..2 {
            let result = match end {
                0 => &mut outcome.client,
                _ => &mut outcome.node,
            };
            let arrived = pieces[at % pieces.len()].min(wires[end].len());
            at += 1;
            let piece: Vec<u8> = wires[end].drain(..arrived).collect();
            if !matches!(result, Ok(None)) {
                continue;
            }
            ends[end].received().extend_from_slice(&piece);
            let mut said = Vec::new();
            *result = ends[end].advance(&mut said);
            wires[1 - end].extend_from_slice(&said);
            if !said.is_empty() {
                outcome.said[end] = said;
            }
        }
    }
    outcome
}

/// What one end seals, and the other opens.
fn session() -> (Outlet, Intake) {
    let (sealer, intake) = ends();
    (Outlet::new(Some(sealer)), intake)
}

fn ends() -> (Sealer, Intake) {
    let ends = Ends::new();
    let outcome = shake(ends.client(), ends.node(), &[64]);
    let sealer = session_of(outcome.client).sealer;
    let opener = session_of(outcome.node).opener;
    (sealer, Intake::new(LIMITS, Some(opener), BytesMut::new()))
}

fn session_of(outcome: Result<Option<Agreed>, String>) -> Session {
    outcome.unwrap().unwrap().session.unwrap()
}

fn bytes_of(outlet: &Outlet) -> Vec<u8> {
    outlet
        .slices()
        .iter()
        .flat_map(|slice| slice.to_vec())
        .collect()
}

/// Puts bytes in, in pieces of these sizes over and over: the frames, how many commands, and what was wrong.
fn hear(
    intake: &mut Intake,
    bytes: &[u8],
    pieces: &[usize],
) -> (Vec<Bytes>, usize, Option<String>) {
    let (mut frames, mut commands, mut rest, mut at) = (Vec::new(), 0, bytes, 0);
    while !rest.is_empty() {
        let mut room = intake.room();
        let piece = pieces[at % pieces.len()].clamp(1, rest.len());
        let count = piece.min(room.remaining_mut());
        at += 1;
        room.put_slice(&rest[..count]);
        rest = &rest[count..];
        intake.arrived(count);
        loop {
            let mut some = Vec::new();
            let taken = intake.take(&mut some, |command| {
                commands += usize::from(command == Command::Pong);
                Ok(())
            });
            frames.append(&mut some);
            match taken {
                Ok(true) => {}
                Ok(false) => break,
                Err(broken) => return (frames, commands, Some(broken)),
            }
        }
    }
    (frames, commands, None)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_handshake_may_come_in_any_pieces(pieces in prop::collection::vec(1..300_usize, 1..10)) {
        let ends = Ends::new();
        let outcome = shake(ends.client(), ends.node(), &pieces);
        let client = session_of(outcome.client).holder;
        let node = session_of(outcome.node).holder;
        prop_assert_eq!(client.key(), ends.node.own().public_key());
        prop_assert_eq!(node.key(), ends.client.own().public_key());
    }

    #[test]
    fn what_is_sealed_is_opened(
        sizes in prop::collection::vec(prop_oneof![0..300_usize, 2_000..2_100_usize, 15_000..40_000_usize], 1..9),
        pieces in prop::collection::vec(prop_oneof![1..50_usize, 1..3_000_usize, 1..100_000_usize], 1..10),
    ) {
        let (mut outlet, mut intake) = session();
        let frames: Vec<Bytes> = sizes.iter().map(|size| vec![7; *size].into()).collect();
        let mut pong = Vec::new();
        command::put_pong(&mut pong, b"");
        outlet.put_commands(&pong.repeat(2));
        outlet.put(&mut frames.clone());
        outlet.put_commands(&pong);
        let bytes = bytes_of(&outlet);
        prop_assert!(!bytes.windows(4).any(|bytes| bytes == b"PONG" || bytes == [7; 4]));
        let (heard, commands, broken) = hear(&mut intake, &bytes, &pieces);
        prop_assert!(heard == frames);
        prop_assert_eq!((commands, broken), (3, None));
    }

    /// Whatever comes before a key is proved, and after.
    #[test]
    fn any_bytes_do_no_harm(bytes: Vec<u8>, greeted: bool, command: bool) {
        let ends = Ends::new();
        for security in [ends.node(), ends.client()] {
            let mut handshake = Handshake::new(security, &mut Vec::new());
            if greeted {
                handshake.received().extend_from_slice(&greeting::ours(b"CURVE", true));
            }
            if command {
                let mut head = Vec::new();
                head::put(&mut head, Kind::Command, bytes.len());
                handshake.received().extend_from_slice(&head);
            }
            handshake.received().extend_from_slice(&bytes);
            prop_assert!(!matches!(handshake.advance(&mut Vec::new()), Ok(Some(_))));
        }
        let (_, mut intake) = session();
        prop_assert!(hear(&mut intake, &bytes, &[usize::MAX]).0.is_empty());
    }
}

#[test]
fn limits_are_of_what_is_sealed() {
    let part = |sizes: &[usize]| {
        let (mut sealer, mut intake) = ends();
        let mut bytes = Vec::new();
        for (at, size) in sizes.iter().enumerate() {
            let flags = u8::from(at + 1 < sizes.len());
            head::put(&mut bytes, Kind::Part { more: false }, size + OVERHEAD);
            sealer.seal(flags, &vec![0; *size], &mut bytes);
        }
        let (frames, _, broken) = hear(&mut intake, &bytes, &[777]);
        (frames.len(), broken.unwrap_or_default())
    };
    assert_eq!(part(&[100_000]), (1, String::new()));
    assert_eq!(part(&[10_000; 10]), (10, String::new()));
    assert!(part(&[100_001]).1.contains("the limit is 100000"));
    assert!(part(&[50_000, 50_001]).1.contains("the limit is 100000"));
    assert!(part(&[0; 11]).1.contains("more than 10 frames"));
    // and what is too long is refused before it comes
    let (_, mut intake) = session();
    let mut head = Vec::new();
    head::put(&mut head, Kind::Part { more: false }, 100_001 + OVERHEAD);
    assert!(hear(&mut intake, &head, &[9]).2.is_some());
}

#[test]
fn what_is_not_sealed_is_refused() {
    for (kind, body) in [
        (Kind::Part { more: false }, vec![0; 100]),
        (Kind::Part { more: false }, Vec::new()),
        (Kind::Part { more: true }, vec![0; 100]),
        (Kind::Command, b"\x04PONG".to_vec()),
    ] {
        let (_, mut intake) = session();
        let mut bytes = Vec::new();
        head::put(&mut bytes, kind, body.len());
        bytes.extend(body);
        let (frames, commands, broken) = hear(&mut intake, &bytes, &[usize::MAX]);
        assert!(frames.is_empty() && commands == 0);
        assert_eq!(broken.unwrap(), "a frame that is not sealed");
    }
}

#[test]
fn what_is_sealed_keeps_to_the_rules() {
    for (flags, body, expected) in [
        (3, &b"\x04PONG"[..], "flags 0x03"),
        (4, b"\x04PONG", "flags 0x04"),
        (2, b"", "no name"),
        (2, &[4; 513], "a command of 513 bytes"),
    ] {
        let (mut sealer, mut intake) = ends();
        let mut bytes = Vec::new();
        head::put(
            &mut bytes,
            Kind::Part { more: false },
            body.len() + OVERHEAD,
        );
        sealer.seal(flags, body, &mut bytes);
        let (frames, commands, broken) = hear(&mut intake, &bytes, &[usize::MAX]);
        assert!(frames.is_empty() && commands == 0);
        let broken = broken.unwrap();
        assert!(broken.contains(expected), "{broken}");
    }
}

#[test]
fn what_was_sealed_once_is_taken_once() {
    let (mut outlet, mut intake) = session();
    outlet.put(&mut vec!["x".into()]);
    let bytes = bytes_of(&outlet).repeat(2);
    let (frames, _, broken) = hear(&mut intake, &bytes, &[usize::MAX]);
    assert_eq!(frames, ["x"]);
    assert!(broken.unwrap().contains("came twice"));
}

#[test]
fn a_key_that_is_not_listed_is_told_a_status_and_no_more() {
    let (ends, other) = (Ends::new(), Ends::new());
    let stranger = Holder::node(
        Arc::clone(&other.client),
        ends.node.own().public_key(),
        Address::tcp("node:1").unwrap(),
    );
    let outcome = shake(Security::CurveClient(stranger), ends.node(), &[64]);
    let short = other.client.own().public_key().short();
    let reason = outcome.node.unwrap_err();
    assert!(reason.contains(&short), "{reason}");
    assert_eq!(outcome.said[1], b"\x04\x0a\x05ERROR\x03400");
    assert!(outcome.client.unwrap_err().contains("does not let"));
}

#[test]
fn a_node_says_nothing_to_whoever_knows_another_key() {
    let (ends, other) = (Ends::new(), Ends::new());
    let outcome = shake(other.client(), ends.node(), &[64]);
    assert!(outcome.node.unwrap_err().contains("another key"));
    assert!(outcome.said[1].is_empty());
    assert!(matches!(outcome.client, Ok(None)));
}

#[test]
fn another_mechanism_is_refused_at_both_ends() {
    let ends = Ends::new();
    for outcome in [
        shake(Security::Null(Role::Dealer), ends.node(), &[64]),
        shake(ends.client(), Security::Null(Role::Router), &[64]),
    ] {
        assert!(outcome.client.unwrap_err().contains("security mechanism"));
        assert!(outcome.node.unwrap_err().contains("security mechanism"));
        assert!(outcome.said.concat().is_empty());
    }
}

#[test]
fn a_handshake_is_bounded() {
    let ends = Ends::new();
    for (kind, len) in [(Kind::Command, LONGEST), (Kind::Part { more: false }, 1)] {
        let mut handshake = Handshake::new(ends.node(), &mut Vec::new());
        let mut bytes = greeting::ours(b"CURVE", true).to_vec();
        head::put(&mut bytes, kind, len);
        handshake.received().extend_from_slice(&bytes);
        assert!(handshake.advance(&mut Vec::new()).is_err());
    }
}
