//! From frames to bytes: what leaves together. No I/O.

use super::head::{self, Kind};
use bytes::Bytes;
use std::io::IoSlice;

/// Frames up to this size are copied behind each other; larger ones are written from where they are.
const COPIED: usize = 2 * 1024;

/// Frames leave in one message up to this size. A message has a limit at the peer, and no meaning of its own.
const MESSAGE: usize = 64 * 1024;

/// Memory above this is given back after it was used; what is below, when nothing leaves for a while.
const KEPT: usize = 16 * 1024;

/// Frames as they are to be written.
#[derive(Debug, Default)]
pub(super) struct Outlet {
    /// Heads, small frames and commands.
    copied: Vec<u8>,
    /// Large frames, and where in `copied` they come.
    large: Vec<(usize, Bytes)>,
}

impl Outlet {
    /// Adds frames, and leaves the vector empty.
    pub(super) fn put(&mut self, frames: &mut Vec<Bytes>) {
        const HEAD: usize = 9;
        let sizes = frames.iter().map(|frame| HEAD + copied_size(frame));
        self.copied.reserve(sizes.sum());
        let mut message = 0;
        let mut rest = frames.drain(..).peekable();
        while let Some(frame) = rest.next() {
            message += frame.len();
            let more = rest
                .peek()
                .is_some_and(|next| message + next.len() <= MESSAGE);
            if !more {
                message = 0;
            }
            head::put(&mut self.copied, Kind::Part { more }, frame.len());
            if frame.len() <= COPIED {
                self.copied.extend_from_slice(&frame);
            } else {
                self.large.push((self.copied.len(), frame));
            }
        }
    }

    /// Adds commands, which are frames already.
    pub(super) fn put_commands(&mut self, commands: &[u8]) {
        self.copied.extend_from_slice(commands);
    }

    /// What is to be written, in order.
    pub(super) fn slices(&self) -> Vec<IoSlice<'_>> {
        let mut slices = Vec::with_capacity(2 * self.large.len() + 1);
        let mut from = 0;
        for (at, frame) in &self.large {
            slices.push(IoSlice::new(&self.copied[from..*at]));
            slices.push(IoSlice::new(frame));
            from = *at;
        }
        if from < self.copied.len() {
            slices.push(IoSlice::new(&self.copied[from..]));
        }
        slices
    }

    /// All has been written.
    pub(super) fn clear(&mut self) {
        self.large.clear();
        if self.copied.capacity() > KEPT {
            self.copied = Vec::new();
        } else {
            self.copied.clear();
        }
    }
}

fn copied_size(frame: &Bytes) -> usize {
    if frame.len() <= COPIED {
        frame.len()
    } else {
        0
    }
}
