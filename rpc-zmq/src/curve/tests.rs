//! Both sides against each other, and against what libzmq said to them.

#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing has failed")]

use super::*;
use bytes::{Bytes, BytesMut};
use crypto_box::aead::OsRng;
use crypto_box::aead::rand_core::{self, CryptoRng, RngCore};
use proptest::prelude::*;

// the keys of libzmq's manual
const CLIENT: &str = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";
const CLIENT_PUBLIC: &str = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
const SERVER: &str = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6";
const SERVER_PUBLIC: &str = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";

const DEALER: &[u8] = b"\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0\0";
const ROUTER: &[u8] = b"\x0bSocket-Type\0\0\0\x06ROUTER\x08Identity\0\0\0\0";

/// Bytes that look random and are always the same.
struct Fixed(u64);

impl RngCore for Fixed {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = self.0.to_be_bytes()[0];
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Fixed {}

/// The frames that libzmq sent in one role.
fn said_by(role: &str) -> Vec<Vec<u8>> {
    let hex = |text: &str| {
        text.as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    };
    include_str!("libzmq.txt")
        .lines()
        .filter_map(|line| line.strip_prefix(role)?.split(' ').nth(2))
        .map(hex)
        .collect()
}

fn opened(opener: &mut Opener, frame: &[u8]) -> Result<(u8, Bytes), Broken> {
    opener.open(BytesMut::from(frame))
}

#[test]
fn a_client_of_libzmq_is_let_in() {
    let [hello, initiate, one, two] = said_by("client").try_into().unwrap();
    let own: SecretKey = SERVER.parse().unwrap();
    let (greeted, _) = Greeted::start(&own, &hello, &mut Fixed(1)).unwrap();
    let initiated = greeted.initiated(&initiate).unwrap();
    assert_eq!(initiated.client, CLIENT_PUBLIC.parse().unwrap());
    assert_eq!(initiated.metadata, DEALER);
    let (_, _, mut opener) = initiated.accepting.ready(ROUTER);
    assert_eq!(opened(&mut opener, &one).unwrap(), (1, "one".into()));
    assert_eq!(opened(&mut opener, &two).unwrap(), (0, "two".into()));
}

#[test]
fn a_server_of_libzmq_lets_in() {
    let [welcome, ready, one, two] = said_by("server").try_into().unwrap();
    let (greeting, _) = Greeting::start(
        CLIENT.parse().unwrap(),
        SERVER_PUBLIC.parse().unwrap(),
        &mut Fixed(2),
    );
    // the same random numbers as when this was written down
    let mut after_hello = Fixed(2);
    after_hello.fill_bytes(&mut [0; 32]);
    let (initiating, _) = greeting
        .welcomed(&welcome, DEALER, &mut after_hello)
        .unwrap();
    let (metadata, _, mut opener) = initiating.ready(&ready).unwrap();
    assert_eq!(metadata, ROUTER);
    assert_eq!(opened(&mut opener, &one).unwrap(), (1, "an".into()));
    assert_eq!(opened(&mut opener, &two).unwrap(), (0, "swer".into()));
}

struct Link {
    client: (Sealer, Opener),
    server: (Sealer, Opener),
    seen: PublicKey,
}

/// A handshake in which each frame goes through `wire`.
fn handshake(
    client: &SecretKey,
    expected: PublicKey,
    server: &SecretKey,
    mut wire: impl FnMut(usize, Vec<u8>) -> Vec<u8>,
) -> Result<Link, Broken> {
    let (greeting, hello) = Greeting::start(client.clone(), expected, &mut OsRng);
    assert_eq!(hello.len(), 200);
    let (greeted, welcome) = Greeted::start(server, &wire(0, hello), &mut OsRng)?;
    assert_eq!(welcome.len(), 168);
    let (initiating, initiate) = greeting.welcomed(&wire(1, welcome), DEALER, &mut OsRng)?;
    let initiated = greeted.initiated(&wire(2, initiate))?;
    let seen = initiated.client;
    let (ready, sealer, opener) = initiated.accepting.ready(ROUTER);
    let (_, client_sealer, client_opener) = initiating.ready(&wire(3, ready))?;
    Ok(Link {
        client: (client_sealer, client_opener),
        server: (sealer, opener),
        seen,
    })
}

fn keys() -> (SecretKey, SecretKey) {
    (SecretKey::generate(), SecretKey::generate())
}

#[test]
fn both_ends_know_each_other() {
    let (client, server) = keys();
    let mut link = handshake(&client, server.public_key(), &server, |_, frame| frame).unwrap();
    assert_eq!(link.seen, client.public_key());
    for body in [&b""[..], b"a", &[7; 70_000]] {
        let mut frame = Vec::new();
        link.client.0.seal(0, body, &mut frame);
        assert_eq!(frame.len(), body.len() + OVERHEAD);
        assert_eq!(opened(&mut link.server.1, &frame).unwrap().1, body);
        let mut frame = Vec::new();
        link.server.0.seal(1, body, &mut frame);
        assert_eq!(
            opened(&mut link.client.1, &frame).unwrap(),
            (1, body.to_vec().into())
        );
    }
}

#[test]
fn a_wrong_key_of_the_server_gets_nothing() {
    let (client, server) = keys();
    let other = SecretKey::generate().public_key();
    assert!(handshake(&client, other, &server, |_, frame| frame).is_err());
}

#[test]
fn a_frame_that_comes_again_is_refused() {
    let (client, server) = keys();
    let mut link = handshake(&client, server.public_key(), &server, |_, frame| frame).unwrap();
    let (mut one, mut two) = (Vec::new(), Vec::new());
    link.client.0.seal(0, b"1", &mut one);
    link.client.0.seal(0, b"2", &mut two);
    assert!(opened(&mut link.server.1, &two).is_ok());
    assert!(opened(&mut link.server.1, &two).is_err());
    assert!(opened(&mut link.server.1, &one).is_err());
    // nor does it open where it came from
    assert!(opened(&mut link.client.1, &one).is_err());
}

#[test]
fn somebody_who_only_knows_a_public_key_is_not_its_owner() {
    let (client, server) = keys();
    let thief = SecretKey::generate();
    let (greeting, hello) = Greeting::start(thief, server.public_key(), &mut OsRng);
    let (greeted, welcome) = Greeted::start(&server, &hello, &mut OsRng).unwrap();
    // the thief shows another's key in its own INITIATE
    let forged = greeting.impersonate(client.public_key(), &welcome);
    assert!(greeted.initiated(&forged).is_err());
}

#[test]
fn keys_are_written_as_libzmq_writes_them() {
    let secret: SecretKey = SERVER.parse().unwrap();
    assert_eq!(secret.public_key().to_string(), SERVER_PUBLIC);
    assert_eq!(secret.reveal(), SERVER);
    assert_eq!(format!("{secret:?}"), "SecretKey(..)");
    for wrong in ["", "short", &SERVER[1..], &"ü".repeat(20), &"~".repeat(40)] {
        assert!(wrong.parse::<PublicKey>().is_err(), "{wrong}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is changed on the way, the other end does not go on.
    #[test]
    fn a_changed_handshake_fails(step in 0_usize..4, at: prop::sample::Index, bit in 0_u8..8) {
        let (client, server) = keys();
        let mut ignored = false;
        let link = handshake(&client, server.public_key(), &server, |now, mut frame| {
            if now == step {
                let at = at.index(frame.len());
                // the padding of HELLO says nothing
                ignored = step == 0 && (8..80).contains(&at);
                frame[at] ^= 1 << bit;
            }
            frame
        });
        prop_assert_eq!(link.is_ok(), ignored);
    }

    #[test]
    fn a_changed_frame_is_refused(at: prop::sample::Index, bit in 0_u8..8) {
        let (client, server) = keys();
        let mut link = handshake(&client, server.public_key(), &server, |_, frame| frame).unwrap();
        let mut frame = Vec::new();
        link.client.0.seal(0, b"an argument", &mut frame);
        let at = at.index(frame.len());
        frame[at] ^= 1 << bit;
        prop_assert!(opened(&mut link.server.1, &frame).is_err());
    }

    /// So is what was cut off, and what somebody else was told.
    #[test]
    fn any_bytes_are_refused(bytes: Vec<u8>, said in 0_usize..9, cut in 0_usize..400) {
        let (client, server) = keys();
        let said = said_by("client").into_iter().chain(said_by("server")).nth(said);
        let bytes = said.map_or(bytes, |frame| frame[..cut.min(frame.len() - 1)].to_vec());
        prop_assert!(Greeted::start(&server, &bytes, &mut OsRng).is_err());
        let (greeting, hello) = Greeting::start(client.clone(), server.public_key(), &mut OsRng);
        prop_assert!(greeting.welcomed(&bytes, b"", &mut OsRng).is_err());
        let (greeted, _) = Greeted::start(&server, &hello, &mut OsRng).unwrap();
        prop_assert!(greeted.initiated(&bytes).is_err());
        let link = handshake(&client, server.public_key(), &server, |_, frame| frame);
        prop_assert!(opened(&mut link.unwrap().server.1, &bytes).is_err());
    }
}
