//! The headers of failures, and those that are one or two numbers.

use super::header::{Fields, HeaderWriter};
use super::{Kind, with_header};
use crate::codec::Error;
use crate::text;
use bytes::Bytes;

/// The kind under which a method's own error travels; its value is in the body.
pub(crate) const METHOD_ERROR: &str = "Method";

/// Writes a failure.
pub(crate) fn fail(id: u64, kind: &str, message: &str) -> Bytes {
    // a header ends at 64 KiB, and nobody reads longer texts
    let message = text::shown(message);
    with_header(Kind::Fail, id, |header| {
        header.array(2);
        header.str(kind);
        header.str(&message);
    })
}

/// Reads the header of a failure: its kind and message.
pub(crate) fn parse_fail(header: &[u8]) -> Result<(&str, &str), Error> {
    let mut fields = Fields::new(header, 2)?;
    Ok((fields.str()?, fields.str()?))
}

/// Writes or reads headers that are one or two numbers.
pub(crate) fn numbers<const N: usize>(kind: Kind, id: u64, numbers: [u64; N]) -> Bytes {
    with_header(kind, id, |header| {
        header.array(N);
        for number in numbers {
            header.uint(number);
        }
    })
}

/// A header of some numbers, to be put in front of a body.
pub(crate) fn numbers_header<const N: usize>(numbers: [u64; N]) -> Vec<u8> {
    let mut header = HeaderWriter(Vec::with_capacity(1 + 9 * N));
    header.array(N);
    for number in numbers {
        header.uint(number);
    }
    header.0
}

pub(crate) fn parse_numbers<const N: usize>(header: &[u8]) -> Result<[u64; N], Error> {
    let mut fields = Fields::new(header, N)?;
    let mut numbers = [0; N];
    for number in &mut numbers {
        *number = fields.uint()?;
    }
    Ok(numbers)
}
