//! The codec and the handshake by themselves: however bytes are split, and whatever they are.

use super::Options;
use super::command::{self, Command};
use super::connection::{Commands, read};
use super::greeting;
use super::handshake::{Handshake, LONGEST, Role};
use super::head::{self, Kind};
use super::intake::{Intake, MessageLimits};
use super::mechanism::Security;
use super::outlet::Outlet;
use super::socket::{Listening, connect};
use crate::address::Address;
use crate::engine::End;
use bytes::{BufMut, Bytes, BytesMut};
use proptest::prelude::*;
use std::future::pending;
use std::io::IoSlice;
use tokio::sync::Notify;

const LIMITS: MessageLimits = MessageLimits {
    bytes: 100_000,
    frames: 10,
};

/// What came out of some bytes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heard {
    frames: Vec<Bytes>,
    commands: Vec<Vec<u8>>,
    broken: Option<String>,
}

/// Puts bytes in, in pieces of these sizes over and over.
fn hear(bytes: &[u8], pieces: &[usize]) -> Heard {
    let mut intake = Intake::new(LIMITS, None, BytesMut::new());
    let mut heard = Heard::default();
    let (mut rest, mut at) = (bytes, 0);
    while !rest.is_empty() {
        let mut piece = pieces[at % pieces.len()].clamp(1, rest.len());
        at += 1;
        while piece > 0 {
            let mut room = intake.room();
            let count = piece.min(room.remaining_mut());
            assert!(count > 0, "there is always room");
            room.put_slice(&rest[..count]);
            (rest, piece) = (&rest[count..], piece - count);
            intake.arrived(count);
            loop {
                let mut frames = Vec::new();
                let taken = intake.take(&mut frames, |command| {
                    heard.commands.push(format!("{command:?}").into());
                    Ok(())
                });
                heard.frames.append(&mut frames);
                match taken {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(broken) => {
                        heard.broken = Some(broken);
                        return heard;
                    }
                }
            }
            let arrived = bytes.len() - rest.len();
            assert!(
                intake.held() <= 64 * 1024 + 2 * arrived,
                "{}",
                intake.held()
            );
        }
        if at % 7 == 0 {
            intake.rest();
        }
    }
    heard
}

fn part(more: bool, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    head::put(&mut out, Kind::Part { more }, body.len());
    out.extend_from_slice(body);
    out
}

fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![0..300_usize, 1_000..5_000_usize, 15_000..40_000_usize]
}

proptest! {
    #[test]
    fn any_split_gives_the_same(
        frames in prop::collection::vec((sizes(), any::<u8>()), 1..20),
        pieces in prop::collection::vec(prop_oneof![1..5_usize, 1..3_000_usize, 1..100_000_usize], 1..10),
        ping in 0..20_usize,
    ) {
        let frames: Vec<Bytes> = frames.into_iter().map(|(size, byte)| vec![byte; size].into()).collect();
        let mut bytes = Vec::new();
        for (at, frame) in frames.iter().enumerate() {
            if at == ping {
                command::put_pong(&mut bytes, b"");
            }
            bytes.extend(part(at % 2 == 0 && at + 1 < frames.len(), frame));
        }
        let heard = hear(&bytes, &pieces);
        prop_assert!(heard.frames == frames);
        prop_assert_eq!(heard.commands.len(), usize::from(ping < frames.len()));
        prop_assert_eq!(heard.broken, None);
    }

    #[test]
    fn what_is_written_is_read(frames in prop::collection::vec(sizes(), 1..9)) {
        let frames: Vec<Bytes> = frames.into_iter().map(|size| vec![1; size].into()).collect();
        let mut outlet = Outlet::default();
        outlet.put_commands(b"\x04\x05\x04PONG");
        outlet.put(&mut frames.clone());
        let bytes: Vec<u8> = outlet.slices().iter().flat_map(|slice| slice.to_vec()).collect();
        let heard = hear(&bytes, &[usize::MAX]);
        prop_assert!(heard.frames == frames);
        prop_assert_eq!(heard.commands.len(), 1);
        prop_assert_eq!(heard.broken, None);
    }

    #[test]
    fn any_bytes_do_no_harm(
        bytes in prop::collection::vec(prop_oneof![0..8_u8, any::<u8>()], 0..2_000),
        pieces in prop::collection::vec(1..500_usize, 1..5),
    ) {
        let whole = hear(&bytes, &[usize::MAX]);
        prop_assert!(hear(&bytes, &pieces) == whole);
        let mut handshake = Handshake::new(Security::Null(Role::Router), &mut Vec::new());
        handshake.received().extend_from_slice(&bytes);
        let _ = handshake.advance(&mut Vec::new());
        let mut handshake = Handshake::new(Security::Null(Role::Dealer), &mut Vec::new());
        handshake.received().extend_from_slice(&greeting::ours(b"NULL", false));
        handshake.received().extend_from_slice(&bytes);
        let _ = handshake.advance(&mut Vec::new());
        let _ = command::parse(&bytes);
        let _ = command::property(&bytes, "Socket-Type");
    }

    #[test]
    fn a_handshake_may_come_in_any_pieces(pieces in prop::collection::vec(1..70_usize, 1..10)) {
        let mut bytes = greeting::ours(b"NULL", false).to_vec();
        command::put_ready(&mut bytes, "DEALER");
        bytes.extend(part(false, b"early"));
        let mut sent = Vec::new();
        let mut handshake = Handshake::new(Security::Null(Role::Router), &mut sent);
        let (mut rest, mut at) = (&bytes[..], 0);
        let agreed = loop {
            let piece = pieces[at % pieces.len()].min(rest.len());
            at += 1;
            handshake.received().extend_from_slice(&rest[..piece]);
            rest = &rest[piece..];
            if let Some(agreed) = handshake.advance(&mut sent).unwrap() {
                break agreed;
            }
        };
        let mut expected = greeting::ours(b"NULL", false).to_vec();
        command::put_ready(&mut expected, "ROUTER");
        prop_assert_eq!(sent, expected);
        prop_assert!(agreed.pings);
        let unread = [&agreed.rest[..], rest].concat();
        prop_assert_eq!(unread, part(false, b"early"));
    }
}

#[test]
fn options_say_what_is_wrong() {
    let parse = |options: &str| {
        let url = format!("zmq://a:1?{options}").parse().unwrap();
        Options::parse(&url, &crate::security::Security::parse(&url).unwrap())
    };
    assert!(parse("heartbeat=0&max_message=65536&connections=1").is_ok());
    for (options, expected) in [
        ("heartbeat=5", "milliseconds"),
        ("heartbeat=5s", "number"),
        ("max_message=1000", "at least 65536"),
        ("connections=0", "at least 1"),
    ] {
        let error = parse(options).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn frames_and_commands_in_known_bytes() {
    let heard = hear(
        b"\x01\x02hi\x04\x07\x04PING\0\0\x00\x00\x02\0\0\0\0\0\0\0\x01x",
        &[3],
    );
    assert_eq!(heard.frames, [&b"hi"[..], b"", b"x"]);
    assert_eq!(
        heard.commands,
        [format!("{:?}", Command::Ping(b"")).into_bytes()]
    );
    assert_eq!(heard.broken, None);
}

#[test]
fn limits_are_of_a_message() {
    // ten frames of ten thousand bytes are all that one may have
    let full = part(true, &[0; 10_000]).repeat(9);
    let last = part(false, &[0; 10_000]);
    let heard = hear(&[&full[..], &last, &full, &last].concat(), &[777]);
    assert_eq!((heard.frames.len(), heard.broken), (20, None));
    for one_more in [part(true, b""), part(true, &[0; 10_001])] {
        let heard = hear(&[&full[..], &one_more, &last].concat(), &[777]);
        assert!(heard.frames.len() <= 10, "{}", heard.frames.len());
        assert!(heard.broken.unwrap().starts_with("a message of"));
    }
    let heard = hear(&part(true, b"").repeat(11), &[5]);
    assert_eq!(heard.broken.unwrap(), "a message of more than 10 frames");
}

#[test]
fn what_is_announced_costs_nothing() {
    let mut intake = Intake::new(
        MessageLimits {
            bytes: usize::MAX,
            frames: 10,
        },
        None,
        BytesMut::from(&b"\x02\0\0\0\xff\0\0\0\0some"[..]),
    );
    assert_eq!(intake.take(&mut Vec::new(), |_| Ok(())), Ok(false));
    for _ in 0..100 {
        let mut room = intake.room();
        let count = room.remaining_mut().min(1000);
        room.put_bytes(0, count);
        intake.arrived(count);
        assert_eq!(intake.take(&mut Vec::new(), |_| Ok(())), Ok(false));
    }
    assert!(intake.held() <= 300_000, "{}", intake.held());
}

#[test]
fn a_small_frame_keeps_a_small_buffer() {
    let mut intake = Intake::new(LIMITS, None, BytesMut::new());
    for _ in 0..100 {
        intake.room().put_slice(&part(false, b"small"));
        intake.arrived(7);
        let mut frames = Vec::new();
        intake.take(&mut frames, |_| Ok(())).unwrap();
        assert_eq!(frames, [&b"small"[..]]);
        assert!(intake.held() <= 2048, "{}", intake.held());
    }
    intake.rest();
    assert_eq!(intake.held(), 0);
}

/// Tells when a frame has arrived.
#[derive(Default)]
struct Told(Notify);

impl End for Told {
    fn receive(&self, frames: &mut Vec<Bytes>) {
        frames.clear();
        self.0.notify_one();
    }

    fn arriving(&self, _: usize) -> bool {
        true
    }

    async fn next_frames(&self, _: &mut Vec<Bytes>, _: usize) -> bool {
        pending().await
    }

    async fn given_up(&self) {}
}

/// How much memory is held to read into by a link that waits, after so many frames that came one by one.
async fn held_after(frames: usize) -> usize {
    let address = Address::tcp("127.0.0.1:0").unwrap();
    let (listening, bound) = Listening::bind(&address).await.unwrap();
    let (mut reader, _open) = connect(&bound).await.unwrap();
    let ((_, mut writer), _) = listening.accept().await.unwrap();
    let mut intake = Intake::new(LIMITS, None, BytesMut::with_capacity(1000));
    let (told, commands) = (Told::default(), Commands::default());
    let writing = async {
        for _ in 0..frames {
            let bytes = part(false, b"small");
            writer.write(&[IoSlice::new(&bytes)]).await.unwrap();
            told.0.notified().await;
        }
    };
    tokio::select! {
        _ = read(&mut reader, &mut intake, &told, &commands, None) => {}
        () = writing => {}
    }
    intake.held()
}

#[tokio::test]
async fn a_link_holds_memory_to_read_into_only_if_much_comes() {
    assert_eq!(held_after(3).await, 0);
    assert!(held_after(20).await > 0);
}

#[test]
fn a_handshake_is_bounded_and_strict() {
    let advance = |role, bytes: &[u8]| {
        let mut sent = Vec::new();
        let mut handshake = Handshake::new(Security::Null(role), &mut sent);
        handshake
            .received()
            .extend_from_slice(&greeting::ours(b"NULL", false));
        handshake.received().extend_from_slice(bytes);
        (handshake.advance(&mut sent), sent)
    };
    let ready = |socket_type| {
        let mut ready = Vec::new();
        command::put_ready(&mut ready, socket_type);
        ready
    };
    for (role, socket_type) in [(Role::Router, "DEALER"), (Role::Dealer, "ROUTER")] {
        let agreed = advance(role, &ready(socket_type)).0.unwrap().unwrap();
        assert!(agreed.pings && agreed.session.is_none() && agreed.rest.is_empty());
    }
    for (role, socket_type) in [
        (Role::Router, "ROUTER"),
        (Role::Dealer, "DEALER"),
        (Role::Router, ""),
    ] {
        let (outcome, sent) = advance(role, &ready(socket_type));
        assert!(outcome.unwrap_err().contains("socket type"));
        assert!(sent.windows(6).any(|bytes| bytes == b"\x05ERROR"));
    }
    let mut long = vec![6];
    long.extend_from_slice(&(LONGEST as u64).to_be_bytes());
    assert!(advance(Role::Router, &long).0.is_err());
    let longest = [6, 255, 255, 255, 255, 255, 255, 255, 255];
    assert!(advance(Role::Router, &longest).0.is_err());
    assert!(advance(Role::Router, &[0, 1, 2]).0.is_err());
    let mut error = Vec::new();
    command::put_error(&mut error, "\x1b[31mno");
    let (outcome, _) = advance(Role::Dealer, &error);
    assert_eq!(
        outcome.unwrap_err(),
        "it refused the handshake: `\\x1b[31mno`"
    );
}
