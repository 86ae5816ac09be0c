//! The frames that wait to be written to one link.

use super::frame;
use bytes::Bytes;
use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

/// How many frames leave without waiting for others that are likely to come: with more, the peer would sit idle.
const ENOUGH: usize = 8;

/// How many bytes are handed on at a time, but for one frame that has more: what is handed on counts no more as waiting.
const TOGETHER: usize = 256 * 1024;

/// What a frame takes besides its bytes.
const FRAME: usize = 128;

/// The frames that wait for one link, in the order in which they leave.
///
/// On a client's end, requests are bounded by the window that the peer announced, and the rest by the requests. On an instance's
/// end, items are bounded by credit, and [`ServerLink`](super::ServerLink) bounds the rest.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    frames: VecDeque<Bytes>,
    writer: Option<Waker>,
    /// How many of them are no items of streams, which credit bounds.
    answers: usize,
    /// How much memory all of them take.
    bytes: usize,
    /// And what was taken last, until it has been handed on.
    taken: usize,
    /// The writer is left alone: more frames are about to come.
    held: bool,
    closed: bool,
}

impl Outbox {
    /// Adds a frame. The waker, if there is one, is to be woken when the lock has been given back.
    #[must_use]
    pub(crate) fn push(&mut self, frame: Bytes) -> Option<Waker> {
        if self.closed {
            return None;
        }
        self.answers += usize::from(is_answer(&frame));
        self.bytes += memory(&frame);
        self.frames.push_back(frame);
        if self.held && self.frames.len() < ENOUGH {
            None
        } else {
            self.writer.take()
        }
    }

    /// Whoever waits for frames to write, to be woken for another reason.
    pub(crate) fn writer(&mut self) -> Option<Waker> {
        self.writer.take()
    }

    /// Whether so many frames wait that it is not worth to wait for more.
    pub(crate) fn has_enough(&self) -> bool {
        self.frames.len() >= ENOUGH
    }

    /// Until it is released, the writer is not woken.
    pub(crate) fn hold(&mut self) {
        self.held = true;
    }

    #[must_use]
    pub(crate) fn release(&mut self) -> Option<Waker> {
        self.held = false;
        if self.frames.is_empty() {
            None
        } else {
            self.writer.take()
        }
    }

    /// How many frames wait that are no items of streams.
    pub(crate) fn answers(&self) -> usize {
        self.answers
    }

    /// How much memory is taken by what waits.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The same, and what was taken last and may not have been handed on yet.
    pub(crate) fn held(&self) -> usize {
        self.bytes + self.taken
    }

    /// Whether everything has been handed to whoever writes.
    pub(crate) fn is_flushed(&self) -> bool {
        self.frames.is_empty() && self.taken == 0
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(crate) fn has_several(&self) -> bool {
        self.frames.len() > 1
    }

    /// Takes back a request that has not been written.
    pub(crate) fn withdraw(&mut self, id: u64) -> bool {
        self.take_out(|waiting| {
            frame::id(waiting) == id && frame::kind(waiting).is_some_and(frame::Kind::is_request)
        })
    }

    /// Takes back a frame of this kind that has not been written.
    pub(crate) fn remove(&mut self, kind: frame::Kind) {
        self.take_out(|waiting| frame::kind(waiting) == Some(kind));
    }

    fn take_out(&mut self, is_meant: impl Fn(&[u8]) -> bool) -> bool {
        let found = self.frames.iter().position(|waiting| is_meant(waiting));
        let Some(taken) = found.and_then(|at| self.frames.remove(at)) else {
            return false;
        };
        self.answers -= usize::from(is_answer(&taken));
        self.bytes -= memory(&taken);
        true
    }

    /// The ids of the requests that have not been written. Everything that waited is dropped, and nothing is taken any more.
    pub(crate) fn close(&mut self) -> (Vec<u64>, Option<Waker>) {
        self.closed = true;
        self.answers = 0;
        self.bytes = 0;
        self.taken = 0;
        let unwritten = std::mem::take(&mut self.frames)
            .into_iter()
            .filter(|waiting| frame::kind(waiting).is_some_and(frame::Kind::is_request))
            .map(|waiting| frame::id(&waiting))
            .collect();
        (unwritten, self.writer.take())
    }

    /// Ready when a frame waits, or the link is closed.
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // whoever asks for more has handed on what it took
        self.taken = 0;
        if self.closed || !self.frames.is_empty() {
            return Poll::Ready(());
        }
        self.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Moves up to `most` frames into `batch`. `false` once the link is closed.
    pub(crate) fn take(&mut self, batch: &mut Vec<Bytes>, most: usize) -> bool {
        let count = self.frames.len().min(most);
        // and room for what a transport puts in front
        batch.reserve(count + 1);
        let (mut bytes, before) = (0, self.bytes);
        for _ in 0..count {
            let next = self.frames.front();
            if bytes > 0 && next.is_some_and(|next| bytes + next.len() > TOGETHER) {
                break;
            }
            let Some(frame) = self.frames.pop_front() else {
                break;
            };
            bytes += frame.len();
            self.bytes -= memory(&frame);
            self.answers -= usize::from(is_answer(&frame));
            batch.push(frame);
        }
        self.taken = before - self.bytes;
        !self.closed
    }
}

/// How much memory a frame takes that waits.
fn memory(frame: &[u8]) -> usize {
    frame.len() + FRAME
}

fn is_answer(frame: &[u8]) -> bool {
    frame::kind(frame) != Some(frame::Kind::Items)
}
