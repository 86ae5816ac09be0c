//! Commands: what engines say to each other between messages.

use super::head::{self, Kind};
use super::text;

/// How long a command may be, but in a handshake.
pub(super) const LONGEST: u64 = 512;

/// The context of a PING may have so many bytes; it comes back in the PONG.
const CONTEXT: usize = 16;

/// A command that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command<'a> {
    /// The end of a handshake: properties of the peer.
    Ready(&'a [u8]),
    /// The peer gives up, and says why.
    Error(&'a [u8]),
    /// The peer asks for a PONG with this context.
    Ping(&'a [u8]),
    Pong,
    /// A command of an extension that this side does not have.
    Other(&'a [u8]),
}

/// Reads the body of a command.
pub(super) fn parse(body: &[u8]) -> Result<Command<'_>, String> {
    let named = body
        .split_first()
        .and_then(|(len, rest)| rest.split_at_checked(usize::from(*len)));
    let Some((name, rest)) = named.filter(|(name, _)| !name.is_empty()) else {
        return Err("a command has no name".into());
    };
    let context = |skipped: usize| match rest.get(skipped..) {
        Some(context) if context.len() <= CONTEXT => Ok(context),
        _ => Err(format!("a {} of {} bytes", text(name), rest.len())),
    };
    Ok(match name {
        b"READY" => Command::Ready(rest),
        b"ERROR" => {
            let reason = rest
                .split_first()
                .and_then(|(len, rest)| rest.get(..usize::from(*len)));
            Command::Error(reason.unwrap_or_default())
        }
        // two bytes say how long the peer would like to be waited for; here that is configured
        b"PING" => Command::Ping(context(2)?),
        b"PONG" => context(0).map(|_| Command::Pong)?,
        other => Command::Other(other),
    })
}

/// Writes a command, as a frame.
fn put(out: &mut Vec<u8>, name: &[u8], rest: &[&[u8]]) {
    let len = 1 + name.len() + rest.iter().map(|part| part.len()).sum::<usize>();
    head::put(out, Kind::Command, len);
    // names of ours are short
    out.push(u8::try_from(name.len()).unwrap_or(0));
    out.extend_from_slice(name);
    for part in rest {
        out.extend_from_slice(part);
    }
}

/// Asks for a PONG. The peer need not give up by itself.
pub(super) fn put_ping(out: &mut Vec<u8>) {
    put(out, b"PING", &[&[0, 0]]);
}

pub(super) fn put_pong(out: &mut Vec<u8>, context: &[u8]) {
    put(out, b"PONG", &[context]);
}

/// The end of a handshake.
pub(super) fn put_ready(out: &mut Vec<u8>, socket_type: &str) {
    put(out, b"READY", &[&self::socket_type(socket_type)]);
}

/// The properties of this side: only one, the type of its socket.
pub(super) fn socket_type(socket_type: &str) -> Vec<u8> {
    const NAME: &[u8] = b"\x0bSocket-Type";
    let len = u32::try_from(socket_type.len()).unwrap_or(0).to_be_bytes();
    [NAME, &len, socket_type.as_bytes()].concat()
}

/// Gives up a handshake.
pub(super) fn put_error(out: &mut Vec<u8>, reason: &str) {
    let reason = &reason.as_bytes()[..reason.len().min(usize::from(u8::MAX))];
    let len = u8::try_from(reason.len()).unwrap_or(0);
    put(out, b"ERROR", &[&[len], reason]);
}

/// The value of one property in a READY, whose names are compared without regard to case. All of it must be well formed.
pub(super) fn property<'a>(mut rest: &'a [u8], wanted: &str) -> Result<Option<&'a [u8]>, String> {
    let mut found = None;
    while let Some((len, after)) = rest.split_first() {
        let split = after
            .split_at_checked(usize::from(*len))
            .and_then(|(name, after)| {
                let (len, after) = after.split_first_chunk()?;
                let len = usize::try_from(u32::from_be_bytes(*len)).ok()?;
                let (value, after) = after.split_at_checked(len)?;
                Some((name, value, after))
            });
        let Some((name, value, after)) = split.filter(|(name, ..)| !name.is_empty()) else {
            return Err("the properties in its READY can't be read".into());
        };
        if name.eq_ignore_ascii_case(wanted.as_bytes()) && found.replace(value).is_some() {
            return Err(format!("its READY has {wanted} twice"));
        }
        rest = after;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_bytes() {
        let mut out = Vec::new();
        put_ready(&mut out, "DEALER");
        assert_eq!(out, b"\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06DEALER");
        out.clear();
        put_ping(&mut out);
        assert_eq!(out, b"\x04\x07\x04PING\0\0");
        out.clear();
        put_pong(&mut out, b"ctx");
        assert_eq!(out, b"\x04\x08\x04PONGctx");
        out.clear();
        put_error(&mut out, "no");
        assert_eq!(out, b"\x04\x09\x05ERROR\x02no");
    }

    #[test]
    fn read() {
        assert_eq!(parse(b"\x04PING\0\x05abc"), Ok(Command::Ping(b"abc")));
        assert_eq!(parse(b"\x04PONG"), Ok(Command::Pong));
        assert_eq!(parse(b"\x05ERROR\x02no"), Ok(Command::Error(b"no")));
        assert_eq!(parse(b"\x05ERROR\x09no"), Ok(Command::Error(b"")));
        assert_eq!(parse(b"\x09SUBSCRIBEx"), Ok(Command::Other(b"SUBSCRIBE")));
    }

    #[test]
    fn malformed() {
        assert!(parse(b"").is_err());
        assert!(parse(b"\0").is_err());
        assert!(parse(b"\x05READ").is_err());
        assert!(parse(b"\x04PING\0").is_err());
        assert!(parse(b"\x04PING\0\0aaaaaaaaaaaaaaaaa").is_err());
    }

    #[test]
    fn properties() {
        let ready = b"\x0bsocket-type\0\0\0\x06DEALER\x08Identity\0\0\0\0";
        assert_eq!(property(ready, "Socket-Type"), Ok(Some(&b"DEALER"[..])));
        assert_eq!(property(ready, "Identity"), Ok(Some(&b""[..])));
        assert_eq!(property(ready, "Resource"), Ok(None));
        assert!(property(b"\x01x\0\0\0\x09y", "Identity").is_err());
        assert!(property(b"\0\0\0\0\0", "Identity").is_err());
        assert!(property(b"\x01x\0\0\0\0\x01X\0\0\0\0", "x").is_err());
    }
}
