//! A client's end of a link to one instance: which requests are in flight on it, and who waits for them.

use super::frame::{self, Announcement, Credit, Frame, Kind};
use super::outbox::Outbox;
use super::stream::{Batch, End, StreamQueue};
use crate::codec::Encoded;
use crate::{ErrorKind, RpcError, lock, text};
use bytes::Bytes;
use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Waker;
use tokio::sync::{Semaphore, oneshot};

/// How the opening of a request was answered.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The value of a call.
    Value(Bytes),
    /// The method's own error.
    MethodError(Bytes),
    /// A cast or multicall was accepted.
    Accepted,
    /// It was refused, or it failed.
    Failed(RpcError),
    /// The link was lost before the request was written to it.
    Unwritten,
    /// The link was lost after the request was written to it.
    Lost(String),
}

/// Who waits for the answer to a request.
#[derive(Debug)]
struct Waiting {
    /// Taken once it has been answered; a stream stays after that.
    opening: Option<oneshot::Sender<Answer>>,
    stream: Option<Arc<StreamQueue>>,
    /// The bytes of the request, which count against the window.
    bytes: u32,
}

/// A client's end of a link to one instance.
///
/// The transport writes what [`next_frames`](Self::next_frames) gives it, and hands what arrives to
/// [`Outbound::receive`](super::Outbound::receive).
pub struct ClientLink {
    address: Arc<str>,
    state: Mutex<State>,
    /// The places in the window that the instance announced. Closed when the link is.
    places: Semaphore,
    bytes: Semaphore,
}

#[derive(Debug, Default)]
struct State {
    last_id: u64,
    waiting: HashMap<u64, Waiting>,
    outbox: Outbox,
    announced: Option<Arc<Announcement>>,
    /// Why the link is gone.
    lost: Option<String>,
}

impl ClientLink {
    pub(crate) fn new(address: Arc<str>) -> Self {
        let link = Self {
            address,
            state: Mutex::default(),
            places: Semaphore::new(0),
            bytes: Semaphore::new(0),
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

    pub(crate) fn announced(&self) -> Option<Arc<Announcement>> {
        lock(&self.state).announced.clone()
    }

    /// Whether the instance has announced itself on it.
    #[must_use]
    pub fn was_announced(&self) -> bool {
        lock(&self.state).announced.is_some()
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.places.is_closed()
    }

    pub(crate) fn has_place(&self) -> bool {
        self.places.available_permits() > 0
    }

    /// Waits for frames that are to be written, and moves up to `most` into `batch`. `false` once the link is closed.
    ///
    /// Cancel safe: frames are taken only when it returns.
    pub async fn next_frames(&self, batch: &mut Vec<Bytes>, most: usize) -> bool {
        poll_fn(|cx| lock(&self.state).outbox.poll_ready(cx)).await;
        // with more than one request in flight, others are likely to be just about to be sent: they leave together
        let busy = lock(&self.state).waiting.len() > 1;
        if busy {
            tokio::task::yield_now().await;
        }
        lock(&self.state).outbox.take(batch, most)
    }

    /// Whether nothing waits to be written.
    #[must_use]
    pub fn is_flushed(&self) -> bool {
        lock(&self.state).outbox.len() == 0
    }

    /// Waits for a place in the window.
    pub(crate) async fn place(&self, bytes: u32) -> Result<Place<'_>, Closed> {
        let place = self.places.acquire().await.map_err(|_| Closed)?;
        let bytes = self.bytes.acquire_many(bytes).await.map_err(|_| Closed)?;
        Ok(Place { place, bytes })
    }

    /// The part of a request's size that counts: one larger than the window waits for all of it.
    pub(crate) fn counted(&self, bytes: usize) -> u32 {
        let window = lock(&self.state)
            .announced
            .as_ref()
            .map_or(0, |announced| announced.window.bytes);
        u32::try_from(bytes).unwrap_or(u32::MAX).min(window)
    }

    /// Puts a request where it will be written from. It has no id yet. On a link that is lost it comes back.
    pub(crate) fn send(
        self: &Arc<Self>,
        place: Place<'_>,
        mut request: Encoded,
        stream: Option<Arc<StreamQueue>>,
    ) -> Result<(InFlight, Bytes), Encoded> {
        let (opening, answer) = oneshot::channel();
        let bytes = u32::try_from(place.bytes.num_permits()).unwrap_or(u32::MAX);
        let mut state = lock(&self.state);
        if state.lost.is_some() {
            return Err(request);
        }
        state.last_id += 1;
        let id = state.last_id;
        frame::set_id(&mut request, id);
        let request = request.into_bytes();
        state.waiting.insert(
            id,
            Waiting {
                opening: Some(opening),
                stream,
                bytes,
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

    fn give_back(&self, bytes: u32) {
        self.places.add_permits(1);
        self.bytes.add_permits(bytes as usize);
    }

    /// Nobody waits for this any more. `true` if it had not been written, and so surely did not run.
    fn cancel(&self, id: u64) -> bool {
        let mut state = lock(&self.state);
        let Some(waiting) = state.waiting.remove(&id) else {
            return false;
        };
        let withdrawn = state.outbox.withdraw(id);
        let writer = if withdrawn {
            None
        } else {
            state.outbox.push(frame::bare(Kind::Cancel, id))
        };
        drop(state);
        wake(writer);
        self.give_back(waiting.bytes);
        withdrawn
    }

    /// Lets a stream's server send more.
    fn allow(&self, id: u64, credit: Credit) {
        let mut state = lock(&self.state);
        let Some(stream) = state
            .waiting
            .get(&id)
            .and_then(|waiting| waiting.stream.as_ref())
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
        state.announced = Some(Arc::new(announcement));
        drop(state);
        resize(&self.places, before.0, after.0);
        resize(&self.bytes, before.1, after.1);
    }

    /// Takes an answer from the instance. An error says which rule it broke.
    pub(crate) fn answered(&self, kind: Kind, frame: Frame) -> Result<(), String> {
        let id = frame.id;
        let mut state = lock(&self.state);
        // the answer to what was cancelled meets nobody, and that is no error
        let Some(waiting) = state.waiting.get_mut(&id) else {
            return if id == 0 || id > state.last_id {
                Err("an answer to a request that was never sent".into())
            } else {
                Ok(())
            };
        };
        let is_stream = waiting.stream.is_some();
        let answer = match kind {
            Kind::Accept => {
                let opening = waiting.opening.take();
                if !is_stream {
                    self.finished(&mut state, id);
                }
                drop(state);
                respond(opening, Answer::Accepted);
                return Ok(());
            }
            Kind::Items => {
                let stream = waiting.stream.clone();
                drop(state);
                return self.items(id, stream, frame);
            }
            Kind::Reply => Answer::Value(frame.body),
            Kind::End => Answer::Accepted,
            Kind::Fail => match failure(&frame) {
                Ok(Some(error)) => Answer::Failed(error),
                Ok(None) => Answer::MethodError(frame.body),
                Err(error) => Answer::Failed(RpcError::new(
                    ErrorKind::DecodeReply,
                    format!("a failure arrived that can't be read: {error}"),
                )),
            },
            _ => Answer::Failed(RpcError::new(
                ErrorKind::UnsupportedVersion,
                "the node does not know this kind of message: it speaks an older protocol",
            )),
        };
        let Some(waiting) = self.finished(&mut state, id) else {
            return Ok(());
        };
        drop(state);
        finish(waiting, answer);
        Ok(())
    }

    fn items(&self, id: u64, stream: Option<Arc<StreamQueue>>, frame: Frame) -> Result<(), String> {
        let Some(stream) = stream else {
            return Err("items arrived for a request that is no multicall".into());
        };
        let pushed = frame::parse_numbers::<2>(&frame.header)
            .map_err(|error| error.to_string())
            .and_then(|[first, count]| {
                stream.push(Batch {
                    first,
                    count,
                    items: frame.body,
                })
            });
        if let Err(broken) = &pushed {
            stream.end(End::Failed(RpcError::new(
                ErrorKind::DecodeReply,
                format!("the stream broke off: {broken}"),
            )));
            self.cancel(id);
        }
        pushed
    }

    fn finished(&self, state: &mut State, id: u64) -> Option<Waiting> {
        let waiting = state.waiting.remove(&id)?;
        self.give_back(waiting.bytes);
        Some(waiting)
    }

    /// The link is gone: every request learns whether it was written.
    pub(crate) fn lose(&self, reason: &str) {
        let mut state = lock(&self.state);
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
            if let Some(waiting) = waiting.remove(&id) {
                finish(waiting, Answer::Unwritten);
            }
        }
        for waiting in waiting.into_values() {
            finish(waiting, Answer::Lost(reason.to_owned()));
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

fn resize(semaphore: &Semaphore, before: u32, after: u32) {
    if after > before {
        semaphore.add_permits((after - before) as usize);
    } else {
        // places in use are not taken back; those that are free are
        semaphore.forget_permits((before - after) as usize);
    }
}

/// What a failure says; `None` for the method's own error.
fn failure(frame: &Frame) -> Result<Option<RpcError>, crate::codec::Error> {
    let (kind, message) = frame::parse_fail(&frame.header)?;
    if kind == frame::METHOD_ERROR {
        return Ok(None);
    }
    Ok(Some(match ErrorKind::from_name(kind) {
        Some(kind) => RpcError::new(kind, text::shown(message)),
        // what a newer peer calls otherwise may have run
        None => RpcError::new(
            ErrorKind::Remote,
            format!("{}: {}", text::shown(kind), text::shown(message)),
        ),
    }))
}

/// Tells whoever waits: the opening if it is still open, the stream otherwise.
fn finish(waiting: Waiting, answer: Answer) {
    if let Some(opening) = waiting.opening {
        // accepted, and at its end: an empty stream has both at once
        if let (Some(stream), Answer::Accepted) = (&waiting.stream, &answer) {
            stream.end(End::Complete);
        }
        respond(Some(opening), answer);
    } else if let Some(stream) = waiting.stream {
        stream.end(match answer {
            Answer::Accepted | Answer::Value(_) => End::Complete,
            Answer::MethodError(body) => End::Method(body),
            Answer::Failed(error) => End::Failed(error),
            Answer::Unwritten | Answer::Lost(_) => {
                let reason = match answer {
                    Answer::Lost(reason) => reason,
                    _ => String::new(),
                };
                End::Failed(RpcError::new(
                    ErrorKind::PeerLost,
                    format!("the link was lost in the middle of the stream: {reason}"),
                ))
            }
        });
    }
}

fn respond(opening: Option<oneshot::Sender<Answer>>, answer: Answer) {
    if let Some(opening) = opening {
        // whoever waited may have gone at this very moment
        let _ = opening.send(answer);
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
