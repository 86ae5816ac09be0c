//! The 64 bytes that a connection begins with.
//!
//! ```text
//! 0xff, 8 bytes of padding, 0x7f | major, minor | mechanism: 20 | as-server: 1 | filler: 31
//! ```

use super::text;

/// How many bytes a greeting has.
pub(super) const LEN: usize = 64;

const MAJOR: u8 = 3;
const MINOR: u8 = 1;

/// What a peer said of itself in its greeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Greeting {
    /// Whether it speaks ZMTP 3.1, which has PING and PONG, or only 3.0.
    pub(super) pings: bool,
}

/// The greeting of this side. Of a mechanism with a client and a server, it says which this side is; libzmq does not, so it is
/// not asked of a peer.
pub(super) fn ours(mechanism: &[u8], as_server: bool) -> [u8; LEN] {
    let mut greeting = [0; LEN];
    greeting[0] = 0xff;
    greeting[9] = 0x7f;
    greeting[10] = MAJOR;
    greeting[11] = MINOR;
    greeting[12..12 + mechanism.len()].copy_from_slice(mechanism);
    greeting[32] = u8::from(as_server);
    greeting
}

/// Reads a greeting, as far as it has come: `None` if there must come more. What is wrong is said at the first byte that is.
pub(super) fn parse(bytes: &[u8], mechanism: &[u8]) -> Result<Option<Greeting>, String> {
    if bytes.first().is_some_and(|first| *first != 0xff)
        || bytes.get(9).is_some_and(|last| last & 1 == 0)
    {
        return Err("it does not speak ZeroMQ".into());
    }
    if bytes.get(10).is_some_and(|major| *major < MAJOR) {
        return Err("it speaks a version of ZMTP before 3.0".into());
    }
    let Some(greeting) = bytes.first_chunk::<LEN>() else {
        return Ok(None);
    };
    let named = &greeting[12..32];
    let len = named.iter().position(|byte| *byte == 0).unwrap_or(20);
    if &named[..len] != mechanism || named[len..].iter().any(|byte| *byte != 0) {
        return Err(format!(
            "it wants the security mechanism {}, and here it is {}",
            text(&named[..len]),
            text(mechanism)
        ));
    }
    Ok(Some(Greeting {
        pings: (greeting[10], greeting[11]) >= (MAJOR, MINOR),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NULL: &[u8] = b"NULL";

    /// What libzmq 4.3.5 sends.
    fn libzmq() -> [u8; LEN] {
        let mut bytes = [0; LEN];
        bytes[..16].copy_from_slice(b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL");
        bytes
    }

    #[test]
    fn of_this_side() {
        let bytes = ours(NULL, false);
        assert_eq!(&bytes[..16], b"\xff\0\0\0\0\0\0\0\0\x7f\x03\x01NULL");
        assert_eq!(bytes[16..], [0; 48]);
        assert_eq!(parse(&bytes, NULL), Ok(Some(Greeting { pings: true })));
        assert_eq!(
            ours(b"CURVE", true)[12..34],
            *b"CURVE\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0"
        );
    }

    #[test]
    fn of_3_1_and_of_3_0() {
        assert_eq!(parse(&libzmq(), NULL), Ok(Some(Greeting { pings: true })));
        let mut old = libzmq();
        old[11] = 0;
        assert_eq!(parse(&old, NULL), Ok(Some(Greeting { pings: false })));
        let mut newer = libzmq();
        newer[10] = 4;
        assert_eq!(parse(&newer, NULL), Ok(Some(Greeting { pings: true })));
    }

    #[test]
    fn waits_for_all_of_it() {
        for len in 0..LEN {
            assert_eq!(parse(&libzmq()[..len], NULL), Ok(None), "{len}");
        }
    }

    #[test]
    fn what_is_refused_at_its_first_wrong_byte() {
        for (at, byte, end, expected) in [
            (0, b'G', 1, "does not speak"),
            (9, 0, 10, "does not speak"),
            (10, 1, 11, "before 3.0"),
            (10, 2, 11, "before 3.0"),
            (12, b'M', 64, "MULL"),
            (31, b'x', 64, "NULL"),
        ] {
            let mut bytes = libzmq();
            bytes[at] = byte;
            let error = parse(&bytes[..end], NULL).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        let mut curve = libzmq();
        curve[12..17].copy_from_slice(b"CURVE");
        let error = parse(&curve, NULL).unwrap_err();
        assert!(error.contains("CURVE"), "{error}");
    }
}
