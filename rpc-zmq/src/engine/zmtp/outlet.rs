//! From frames to bytes: what leaves together. No I/O.

use super::head::{self, Kind};
use crate::curve::{OVERHEAD, Sealer};
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
    /// Seals what leaves, if that is agreed on. All of it is in `copied` then.
    sealer: Option<Sealer>,
    /// Heads, small frames and commands.
    copied: Vec<u8>,
    /// Large frames, and where in `copied` they come.
    large: Vec<(usize, Bytes)>,
}

impl Outlet {
    pub(super) fn new(sealer: Option<Sealer>) -> Self {
        Self {
            sealer,
            ..Self::default()
        }
    }

    /// Adds frames, and leaves the vector empty.
    pub(super) fn put(&mut self, frames: &mut Vec<Bytes>) {
        const HEAD: usize = 9;
        let sealed = self.sealer.is_some();
        let sizes = frames.iter().map(|frame| match sealed {
            true => HEAD + OVERHEAD + frame.len(),
            false => HEAD + copied_size(frame),
        });
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
            let kind = Kind::Part { more };
            if let Some(sealer) = &mut self.sealer {
                seal(sealer, kind, &frame, &mut self.copied);
                continue;
            }
            head::put(&mut self.copied, kind, frame.len());
            if frame.len() <= COPIED {
                self.copied.extend_from_slice(&frame);
            } else {
                self.large.push((self.copied.len(), frame));
            }
        }
    }

    /// Adds commands, which are frames already.
    pub(super) fn put_commands(&mut self, commands: &[u8]) {
        let Some(sealer) = &mut self.sealer else {
            self.copied.extend_from_slice(commands);
            return;
        };
        let mut rest = commands;
        // they are of this side, and whole
        while let Ok(Some(head)) = head::parse(rest) {
            let len = usize::try_from(head.len).unwrap_or(usize::MAX);
            let (frame, after) = rest.split_at(rest.len().min(head.size.saturating_add(len)));
            seal(sealer, head.kind, &frame[head.size..], &mut self.copied);
            rest = after;
        }
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

    /// Nothing leaves for a while: all memory is given back.
    pub(super) fn rest(&mut self) {
        (self.copied, self.large) = (Vec::new(), Vec::new());
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

/// Adds a frame that holds another.
fn seal(sealer: &mut Sealer, kind: Kind, body: &[u8], out: &mut Vec<u8>) {
    head::put(out, Kind::Part { more: false }, body.len() + OVERHEAD);
    sealer.seal(head::sealed_flags(kind), body, out);
}

fn copied_size(frame: &Bytes) -> usize {
    if frame.len() <= COPIED {
        frame.len()
    } else {
        0
    }
}
