//! A client's end of a link to one instance: which requests are in flight on it, and who waits for them.

use super::Rights;
use super::alarm::{Alarms, Until};
use super::frame::{self, Announcement, Credit, Frame, Kind};
use super::ids::IdMap;
use super::in_flight::InFlight;
use super::outbox::Outbox;
use super::routes::Route;
use super::stream::StreamQueue;
use super::waiting::{Answer, Then, Waiting};
use super::window::{Place, Window};
use crate::codec::Encoded;
use crate::lock;
use crate::sync::Mutex;
use crate::wake::wake;
use bytes::Bytes;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::time::Instant;

mod alarms;
mod life;

pub(super) use life::{Identity, Kept};

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

/// The answer has not come in time.
#[derive(Debug)]
pub(crate) struct Elapsed;

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
    /// Takes an answer from the instance; adds what is left to do. Gives the bytes of the window that came free, and which rule was
    /// broken.
    fn answered(
        &mut self,
        kind: Kind,
        frame: Frame,
        then: &mut Vec<(u64, Then)>,
    ) -> (Option<u32>, Result<(), String>) {
        let id = frame.id;
        let in_flight = self.waiting.get_mut(&id);
        let Some(in_flight) = in_flight.filter(|in_flight| !in_flight.waiting.is_over()) else {
            // the answer to what was cancelled meets nobody, and that is no error
            let was_sent = (1..=self.last_id).contains(&id);
            let never = || "an answer to a request that was never sent".into();
            return (None, was_sent.then_some(()).ok_or_else(never));
        };
        let waiting = &mut in_flight.waiting;
        match waiting.receive(kind, frame) {
            Ok(next) => {
                then.push((id, next));
                let freed = waiting.is_over().then_some(in_flight.bytes);
                if waiting.is_done() {
                    self.waiting.remove(&id);
                }
                (freed, Ok(()))
            }
            Err(broken) => {
                let goes_on = matches!(kind, Kind::Accept | Kind::Items);
                (self.broken(id, &broken, goes_on, then), Err(broken))
            }
        }
    }

    /// The node broke a rule: whoever waits learns that it did, and the node is told to stop if it goes on.
    fn broken(
        &mut self,
        id: u64,
        text: &str,
        goes_on: bool,
        then: &mut Vec<(u64, Then)>,
    ) -> Option<u32> {
        let in_flight = self.waiting.get_mut(&id)?;
        if in_flight.waiting.is_over() {
            return None;
        }
        then.push((id, in_flight.waiting.broken(text)));
        let bytes = in_flight.bytes;
        if in_flight.waiting.is_done() {
            self.waiting.remove(&id);
        }
        if goes_on {
            let writer = self.outbox.push(frame::bare(Kind::Cancel, id));
            then.extend(writer.map(|writer| (id, Then::Wake(writer))));
        }
        Some(bytes)
    }

    /// Whether the server is not stopping, by what was announced last.
    fn still_serves(&self, route: &Route) -> bool {
        self.announced.as_ref().is_some_and(|announced| {
            Arc::ptr_eq(announced, &route.announcement) || announced.serves(&route.service)
        })
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

    /// Until it is released, what is sent is not written: more is about to come.
    pub(crate) fn hold(&self) {
        lock(&self.state).outbox.hold();
    }

    pub(crate) fn release(&self) {
        let writer = lock(&self.state).outbox.release();
        wake(writer);
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

    /// Takes answers from the instance, and leaves the vector empty. Adds those who are to be woken, and tells which rules were broken.
    pub(crate) fn answered(
        &self,
        answers: &mut Vec<(Kind, Frame)>,
        woken: &mut Vec<Waker>,
        mut broken: impl FnMut(String),
    ) {
        if answers.is_empty() {
            return;
        }
        let mut then = Vec::with_capacity(answers.len());
        let mut wrong = Vec::new();
        let (mut places, mut bytes) = (0, 0);
        let mut state = lock(&self.state);
        for (kind, frame) in answers.drain(..) {
            let (freed, kept) = state.answered(kind, frame, &mut then);
            if let Some(freed) = freed {
                (places, bytes) = (places + 1, bytes + freed);
            }
            wrong.extend(kept.err());
        }
        drop(state);
        if places > 0 {
            self.window.give_back(places, bytes);
        }
        for (id, then) in then {
            match then {
                Then::Wake(waker) => woken.push(waker),
                then => {
                    if let Err(text) = then.run() {
                        self.break_off(id, &text);
                        wrong.push(text);
                    }
                }
            }
        }
        wrong.into_iter().for_each(&mut broken);
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

    /// What was in a stream broke a rule.
    fn break_off(&self, id: u64, text: &str) {
        let mut then = Vec::new();
        let freed = lock(&self.state).broken(id, text, true, &mut then);
        if let Some(bytes) = freed {
            self.window.give_back(1, bytes);
        }
        for (_, then) in then {
            // it ends a stream, or wakes somebody
            let _ = then.run();
        }
    }

    /// The answer to the opening of a request, once there is one, and whether nothing follows; or that it has not come in time.
    pub(super) fn poll_answer(
        self: &Arc<Self>,
        id: u64,
        cx: &Context<'_>,
        until: Option<Until>,
    ) -> Poll<Result<(Answer, bool), Elapsed>> {
        let mut state = lock(&self.state);
        let Some(in_flight) = state.waiting.get_mut(&id) else {
            return Poll::Pending;
        };
        let other = match in_flight.waiting.take(cx) {
            Ok(answer) => {
                let is_over = in_flight.waiting.is_over();
                let left = in_flight.until.take();
                if is_over {
                    state.waiting.remove(&id);
                }
                let next = left.and_then(|left| state.hand_on(left));
                drop(state);
                wake(next);
                return Poll::Ready(Ok((answer, is_over)));
            }
            Err(other) => other,
        };
        in_flight.until = until;
        let uncovered = until.filter(|until| !state.alarms.cover(until));
        let is_late = uncovered.is_some_and(|until| until.at <= Instant::now());
        let alarm = uncovered
            .filter(|_| !is_late)
            .and_then(|until| state.alarm(until, self));
        drop(state);
        drop(other);
        if let Some(alarm) = alarm {
            alarm.set();
        }
        if is_late {
            Poll::Ready(Err(Elapsed))
        } else {
            Poll::Pending
        }
    }

    /// When the instance last said that a request is queued or running.
    pub(super) fn heard_of(&self, id: u64) -> Option<Instant> {
        lock(&self.state).waiting.get(&id)?.heard
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
