//! An instance's end of a link to one client: which of its requests run, and what is to be written to it.

use super::Rights;
use super::account::{Account, Hold};
use super::execution::Execution;
use super::frame::{self, Credit, Window};
use super::heartbeat::Heartbeat;
use super::ids::IdMap;
use super::outbox::Outbox;
use crate::context::Cancellable;
use crate::server::Responder;
use crate::sync::{Mutex, MutexGuard};
use crate::wake::wake;
use crate::{Peer, lock};
use bytes::Bytes;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::Instant;

mod pace;
#[cfg(test)]
mod tests;

use pace::Pace;

/// An instance's end of a link to one client.
///
/// The transport writes what [`next_frames`](Self::next_frames) gives it, and hands what arrives to
/// [`Inbound::receive`](super::Inbound::receive).
pub struct ServerLink {
    peer: Peer,
    /// How many bytes may wait to be written.
    unread_bytes: usize,
    /// How many bytes a frame may have.
    max_frame: usize,
    since: Instant,
    /// Nobody restricts it without.
    rights: Option<Arc<dyn Rights>>,
    pace: Pace,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    greeted: bool,
    /// The serials of the announcement that was pushed last, and of the one that the client has taken in.
    announced: u64,
    seen: u64,
    last_id: u64,
    /// Requests that are queued or running, and not cancelled. No casts: nobody waits for these once they are in the queue.
    running: IdMap<Arc<Execution>>,
    /// What these take of the window, in bytes.
    window_bytes: usize,
    /// What the client makes the node hold.
    hold: Hold,
    outbox: Outbox,
    heartbeat: Heartbeat,
    /// More bytes waited to be written than may.
    overrun: bool,
    /// Whoever is in the middle of writing, until that gets on.
    stuck: Option<Waker>,
}

impl State {
    fn new(account: Arc<Account>) -> Self {
        Self {
            greeted: false,
            announced: 0,
            seen: 0,
            last_id: 0,
            running: IdMap::default(),
            window_bytes: 0,
            hold: Hold::new(account),
            outbox: Outbox::default(),
            heartbeat: Heartbeat::default(),
            overrun: false,
            stuck: None,
        }
    }

    /// Adds a frame, unless so much waits already that the link is given up. The waker is to be woken when the lock has been given
    /// back.
    fn push(&mut self, frame: Bytes, most: usize) -> Option<Waker> {
        let mut writer = None;
        if self.outbox.bytes() < most {
            writer = self.outbox.push(frame);
            if self.hold.covers(self.outbox.held()) {
                return writer;
            }
        }
        self.overrun = true;
        let waits = self.outbox.close().1;
        // one of them: it waits for frames, or is in the middle of writing some
        writer.or(waits).or(self.stuck.take())
    }

    /// What a request held is free.
    fn released(&mut self, held: Option<usize>) {
        if let Some(held) = held {
            self.hold.end(held);
            self.hold.settle(self.outbox.held());
        }
    }

    fn insert(&mut self, id: u64, execution: &Arc<Execution>) -> Option<Waker> {
        let monitor = execution.monitor();
        self.window_bytes += execution.bytes();
        self.running.insert(id, Arc::clone(execution));
        match monitor {
            Some(monitor) if self.heartbeat.begin(monitor) => self.outbox.writer(),
            _ => None,
        }
    }

    fn remove(&mut self, id: u64) -> Option<Arc<Execution>> {
        let execution = self.running.remove(&id)?;
        self.window_bytes -= execution.bytes();
        if execution.monitor().is_some() {
            self.heartbeat.end();
        }
        Some(execution)
    }

    /// Says which requests are queued or running, when it is time for that.
    fn beat(&mut self, cx: &mut Context<'_>) {
        while self.heartbeat.poll(cx).is_ready() {
            let monitored = self.running.iter();
            let monitored: Vec<(u64, Duration)> = monitored
                .filter_map(|(id, execution)| Some((*id, execution.monitor()?)))
                .collect();
            let ids: Vec<u64> = monitored.iter().map(|(id, _)| *id).collect();
            for frame in frame::running(&ids) {
                // whoever writes is at it
                let _ = self.outbox.push(frame);
            }
            self.heartbeat
                .sent(monitored.into_iter().map(|(_, monitor)| monitor));
        }
    }

    /// Takes out everything.
    fn take_running(&mut self) -> impl Iterator<Item = Arc<Execution>> + use<> {
        self.window_bytes = 0;
        self.heartbeat = Heartbeat::default();
        std::mem::take(&mut self.running).into_values()
    }

    /// Takes out what the client surely or likely does not wait for any more, though no CANCEL has come: a request whose deadline
    /// has passed, or else the oldest stream that stands still for want of credit.
    fn take_forgotten(&mut self) -> Option<Arc<Execution>> {
        let now = Instant::now();
        let forgotten = self
            .running
            .iter()
            .filter(|(_, execution)| execution.is_expired(now) || execution.is_stalled())
            .min_by_key(|(id, execution)| (!execution.is_expired(now), **id));
        let id = *forgotten?.0;
        self.remove(id)
    }
}

impl ServerLink {
    /// A client that nothing limits.
    #[cfg(test)]
    pub(crate) fn new(peer: Peer, rights: Option<Arc<dyn Rights>>) -> Self {
        Self::of(peer, rights, Arc::default())
    }

    /// A client, and the account of whoever it is.
    pub(crate) fn of(peer: Peer, rights: Option<Arc<dyn Rights>>, account: Arc<Account>) -> Self {
        Self {
            peer,
            unread_bytes: usize::MAX,
            max_frame: usize::MAX,
            since: Instant::now(),
            rights,
            pace: Pace::default(),
            state: Mutex::new(State::new(account)),
        }
    }

    /// Is given up once so many bytes wait to be written, and takes no frames that are larger than this.
    pub(crate) fn with_limits(self, unread_bytes: usize, max_frame: usize) -> Self {
        Self {
            unread_bytes,
            max_frame,
            ..self
        }
    }

    pub(crate) fn max_frame(&self) -> usize {
        self.max_frame
    }

    /// Whether it was given up because more bytes waited to be written than may.
    pub(crate) fn is_overrun(&self) -> bool {
        lock(&self.state).overrun
    }

    pub(crate) fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Whether its client may send to a topic.
    pub(crate) fn may_use(&self, exchange: &str, topic: &str) -> bool {
        let rights = self.rights.as_ref();
        rights.is_none_or(|rights| rights.may_use(exchange, topic))
    }

    pub(crate) fn is_restricted(&self) -> bool {
        self.rights.is_some()
    }

    /// Waits for frames that are to be written, and moves up to `most` into `batch`. `false` once the link is closed.
    ///
    /// Cancel safe: frames are taken only when it returns.
    pub async fn next_frames(&self, batch: &mut Vec<Bytes>, most: usize) -> bool {
        poll_fn(|cx| {
            let mut state = lock(&self.state);
            state.beat(cx);
            let ready = state.outbox.poll_ready(cx);
            let waiting = state.outbox.held();
            state.hold.settle(waiting);
            let has_caught_up = self.pace.unread(waiting);
            drop(state);
            self.pace.tell(has_caught_up);
            ready
        })
        .await;
        // with more than one request running, others are likely to be just about to be answered: they leave together
        let busy = {
            let state = lock(&self.state);
            (state.running.len() > 1 || state.outbox.has_several()) && !state.outbox.has_enough()
        };
        if busy {
            tokio::task::yield_now().await;
        }
        lock(&self.state).outbox.take(batch, most)
    }

    /// Waits until the client is given up for what it does not read. Whoever is in the middle of writing need not wait for the end of that.
    ///
    /// Cancel safe.
    pub async fn given_up(&self) {
        poll_fn(|cx| {
            let mut state = lock(&self.state);
            if state.overrun {
                return Poll::Ready(());
            }
            state.stuck = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Whether nothing waits to be written.
    #[must_use]
    pub fn is_flushed(&self) -> bool {
        lock(&self.state).outbox.is_flushed()
    }

    /// Whether the client has taken in what was announced last, so that nothing is on its way that goes by something older.
    pub(crate) fn has_seen(&self) -> bool {
        let state = lock(&self.state);
        state.seen >= state.announced || state.outbox.is_closed()
    }

    /// The client has taken in an announcement.
    pub(crate) fn seen(&self, serial: u64) {
        let mut state = lock(&self.state);
        state.seen = state.seen.max(serial);
    }

    /// Until it is released, what is pushed is not written: more is about to come.
    pub(crate) fn hold(&self) {
        lock(&self.state).outbox.hold();
    }

    pub(crate) fn release(&self) {
        let writer = lock(&self.state).outbox.release();
        wake(writer);
    }

    pub(crate) fn greeted(&self) {
        lock(&self.state).greeted = true;
    }

    pub(crate) fn has_greeted(&self) -> bool {
        lock(&self.state).greeted
    }

    /// Tells the client what there is now.
    pub(crate) fn announce(&self, serial: u64, frame: Bytes) {
        let mut state = lock(&self.state);
        state.announced = serial;
        self.add(state, [frame]);
    }

    /// Answers what takes no place in the window, unless the client does not read its answers.
    pub(crate) fn push_unasked(
        &self,
        frame: impl FnOnce() -> Bytes,
        window: u32,
    ) -> Result<(), String> {
        if lock(&self.state).outbox.answers() > unread(window) {
            return Err(NOT_READING.into());
        }
        self.push(frame());
        Ok(())
    }

    pub(crate) fn push(&self, frame: Bytes) {
        self.add(lock(&self.state), [frame]);
    }

    /// These casts are in the queue of their server.
    pub(crate) fn accepted(&self, casts: &[u64]) {
        if !casts.is_empty() {
            self.add(lock(&self.state), frame::bares(frame::Kind::Accept, casts));
        }
    }

    /// Adds frames to what is to be written. A client for which too much waits then is given up, and nobody waits any more for what it
    /// asked for.
    fn add(&self, mut state: MutexGuard<'_, State>, frames: impl IntoIterator<Item = Bytes>) {
        let mut writer = None;
        for frame in frames {
            writer = state.push(frame, self.unread_bytes).or(writer);
        }
        let has_caught_up = self.pace.unread(state.outbox.held());
        let unwanted = state.overrun.then(|| state.take_running());
        drop(state);
        wake(writer);
        self.pace.tell(has_caught_up);
        for execution in unwanted.into_iter().flatten() {
            execution.cancel();
        }
    }

    /// Whether what it asks for is not begun at once.
    pub(crate) fn is_behind(&self) -> bool {
        self.pace.is_behind()
    }

    /// Waits until a request of it may begin. Cancel safe.
    pub(crate) async fn turn(&self) {
        self.pace.turn().await;
    }

    /// Takes in a request: its id must be higher than all before, and there must be room. The client keeps to the window that
    /// was announced to it; one that does not, or that does not read its answers, is refused.
    pub(crate) fn begin(
        &self,
        id: u64,
        window: Window,
        execution: &Arc<Execution>,
    ) -> Result<(), Begin> {
        let mut state = lock(&self.state);
        if state.outbox.is_closed() {
            return Err(Begin::Closed);
        }
        if id <= state.last_id {
            return Err(Begin::Repeated);
        }
        state.last_id = id;
        if state.outbox.answers() > unread(window.requests) {
            return Err(Begin::NotReading);
        }
        let mut forgotten = Vec::new();
        let mut begun = Ok(());
        while state.running.len() >= window.requests as usize
            || state.window_bytes + execution.bytes() > window.bytes as usize
        {
            // a client that keeps to its window has given something up
            match state.take_forgotten() {
                Some(gone) => forgotten.push(gone),
                None => {
                    begun = Err(Begin::WindowFull);
                    break;
                }
            }
        }
        let waiting = state.outbox.held();
        if begun.is_ok() && !state.hold.begin(execution.held(), waiting) {
            begun = Err(Begin::NodeFull);
        }
        let mut writer = None;
        if begun.is_ok() {
            execution.begun();
            if !execution.is_cast() {
                writer = state.insert(id, execution);
            }
        }
        drop(state);
        wake(writer);
        for gone in forgotten {
            gone.cancel();
        }
        begun
    }

    /// Nobody waits for this request any more.
    pub(crate) fn cancel(&self, id: u64) {
        let execution = lock(&self.state).remove(id);
        if let Some(execution) = execution {
            execution.cancel();
        }
    }

    pub(crate) fn add_credit(&self, id: u64, credit: Credit) {
        let execution = lock(&self.state).running.get(&id).cloned();
        if let Some(execution) = execution {
            execution.add_credit(credit);
        }
    }

    /// A request is done: its last frame is sent, unless it was cancelled before.
    pub(crate) fn finish(&self, id: u64, frame: Option<Bytes>) {
        self.finish_holding(id, frame, None);
    }

    /// The same, and what it held is free.
    pub(crate) fn finish_holding(&self, id: u64, frame: Option<Bytes>, held: Option<usize>) {
        let mut state = lock(&self.state);
        state.released(held);
        let execution = state.remove(id);
        match (&execution, frame) {
            (Some(_), Some(frame)) => self.add(state, [frame]),
            // before the execution, which asks for the lock at its end
            _ => drop(state),
        }
    }

    /// What a request held is free.
    pub(crate) fn released(&self, held: Option<usize>) {
        if held.is_some() {
            lock(&self.state).released(held);
        }
    }

    /// How many requests of it the node holds: those that wait, run, or run on although nobody waits for them.
    pub(crate) fn requests(&self) -> usize {
        lock(&self.state).hold.requests()
    }

    /// Whether it has just come, of a peer that comes and goes and leaves requests behind.
    pub(crate) fn is_one_of_many(&self) -> bool {
        self.since.elapsed() < NEW && lock(&self.state).hold.left_many()
    }

    /// So many bytes of memory are taken by a message that has not arrived as a whole. `false` if that is more than the client may
    /// have: then its connection is to be closed. Also called when nothing has come for a while, so that what is not needed is given
    /// back.
    #[must_use]
    pub fn arriving(&self, bytes: usize) -> bool {
        let mut state = lock(&self.state);
        let waiting = state.outbox.held();
        let fits = state.hold.arriving(bytes, waiting);
        state.hold.rest(waiting);
        fits
    }

    /// Sends a frame that belongs to a request, unless that was cancelled.
    pub(crate) fn push_of(&self, id: u64, frame: Bytes) {
        let state = lock(&self.state);
        if state.running.contains_key(&id) {
            self.add(state, [frame]);
        }
    }

    /// The client is gone. Its streams end; its calls run on, without anybody to answer to.
    pub(crate) fn lose(&self) {
        let mut state = lock(&self.state);
        let (_, writer) = state.outbox.close();
        let running = state.take_running();
        state.hold.leave();
        // what runs on need not wait for anybody who reads
        let has_caught_up = self.pace.unread(0);
        drop(state);
        wake(writer);
        self.pace.tell(has_caught_up);
        for execution in running.filter(|execution| execution.is_stream()) {
            execution.cancel();
        }
    }
}

/// How many answers may wait for a client before it is clear that it does not read. One that keeps to its window has at most
/// one window of them, and some more for what it cancelled.
fn unread(window: u32) -> usize {
    UNREAD_WINDOWS * window as usize
}

const UNREAD_WINDOWS: usize = 4;

/// For how long a link is new: if its peer leaves requests behind, it gets none of the places that are kept for clients that have few.
const NEW: Duration = Duration::from_secs(1);

/// What is said of such a client.
pub(crate) const NOT_READING: &str = "the client sends and does not read the answers";

/// Why a request is not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// Its id is not higher than the last: it breaks the protocol, or came twice.
    Repeated,
    /// The client has as much in flight as it may.
    WindowFull,
    /// The link has been closed: nobody would be answered.
    Closed,
    /// Its peer, or all peers together, make the node hold as much as may be.
    NodeFull,
    /// Far more answers wait for the client than it can have asked for: it does not read.
    NotReading,
}

impl fmt::Debug for ServerLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = lock(&self.state);
        f.debug_struct("ServerLink")
            .field("peer", &self.peer)
            .field("running", &state.running.len())
            .field("unwritten", &state.outbox.answers())
            .finish_non_exhaustive()
    }
}
