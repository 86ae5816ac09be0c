//! A client's end of a link to one instance: which requests are in flight on it, and who waits for them.

use super::Rights;
use super::frame::{self, Announcement, Credit, Frame, Kind};
use super::ids::IdMap;
use super::outbox::{Outbox, wake};
use super::routes::Route;
use super::stream::StreamQueue;
use super::waiting::{Answer, Waiting};
use crate::codec::Encoded;
use crate::lock;
use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sync::{Mutex, MutexGuard};
use bytes::Bytes;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::Instant;

/// A request in flight, and what it takes of the window.
#[derive(Debug)]
struct InWindow {
    waiting: Waiting,
    bytes: u32,
    /// When the instance last said that it is queued or running.
    heard: Option<Instant>,
}

/// A client's end of a link to one instance.
///
/// The transport writes what [`next_frames`](Self::next_frames) gives it, and hands what arrives to
/// [`Outbound::receive`](super::Outbound::receive).
pub struct ClientLink {
    address: Arc<str>,
    /// Nobody restricts the node without.
    rights: Option<Arc<dyn Rights>>,
    state: Mutex<State>,
    /// The places in the window that the instance announced. Closed when the link is.
    places: Semaphore,
    bytes: Semaphore,
    window_bytes: AtomicU32,
}

#[derive(Debug, Default)]
struct State {
    last_id: u64,
    waiting: IdMap<InWindow>,
    outbox: Outbox,
    announced: Option<Arc<Announcement>>,
    /// Places that are in use although the window has shrunk below them.
    debt: Debt,
    /// Who is going to send something on it.
    kept: usize,
    /// Why the link is gone.
    lost: Option<String>,
}

#[derive(Debug, Default)]
struct Debt {
    places: u32,
    bytes: u32,
}

impl State {
    /// Whether the server is not stopping, by what was announced last.
    fn still_serves(&self, route: &Route) -> bool {
        self.announced.as_ref().is_some_and(|announced| {
            Arc::ptr_eq(announced, &route.announcement) || announced.serves(&route.service)
        })
    }
}

/// An instance, and the key that it has proved.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    key: Option<Box<[u8]>>,
    instance: [u8; 16],
}

/// Keeps a link of use, until it is dropped.
#[derive(Debug)]
pub(crate) struct Kept(Arc<ClientLink>);

impl Drop for Kept {
    fn drop(&mut self) {
        lock(&self.0.state).kept -= 1;
    }
}

impl ClientLink {
    pub(crate) fn new(address: Arc<str>, rights: Option<Arc<dyn Rights>>) -> Self {
        let link = Self {
            address,
            rights,
            state: Mutex::default(),
            places: Semaphore::new(0),
            bytes: Semaphore::new(0),
            window_bytes: AtomicU32::new(0),
        };
        let protocol = u64::from(frame::PROTOCOL);
        let _ = lock(&link.state)
            .outbox
            .push(frame::numbers(Kind::Hello, 0, [protocol, protocol]));
        link
    }

    pub(crate) fn address(&self) -> &Arc<str> {
        &self.address
    }

    /// Whether the node may have this server.
    pub(crate) fn may_announce(&self, exchange: &str, topic: &str, server: &str) -> bool {
        let rights = self.rights.as_ref();
        rights.is_none_or(|rights| rights.may_announce(exchange, topic, server))
    }

    /// Who is there, if it is this instance: its id is no secret, so whoever has proved another key is another.
    pub(crate) fn identity(&self, instance: [u8; 16]) -> Identity {
        let rights = self.rights.as_ref();
        Identity {
            key: rights.map(|rights| rights.key().into()),
            instance,
        }
    }

    pub(crate) fn announced(&self) -> Option<Arc<Announcement>> {
        lock(&self.state).announced.clone()
    }

    /// Whether the instance has announced itself on it.
    #[must_use]
    pub fn was_announced(&self) -> bool {
        lock(&self.state).announced.is_some()
    }

    /// Until it is released, what is sent is not written: more is about to come.
    pub(crate) fn hold(&self) {
        lock(&self.state).outbox.hold();
    }

    pub(crate) fn release(&self) {
        let writer = lock(&self.state).outbox.release();
        wake(writer);
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.places.is_closed()
    }

    /// Whether there is a place now for a request of so many bytes.
    pub(crate) fn has_place(&self, bytes: usize) -> bool {
        self.places.available_permits() > 0
            && self.bytes.available_permits() >= self.counted(bytes) as usize
    }

    /// Waits for frames that are to be written, and moves up to `most` into `batch`. `false` once the link is closed.
    ///
    /// Cancel safe: frames are taken only when it returns.
    pub async fn next_frames(&self, batch: &mut Vec<Bytes>, most: usize) -> bool {
        poll_fn(|cx| lock(&self.state).outbox.poll_ready(cx)).await;
        // with more than one request in flight, others are likely to be just about to be sent: they leave together
        let busy = {
            let state = lock(&self.state);
            state.waiting.len() > 1 && !state.outbox.has_enough()
        };
        if busy {
            tokio::task::yield_now().await;
        }
        lock(&self.state).outbox.take(batch, most)
    }

    /// Whether nothing waits to be written.
    #[must_use]
    pub fn is_flushed(&self) -> bool {
        lock(&self.state).outbox.is_flushed()
    }

    /// A place in the window, if there is one now.
    pub(crate) fn try_place(&self, bytes: u32) -> Option<Place<'_>> {
        let place = self.places.try_acquire().ok()?;
        let bytes = self.bytes.try_acquire_many(bytes).ok()?;
        Some(Place { place, bytes })
    }

    /// Waits for a place in the window.
    pub(crate) async fn place(&self, bytes: u32) -> Result<Place<'_>, Closed> {
        let place = self.places.acquire().await.map_err(|_| Closed)?;
        let bytes = self.bytes.acquire_many(bytes).await.map_err(|_| Closed)?;
        Ok(Place { place, bytes })
    }

    /// The part of a request's size that counts: one larger than the window waits for all of it.
    pub(crate) fn counted(&self, bytes: usize) -> u32 {
        let window = self.window_bytes.load(Ordering::Relaxed);
        u32::try_from(bytes).unwrap_or(u32::MAX).min(window)
    }

    /// Puts a request where it will be written from. It has no id yet. On a link that is lost, or when the server has been
    /// announced to be stopping since it was chosen, it comes back.
    pub(crate) fn send(
        self: &Arc<Self>,
        place: Place<'_>,
        route: &Route,
        kind: Kind,
        mut request: Encoded,
        stream: Option<Arc<StreamQueue>>,
    ) -> Result<(InFlight, Bytes), Encoded> {
        let (waiting, answer) = Waiting::new(kind, stream);
        let bytes = u32::try_from(place.bytes.num_permits()).unwrap_or(u32::MAX);
        let mut state = lock(&self.state);
        if state.lost.is_some() || !state.still_serves(route) {
            return Err(request);
        }
        state.last_id += 1;
        let id = state.last_id;
        frame::set_id(&mut request, id);
        let request = request.into_bytes();
        state.waiting.insert(
            id,
            InWindow {
                waiting,
                bytes,
                heard: None,
            },
        );
        let writer = state.outbox.push(request.clone());
        drop(state);
        wake(writer);
        place.place.forget();
        place.bytes.forget();
        let in_flight = InFlight {
            link: Arc::clone(self),
            id,
            answer,
            armed: true,
        };
        Ok((in_flight, request))
    }

    /// Gives back what a request took of the window.
    fn give_back(&self, state: &mut State, bytes: u32) {
        self.places.add_permits(repay(&mut state.debt.places, 1));
        self.bytes.add_permits(repay(&mut state.debt.bytes, bytes));
    }

    /// Nobody waits for this any more. `true` if it had not been written, and so surely did not run.
    fn cancel(&self, id: u64) -> bool {
        let mut state = lock(&self.state);
        let Some(InWindow { waiting, bytes, .. }) = state.waiting.remove(&id) else {
            return false;
        };
        self.give_back(&mut state, bytes);
        let withdrawn = state.outbox.withdraw(id);
        // a cast is not cancelled
        let writer = if withdrawn || waiting.is_cast() {
            None
        } else {
            state.outbox.push(frame::bare(Kind::Cancel, id))
        };
        drop(state);
        wake(writer);
        withdrawn
    }

    /// Lets a stream's server send more.
    fn allow(&self, id: u64, credit: Credit) {
        let mut state = lock(&self.state);
        let Some(stream) = state
            .waiting
            .get(&id)
            .and_then(|in_flight| in_flight.waiting.stream())
        else {
            return;
        };
        stream.allow(credit);
        let writer = state.outbox.push(frame::numbers(
            Kind::Credit,
            id,
            [credit.items, credit.bytes],
        ));
        drop(state);
        wake(writer);
    }

    /// Takes what an instance said about itself; the window grows or shrinks by what changed.
    pub(crate) fn announce(&self, announcement: Announcement) {
        let mut state = lock(&self.state);
        let before = state
            .announced
            .as_ref()
            .map_or((0, 0), |old| (old.window.requests, old.window.bytes));
        let after = (announcement.window.requests, announcement.window.bytes);
        // nothing that goes by what was announced before is sent after this
        let writer = announcement.serial.and_then(|serial| {
            // one at a time waits, however often the node announces itself and whether it reads or not
            state.outbox.remove(Kind::Seen);
            state.outbox.push(frame::numbers(Kind::Seen, 0, [serial]))
        });
        state.announced = Some(Arc::new(announcement));
        self.window_bytes.store(after.1, Ordering::Relaxed);
        resize(&self.places, &mut state.debt.places, before.0, after.0);
        resize(&self.bytes, &mut state.debt.bytes, before.1, after.1);
        drop(state);
        wake(writer);
    }

    /// Takes an answer from the instance. An error says which rule it broke.
    pub(crate) fn answered(&self, kind: Kind, frame: Frame) -> Result<(), String> {
        let id = frame.id;
        let mut state = lock(&self.state);
        let Some(in_flight) = state.waiting.get_mut(&id) else {
            // the answer to what was cancelled meets nobody, and that is no error
            return if id == 0 || id > state.last_id {
                Err("an answer to a request that was never sent".into())
            } else {
                Ok(())
            };
        };
        if in_flight.waiting.ends_with(kind) {
            let ended = self.finished(&mut state, id);
            drop(state);
            return ended.map_or(Ok(()), |waiting| waiting.end(kind, frame));
        }
        let step = in_flight.waiting.step(kind);
        drop(state);
        step.take(frame)
            .inspect_err(|broken| self.break_off(id, broken))
    }

    /// Takes a heartbeat. Nobody is woken by it: who waits looks when its time is over.
    pub(crate) fn heard(&self, frame: &Frame) -> Result<(), String> {
        let now = Instant::now();
        let mut state = lock(&self.state);
        frame::parse_running(&frame.body, |id| {
            if let Some(in_flight) = state.waiting.get_mut(&id) {
                in_flight.heard = Some(now);
            }
        })
        .map_err(|error| error.to_string())
    }

    /// The node broke a rule: it is told to stop, and whoever waits that it did.
    fn break_off(&self, id: u64, broken: &str) {
        let mut state = lock(&self.state);
        let waiting = self.finished(&mut state, id);
        let writer = state.outbox.push(frame::bare(Kind::Cancel, id));
        drop(state);
        wake(writer);
        if let Some(waiting) = waiting {
            let _ = waiting.broken(broken);
        }
    }

    fn finished(&self, state: &mut State, id: u64) -> Option<Waiting> {
        let InWindow { waiting, bytes, .. } = state.waiting.remove(&id)?;
        self.give_back(state, bytes);
        Some(waiting)
    }

    /// From now on, the link is of use, although nothing may be in flight.
    pub(crate) fn keep(self: &Arc<Self>) -> Kept {
        lock(&self.state).kept += 1;
        Kept(Arc::clone(self))
    }

    /// Gives the link up if nothing is in flight on it, nothing waits to be written, and nobody keeps it.
    pub(crate) fn lose_unused(&self, reason: &str) -> bool {
        let state = lock(&self.state);
        let unused = state.kept == 0 && state.waiting.is_empty() && state.outbox.is_flushed();
        if unused {
            self.lose_now(state, reason);
        }
        unused
    }

    /// The link is gone: every request learns whether it was written.
    pub(crate) fn lose(&self, reason: &str) {
        self.lose_now(lock(&self.state), reason);
    }

    fn lose_now(&self, mut state: MutexGuard<'_, State>, reason: &str) {
        if state.lost.is_some() {
            return;
        }
        state.lost = Some(reason.to_owned());
        self.places.close();
        self.bytes.close();
        let (unwritten, writer) = state.outbox.close();
        let mut waiting = std::mem::take(&mut state.waiting);
        drop(state);
        wake(writer);
        for id in unwritten {
            if let Some(in_flight) = waiting.remove(&id) {
                in_flight.waiting.answer(Answer::Unwritten);
            }
        }
        for in_flight in waiting.into_values() {
            in_flight.waiting.answer(Answer::Lost(reason.to_owned()));
        }
    }

    /// Why the link is gone.
    pub(crate) fn loss(&self) -> Option<String> {
        lock(&self.state).lost.clone()
    }
}

impl fmt::Debug for ClientLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = lock(&self.state);
        f.debug_struct("ClientLink")
            .field("address", &self.address)
            .field("in_flight", &state.waiting.len())
            .field("lost", &state.lost)
            .finish_non_exhaustive()
    }
}

/// A place in a link's window; given back when it is dropped, unless a request was sent with it.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    place: tokio::sync::SemaphorePermit<'a>,
    bytes: tokio::sync::SemaphorePermit<'a>,
}

/// The link is gone.
#[derive(Debug)]
pub(crate) struct Closed;

/// A request that has been sent and not fully answered. Dropping it cancels the request.
#[derive(Debug)]
pub(crate) struct InFlight {
    link: Arc<ClientLink>,
    id: u64,
    answer: oneshot::Receiver<Answer>,
    armed: bool,
}

impl InFlight {
    /// Waits for the answer to the opening.
    pub(crate) async fn answer(&mut self) -> Answer {
        let answer = (&mut self.answer).await;
        // a stream goes on after it has been accepted, and is cancelled when it is dropped
        if !matches!(answer, Ok(Answer::Accepted)) {
            self.armed = false;
        }
        answer.unwrap_or_else(|_| Answer::Lost("the request was given up".into()))
    }

    /// When the instance last said that the request is queued or running.
    pub(crate) fn heard(&self) -> Option<Instant> {
        lock(&self.link.state).waiting.get(&self.id)?.heard
    }

    /// Cancels now. `true` if the request had not been written, and so surely did not run.
    pub(crate) fn cancel(mut self) -> bool {
        self.armed = false;
        self.link.cancel(self.id)
    }

    pub(crate) fn allow(&self, credit: Credit) {
        self.link.allow(self.id, credit);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.armed {
            self.link.cancel(self.id);
        }
    }
}

/// Makes a window larger or smaller. Places in use are not taken back, but do not become free either.
fn resize(semaphore: &Semaphore, debt: &mut u32, before: u32, after: u32) {
    if after > before {
        semaphore.add_permits(repay(debt, after - before));
    } else {
        let taken = semaphore.forget_permits((before - after) as usize);
        *debt += before - after - u32::try_from(taken).unwrap_or(0);
    }
}

/// How many of the permits that come free are given out: first the debt is paid.
fn repay(debt: &mut u32, freed: u32) -> usize {
    let paid = freed.min(*debt);
    *debt -= paid;
    (freed - paid) as usize
}
