//! Heartbeats: which requests are queued or running.

use super::header::{Fields, HeaderWriter};
use super::{Kind, prepend};
use crate::codec::{Encoded, Error, Reader};
use bytes::Bytes;

/// How many requests one frame lists at most.
const MOST: usize = 1024;

/// Writes that these requests are queued or running, in as many frames as it takes.
pub(crate) fn running(ids: &[u64]) -> impl Iterator<Item = Bytes> {
    ids.chunks(MOST).filter_map(|ids| {
        let mut body = HeaderWriter(Vec::with_capacity(3 + 9 * ids.len()));
        body.array(ids.len());
        for id in ids {
            body.uint(*id);
        }
        let mut frame = Encoded::copy_of(&body.0);
        // without a header, there is none that could be too long
        prepend(&mut frame, Kind::Running, 0, &[]).ok()?;
        Some(frame.into_bytes())
    })
}

/// Reads the ids, one after another.
pub(crate) fn parse_running(body: &[u8], mut each: impl FnMut(u64)) -> Result<(), Error> {
    let mut fields = Fields(Reader::new(body));
    for _ in 0..fields.array()? {
        each(fields.uint()?);
    }
    match fields.is_there() {
        true => Err(Error::new("bytes follow the ids")),
        false => Ok(()),
    }
}
