//! The frames that wait to be written to one link.

use super::frame;
use bytes::Bytes;
use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

/// How many frames leave without waiting for others that are likely to come: with more, the peer would sit idle.
const ENOUGH: usize = 8;

/// The frames that wait for one link, in the order in which they leave.
///
/// It needs no bound of its own: requests are bounded by the window that the peer announced, items by the credit that it gave,
/// and every other frame answers one of those.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    frames: VecDeque<Bytes>,
    writer: Option<Waker>,
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
        self.frames.push_back(frame);
        if self.held && self.frames.len() < ENOUGH {
            None
        } else {
            self.writer.take()
        }
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

    pub(crate) fn len(&self) -> usize {
        self.frames.len()
    }

    /// Takes back a request that has not been written.
    pub(crate) fn withdraw(&mut self, id: u64) -> bool {
        let found = self.frames.iter().position(|waiting| {
            frame::id(waiting) == id && frame::kind(waiting).is_some_and(frame::Kind::is_request)
        });
        found.is_some_and(|at| self.frames.remove(at).is_some())
    }

    /// The ids of the requests that have not been written. Everything that waited is dropped, and nothing is taken any more.
    pub(crate) fn close(&mut self) -> (Vec<u64>, Option<Waker>) {
        self.closed = true;
        let unwritten = self
            .frames
            .drain(..)
            .filter(|waiting| frame::kind(waiting).is_some_and(frame::Kind::is_request))
            .map(|waiting| frame::id(&waiting))
            .collect();
        (unwritten, self.writer.take())
    }

    /// Ready when a frame waits, or the link is closed.
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.closed || !self.frames.is_empty() {
            return Poll::Ready(());
        }
        self.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Moves up to `most` frames into `batch`. `false` once the link is closed.
    pub(crate) fn take(&mut self, batch: &mut Vec<Bytes>, most: usize) -> bool {
        let count = self.frames.len().min(most);
        batch.extend(self.frames.drain(..count));
        !self.closed
    }
}
