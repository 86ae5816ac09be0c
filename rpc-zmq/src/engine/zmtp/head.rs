//! What stands in front of each frame: a byte of flags, and the length in one byte or in eight.

const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// A command within a frame that is sealed.
const SEALED_COMMAND: u8 = 2;

/// What stands in front of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: Kind,
    /// How long the frame is, as announced.
    pub(super) len: u64,
    /// How many bytes the head itself has.
    pub(super) size: usize,
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A part of a message. `more` parts of it follow, or it is the last.
    Part { more: bool },
    /// A message from one engine to the other.
    Command,
}

/// Reads a head. `None` if there must come more of it.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<Head>, String> {
    let Some((&flags, rest)) = bytes.split_first() else {
        return Ok(None);
    };
    let kind = match flags & !LONG {
        0 => Kind::Part { more: false },
        MORE => Kind::Part { more: true },
        COMMAND => Kind::Command,
        _ => {
            return Err(format!(
                "a frame has the flags {flags:#04x}, which mean nothing"
            ));
        }
    };
    let (len, size) = if flags & LONG == 0 {
        (rest.first().map(|len| u64::from(*len)), 2)
    } else {
        (rest.first_chunk().map(|len| u64::from_be_bytes(*len)), 9)
    };
    Ok(len.map(|len| Head { kind, len, size }))
}

/// What a frame is that was sealed in another.
pub(super) fn sealed_kind(flags: u8) -> Result<Kind, String> {
    match flags {
        0 => Ok(Kind::Part { more: false }),
        MORE => Ok(Kind::Part { more: true }),
        SEALED_COMMAND => Ok(Kind::Command),
        _ => Err(format!(
            "a sealed frame has the flags {flags:#04x}, which mean nothing"
        )),
    }
}

/// The flags of a frame that is going to be sealed in another.
pub(super) fn sealed_flags(kind: Kind) -> u8 {
    match kind {
        Kind::Part { more } => u8::from(more),
        Kind::Command => SEALED_COMMAND,
    }
}

/// Writes the head of a frame.
pub(super) fn put(out: &mut Vec<u8>, kind: Kind, len: usize) {
    let flags = match kind {
        Kind::Part { more } => u8::from(more),
        Kind::Command => COMMAND,
    };
    match u8::try_from(len) {
        Ok(len) => out.extend_from_slice(&[flags, len]),
        Err(_) => {
            out.push(flags | LONG);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(kind: Kind, len: usize) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out, kind, len);
        out
    }

    #[test]
    fn short_and_long() {
        let last = Kind::Part { more: false };
        assert_eq!(written(last, 255), [0, 255]);
        assert_eq!(written(last, 256), [2, 0, 0, 0, 0, 0, 0, 1, 0]);
        assert_eq!(written(Kind::Part { more: true }, 0), [1, 0]);
        assert_eq!(written(Kind::Command, 5), [4, 5]);
        for (kind, len) in [(last, 0), (last, 70_000), (Kind::Command, 300)] {
            let bytes = written(kind, len);
            let head = parse(&bytes).unwrap().unwrap();
            assert_eq!(
                (head.kind, head.len, head.size),
                (kind, len as u64, bytes.len())
            );
            assert_eq!(parse(&bytes[..bytes.len() - 1]), Ok(None));
        }
    }

    #[test]
    fn flags_that_mean_nothing_are_errors() {
        // a command of several parts, and the reserved ones
        for flags in [0x05, 0x07, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff] {
            assert!(parse(&[flags]).is_err(), "{flags:#x}");
        }
    }
}
