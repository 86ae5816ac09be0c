//! Keys with which nothing is secret: whoever shows one is not let in, at either end.

#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing has failed")]

use super::*;
use crypto_box::aead::OsRng;

const WEAK: Option<Broken> = Some(Broken("a key with which nothing is secret"));

/// All points of low order, in each way to write them.
fn weak() -> Vec<[u8; 32]> {
    let small = |first| {
        let mut point = [0; 32];
        point[0] = first;
        point
    };
    // around the prime: one less, the prime, one more
    let large = |first| {
        let mut point = [0xff; 32];
        (point[0], point[31]) = (first, 0x7f);
        point
    };
    let of_order_8 = [
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    ];
    let of_order_8 = of_order_8.map(|hex| {
        let mut point = [0; 32];
        for (at, byte) in point.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap();
        }
        point
    });
    let mut points = vec![small(0), small(1), large(0xec), large(0xed), large(0xee)];
    points.extend(of_order_8);
    // the last bit says nothing
    let marked = points.clone().into_iter().map(|mut point| {
        point[31] |= 0x80;
        point
    });
    points.extend(marked);
    points
}

/// What somebody says who shows any short-term key, with the secret that it makes.
fn hello(transient: &[u8; 32], key: &SalsaBox) -> Vec<u8> {
    let mut hello = b"\x05HELLO\x01\x00".to_vec();
    hello.resize(hello.len() + 72, 0);
    hello.extend_from_slice(transient);
    hello.extend_from_slice(&1_u64.to_be_bytes());
    let nonce = counted(b"CurveZMQHELLO---", 1);
    seal(key, &nonce, &[&[0; 64]], &mut hello);
    hello
}

#[test]
fn a_client_with_a_weak_short_term_key_is_not_let_in() {
    let server = SecretKey::generate();
    for point in weak() {
        let key = SalsaBox::new(&point.into(), &server.0);
        let hello = hello(&point, &key);
        let answer = Greeted::start(&server, &hello, &mut OsRng);
        assert_eq!(answer.err(), WEAK, "{point:02x?}");
    }
}

#[test]
fn a_client_with_a_weak_key_is_not_let_in() {
    let server = SecretKey::generate();
    for point in weak() {
        let transient = crypto_box::SecretKey::generate(&mut OsRng);
        let shown = transient.public_key().to_bytes();
        let key = SalsaBox::new(&server.public_key().inner(), &transient);
        let (greeted, welcome) = Greeted::start(&server, &hello(&shown, &key), &mut OsRng).unwrap();

        let mut rest = welcome.strip_prefix(b"\x07WELCOME").unwrap();
        let nonce = take(&mut rest).unwrap();
        let mut sealed = rest.to_vec();
        let mut opened: &[u8] = open(&key, &random(b"WELCOME-", &nonce), &mut sealed).unwrap();
        let theirs: [u8; 32] = take(&mut opened).unwrap();
        let cookie = opened;

        // nobody needs a secret key to vouch for this one
        let vouching = SalsaBox::new(&point.into(), &SecretKey::generate().0);
        let mut vouch = vec![7; 16];
        let nonce = random(b"VOUCH---", &[7; 16]);
        let vouched = [&shown[..], &server.public_key().0];
        seal(&vouching, &nonce, &vouched, &mut vouch);
        let mut initiate = [b"\x08INITIATE", cookie, &2_u64.to_be_bytes()].concat();
        let key = SalsaBox::new(&theirs.into(), &transient);
        let nonce = counted(b"CurveZMQINITIATE", 2);
        seal(&key, &nonce, &[&point, &vouch], &mut initiate);
        let answer = greeted.initiated(&initiate);
        assert_eq!(answer.err(), WEAK, "{point:02x?}");
    }
}

#[test]
fn a_server_with_a_weak_short_term_key_is_told_nothing() {
    let (client, server) = (SecretKey::generate(), SecretKey::generate());
    for point in weak() {
        let (greeting, hello) = Greeting::start(client.clone(), server.public_key(), &mut OsRng);
        let transient: [u8; 32] = hello[80..112].try_into().unwrap();
        let key = SalsaBox::new(&transient.into(), &server.0);
        let mut welcome = [&b"\x07WELCOME"[..], &[7; 16]].concat();
        let nonce = random(b"WELCOME-", &[7; 16]);
        seal(&key, &nonce, &[&point, &[0; 96]], &mut welcome);
        let answer = greeting.welcomed(&welcome, b"", &mut OsRng);
        assert_eq!(answer.err(), WEAK, "{point:02x?}");
    }
}

#[test]
fn a_weak_key_can_not_be_written() {
    for point in weak() {
        let error = z85::encode(point).parse::<PublicKey>().unwrap_err();
        assert!(error.to_string().contains("rpc-zmq-keygen"), "{error}");
    }
    for _ in 0..100 {
        let key = SecretKey::generate().public_key();
        assert_eq!(key.to_string().parse(), Ok(key));
    }
}
