//! A client's end of a link to one instance: which requests are in flight on it, and who waits for them.

use super::Rights;
use super::alarm::{Alarms, Until};
use super::frame::{self, Announcement, Credit, Kind};
use super::ids::IdMap;
use super::in_flight::InFlight;
use super::outbox::Outbox;
use super::routes::Route;
use super::stream::StreamQueue;
use super::waiting::{Answer, Waiting};
use super::window::{Place, Window};
use crate::codec::Encoded;
use crate::lock;
use crate::sync::{Mutex, MutexGuard};
use crate::wake::wake;
use bytes::Bytes;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Waker;
use tokio::time::Instant;

mod answers;

pub(super) use answers::Elapsed;

/// A request in flight, and what it takes of the window.
#[derive(Debug)]
struct InWindow {
    waiting: Waiting,
    bytes: u32,
    /// When the instance last said that it is queued or running.
    heard: Option<Instant>,
    /// By when the answer is waited for.
    until: Option<Until>,
}

/// A client's end of a link to one instance.
///
/// The transport writes what [`next_frames`](Self::next_frames) gives it, and hands what arrives to
/// [`Outbound::receive`](super::Outbound::receive).
pub struct ClientLink {
    address: Arc<str>,
    /// Nobody restricts the node without.
    rights: Option<Arc<dyn Rights>>,
    /// What the instance announced for requests in flight. Closed when the link is.
    pub(super) window: Window,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last_id: u64,
    waiting: IdMap<InWindow>,
    alarms: Alarms,
    outbox: Outbox,
    announced: Option<Arc<Announcement>>,
    /// Who is going to send something on it.
    kept: usize,
    /// Why the link is gone.
    lost: Option<String>,
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
            window: Window::default(),
            state: Mutex::default(),
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
        self.window.is_closed()
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

    /// Puts a request where it will be written from. It has no id yet. On a link that is lost, or when the server has been announced to be
    /// stopping since it was chosen, it comes back. Whoever is going to wait for the answer may say so, and until when.
    pub(super) fn send(
        self: &Arc<Self>,
        place: Place<'_>,
        route: &Route,
        kind: Kind,
        mut request: Encoded,
        stream: Option<Arc<StreamQueue>>,
        waiter: Option<(Waker, Until)>,
    ) -> Result<(InFlight<'_>, Bytes), Encoded> {
        let is_awaited = waiter.is_some();
        let (waker, until) = waiter.unzip();
        let waiting = Waiting::new(kind, stream, waker);
        let mut state = lock(&self.state);
        if state.lost.is_some() || !state.still_serves(route) {
            return Err(request);
        }
        state.last_id += 1;
        let id = state.last_id;
        frame::set_id(&mut request, id);
        let request = request.into_bytes();
        let bytes = place.sent();
        state.waiting.insert(
            id,
            InWindow {
                waiting,
                bytes,
                heard: None,
                until,
            },
        );
        let writer = state.outbox.push(request.clone());
        let alarm = until.and_then(|until| state.alarm(until, self));
        drop(state);
        wake(writer);
        if let Some(alarm) = alarm {
            alarm.set();
        }
        Ok((InFlight::new(self, id, is_awaited), request))
    }

    /// Nobody waits for this any more. `true` if it had not been written, and so surely did not run.
    pub(super) fn cancel(&self, id: u64) -> bool {
        let mut state = lock(&self.state);
        let Some(in_flight) = state.waiting.remove(&id) else {
            return false;
        };
        let is_over = in_flight.waiting.is_over();
        let withdrawn = !is_over && state.outbox.withdraw(id);
        // a cast is not cancelled
        let writer = if is_over || withdrawn || in_flight.waiting.is_cast() {
            None
        } else {
            state.outbox.push(frame::bare(Kind::Cancel, id))
        };
        let next = in_flight.until.and_then(|left| state.hand_on(left));
        drop(state);
        wake(writer);
        wake(next);
        if !is_over {
            self.window.give_back(1, in_flight.bytes);
        }
        withdrawn
    }

    /// Lets a stream's server send more.
    pub(super) fn allow(&self, id: u64, credit: Credit) {
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
        let window = announcement.window;
        let mut state = lock(&self.state);
        // nothing that goes by what was announced before is sent after this
        let writer = announcement.serial.and_then(|serial| {
            // one at a time waits, however often the node announces itself and whether it reads or not
            state.outbox.remove(Kind::Seen);
            state.outbox.push(frame::numbers(Kind::Seen, 0, [serial]))
        });
        state.announced = Some(Arc::new(announcement));
        drop(state);
        wake(writer);
        self.window.resize(window.requests, window.bytes);
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
        self.window.close();
        let (unwritten, writer) = state.outbox.close();
        let mut then = Vec::new();
        state.waiting.retain(|id, in_flight| {
            let waiting = &mut in_flight.waiting;
            if !waiting.is_over() {
                // ids rise, and leave in that order
                then.push(waiting.end(match unwritten.binary_search(id) {
                    Ok(_) => Answer::Unwritten,
                    Err(_) => Answer::Lost(reason.to_owned()),
                }));
            }
            !waiting.is_done()
        });
        drop(state);
        wake(writer);
        for then in then {
            // it ends a stream, or wakes somebody
            let _ = then.run();
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
