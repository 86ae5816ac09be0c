//! The headers of failures, and those that are one or two numbers.

use super::header::{Fields, HeaderWriter};
use super::{Kind, with_header};
use crate::codec::Error;
use crate::{MAX_TRACEBACK, text};
use bytes::Bytes;

/// The kind under which a method's own error travels; its value is in the body.
pub(crate) const METHOD_ERROR: &str = "Method";

/// Writes a failure, perhaps with where it happened.
pub(crate) fn fail(id: u64, kind: &str, message: &str, traceback: Option<&str>) -> Bytes {
    // a header ends at 64 KiB, and nobody reads longer texts
    let message = text::shown(message);
    let traceback = traceback.map(|traceback| text::block(traceback, MAX_TRACEBACK));
    with_header(Kind::Fail, id, |header| {
        header.array(2 + usize::from(traceback.is_some()));
        header.str(kind);
        header.str(&message);
        if let Some(traceback) = traceback {
            header.str(&traceback);
        }
    })
}

/// Why a request failed, as its server says it.
#[derive(Debug)]
pub(crate) struct Fail<'a> {
    pub(crate) kind: &'a str,
    pub(crate) message: &'a str,
    pub(crate) traceback: Option<&'a str>,
}

/// Reads the header of a failure.
pub(crate) fn parse_fail(header: &[u8]) -> Result<Fail<'_>, Error> {
    let mut fields = Fields::new(header, 2)?;
    let (kind, message) = (fields.str()?, fields.str()?);
    let traceback = match fields.is_there() {
        true => fields.optional_str()?,
        false => None,
    };
    Ok(Fail {
        kind,
        message,
        traceback,
    })
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
