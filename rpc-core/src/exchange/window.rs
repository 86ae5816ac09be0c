//! The places that an instance gives a client for requests in flight, and the line of those who wait for one.
//!
//! Each request takes a place, and as many bytes as it has. Taking and giving back is one exchange of a word as long as nobody waits;
//! whoever waits is served in turn, and nobody passes in front.

use crate::lock;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use crate::wake::wake;
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

/// Free places are above this, free bytes below. Neither reaches the next, as no window is announced that large.
const PLACE: u64 = 1 << 32;

/// The lock has to be asked: somebody waits, or what comes free is owed, or it is closed.
const SPECIAL: u64 = 1 << 62;
const CLOSED: u64 = 1 << 63;

/// The window of one link. Without any place until it is [resized](Self::resize).
#[derive(Default)]
pub(super) struct Window {
    free: AtomicU64,
    /// How many bytes it has in all.
    bytes: AtomicU32,
    special: Mutex<Special>,
}

#[derive(Default)]
struct Special {
    places: u32,
    /// What is in use although the window has shrunk below it.
    owed_places: u32,
    owed_bytes: u32,
    line: VecDeque<(u64, Waker)>,
    last_ticket: u64,
    closed: bool,
}

/// A place in a window, given back when it is dropped, unless a request was [sent](Self::sent) with it.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    window: &'a Window,
    bytes: u32,
}

/// The link is gone.
#[derive(Debug)]
pub(crate) struct Closed;

impl Place<'_> {
    /// A request has it until it is [given back](Window::give_back): how many bytes that is.
    pub(super) fn sent(self) -> u32 {
        let bytes = self.bytes;
        std::mem::forget(self);
        bytes
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.window.give_back(1, self.bytes);
    }
}

fn places_of(free: u64) -> u32 {
    ((free & !(SPECIAL | CLOSED)) >> 32) as u32
}

fn bytes_of(free: u64) -> u32 {
    (free & (PLACE - 1)) as u32
}

fn word(places: u32, bytes: u32) -> u64 {
    u64::from(places) * PLACE + u64::from(bytes)
}

impl Window {
    /// The part of a request's size that counts: one larger than the window waits for all of it.
    fn counted(&self, len: usize) -> u32 {
        let window = self.bytes.load(Ordering::Relaxed);
        u32::try_from(len).unwrap_or(u32::MAX).min(window)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.free.load(Ordering::Acquire) & CLOSED != 0
    }

    /// Whether there is a place now for a request of this length.
    pub(super) fn has_place(&self, len: usize) -> bool {
        let free = self.free.load(Ordering::Relaxed);
        free & CLOSED == 0 && places_of(free) > 0 && bytes_of(free) >= self.counted(len)
    }

    /// A place, if there is one now and nobody waits for it.
    pub(super) fn try_place(&self, len: usize) -> Option<Place<'_>> {
        self.take(self.counted(len), |free| free & SPECIAL == 0)
            .or_else(|| self.try_special(len))
    }

    #[cold]
    fn try_special(&self, len: usize) -> Option<Place<'_>> {
        let special = lock(&self.special);
        if special.closed || !special.line.is_empty() {
            return None;
        }
        self.take(self.counted(len), |_| true)
    }

    fn take(&self, bytes: u32, may: impl Fn(u64) -> bool) -> Option<Place<'_>> {
        let taken = |free| {
            (may(free) && places_of(free) > 0 && bytes_of(free) >= bytes)
                .then(|| free - word(1, bytes))
        };
        let order = Ordering::AcqRel;
        self.free
            .fetch_update(order, Ordering::Relaxed, taken)
            .ok()
            .map(|_| Place {
                window: self,
                bytes,
            })
    }

    /// Waits for a place, in turn. Cancel safe.
    pub(super) async fn place(&self, len: usize) -> Result<Place<'_>, Closed> {
        let mut ticket = Ticket {
            window: self,
            number: None,
        };
        poll_fn(|cx| ticket.poll(cx, len)).await
    }

    /// Gives back what requests took, so that others may be sent.
    pub(super) fn give_back(&self, places: u32, bytes: u32) {
        let given = |free| (free & SPECIAL == 0).then(|| free + word(places, bytes));
        let order = Ordering::AcqRel;
        if self
            .free
            .fetch_update(order, Ordering::Relaxed, given)
            .is_err()
        {
            self.give_back_special(places, bytes);
        }
    }

    #[cold]
    fn give_back_special(&self, places: u32, bytes: u32) {
        let mut special = lock(&self.special);
        let places = repay(&mut special.owed_places, places);
        let bytes = repay(&mut special.owed_bytes, bytes);
        self.free.fetch_add(word(places, bytes), Ordering::AcqRel);
        let first = self.settle(&special);
        drop(special);
        wake(first);
    }

    /// Makes it larger or smaller. What is in use is not taken back, but does not come free either.
    pub(super) fn resize(&self, places: u32, bytes: u32) {
        let mut special = lock(&self.special);
        // from here on, nothing comes or goes without the lock
        self.free.fetch_or(SPECIAL, Ordering::AcqRel);
        let free = self.free.load(Ordering::Acquire);
        let (free_places, owed_places) = resized(
            (special.places, places),
            (places_of(free), special.owed_places),
        );
        let before = self.bytes.swap(bytes, Ordering::Relaxed);
        let (free_bytes, owed_bytes) =
            resized((before, bytes), (bytes_of(free), special.owed_bytes));
        special.places = places;
        (special.owed_places, special.owed_bytes) = (owed_places, owed_bytes);
        let flags = free & (SPECIAL | CLOSED);
        self.free
            .store(flags | word(free_places, free_bytes), Ordering::Release);
        let first = self.settle(&special);
        drop(special);
        wake(first);
    }

    /// Nobody gets a place any more. Those who wait for one are to be woken.
    #[must_use]
    pub(super) fn close(&self) -> Vec<Waker> {
        let mut special = lock(&self.special);
        special.closed = true;
        self.free.fetch_or(SPECIAL | CLOSED, Ordering::AcqRel);
        let line = std::mem::take(&mut special.line);
        line.into_iter().map(|(_, waiting)| waiting).collect()
    }

    /// After a change with the lock held: says whether it has to be asked from now on, and who is to be woken.
    fn settle(&self, special: &Special) -> Option<Waker> {
        let Special {
            owed_places,
            owed_bytes,
            line,
            closed,
            ..
        } = special;
        if line.is_empty() && *owed_places == 0 && *owed_bytes == 0 && !closed {
            self.free.fetch_and(!SPECIAL, Ordering::AcqRel);
        }
        let (_, first) = line.front()?;
        let has_place = places_of(self.free.load(Ordering::Acquire)) > 0;
        has_place.then(|| first.clone())
    }
}

/// Somebody who may be in the line.
struct Ticket<'a> {
    window: &'a Window,
    number: Option<u64>,
}

impl<'a> Ticket<'a> {
    fn poll(&mut self, cx: &Context<'_>, len: usize) -> Poll<Result<Place<'a>, Closed>> {
        let window = self.window;
        let mut special = lock(&window.special);
        if special.closed {
            return Poll::Ready(Err(Closed));
        }
        // before a look at what is free: what comes free after that asks who waits
        window.free.fetch_or(SPECIAL, Ordering::AcqRel);
        let first = special.line.front().map(|(first, _)| *first);
        let is_next = first.is_none() || first == self.number;
        // the window may have changed since it was asked last
        let counted = window.counted(len);
        if is_next && let Some(place) = window.take(counted, |_| true) {
            if self.number.take().is_some() {
                special.line.pop_front();
            }
            let next = window.settle(&special);
            drop(special);
            wake(next);
            return Poll::Ready(Ok(place));
        }
        let number = *self.number.get_or_insert_with(|| {
            special.last_ticket += 1;
            special.last_ticket
        });
        let known = special.line.iter_mut().find(|(other, _)| *other == number);
        match known {
            Some((_, waker)) => waker.clone_from(cx.waker()),
            None => special.line.push_back((number, cx.waker().clone())),
        }
        Poll::Pending
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let Some(number) = self.number else {
            return;
        };
        let mut special = lock(&self.window.special);
        special.line.retain(|(other, _)| *other != number);
        let next = self.window.settle(&special);
        drop(special);
        wake(next);
    }
}

/// What is free and owed of a window that had a size and gets another.
fn resized((before, after): (u32, u32), (free, mut owed): (u32, u32)) -> (u32, u32) {
    if after >= before {
        let more = repay(&mut owed, after - before);
        return (free + more, owed);
    }
    let less = before - after;
    let taken = less.min(free);
    (free - taken, owed + less - taken)
}

/// How much of what comes free is given out: first what is owed is paid.
fn repay(owed: &mut u32, freed: u32) -> u32 {
    let paid = freed.min(*owed);
    *owed -= paid;
    freed - paid
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let free = self.free.load(Ordering::Relaxed);
        f.debug_struct("Window")
            .field("free_places", &places_of(free))
            .field("free_bytes", &bytes_of(free))
            .finish_non_exhaustive()
    }
}
