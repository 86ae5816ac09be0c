//! One request at an instance, from its arrival to its answer: cancellation, credit, and where the answer goes.

use super::frame::{self, Credit, Kind, METHOD_ERROR};
use super::peer::ServerLink;
use crate::codec::Encoded;
use crate::context::Cancellable;
use crate::server::{Ending, Responder};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::transport::BoxFuture;
use crate::wake::wake;
use crate::{ErrorKind, Peer, lock};
use bytes::Bytes;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

const MOST_ITEMS: u64 = 1024;
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// The most credit that a stream has, whatever its client gives: what is sent and not read takes memory here.
const MOST_CREDIT: Credit = Credit {
    items: MOST_ITEMS,
    bytes: MOST_BYTES,
};

/// A request that is queued or running, shared by its link and the task that runs it.
#[derive(Debug)]
pub(crate) struct Execution {
    link: Arc<ServerLink>,
    id: u64,
    kind: Kind,
    /// When nobody waits for it any more.
    deadline: Option<Instant>,
    /// How long the client waits without a heartbeat.
    monitor: Option<Duration>,
    /// How many bytes of the window it takes.
    bytes: usize,
    /// What it makes the node hold, while it does.
    held: usize,
    holds: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    cancelled: bool,
    items: u64,
    /// Below zero after an item that was larger than what was left.
    bytes: i64,
    /// The task that runs the request, which waits for its cancellation.
    task: Option<Waker>,
    /// Who waits for credit: the same task, unless the handler is polled with wakers of its own.
    producer: Option<Waker>,
    /// Who waits for the cancellation besides.
    others: Option<Arc<Notify>>,
}

impl Execution {
    pub(crate) fn new(
        link: Arc<ServerLink>,
        id: u64,
        kind: Kind,
        deadline: Option<Instant>,
        credit: Credit,
        monitor: Option<Duration>,
    ) -> Self {
        Self {
            link,
            id,
            kind,
            deadline,
            // nobody waits for a cast that was accepted
            monitor: monitor.filter(|_| kind != Kind::Cast),
            bytes: 0,
            held: 0,
            holds: AtomicBool::new(false),
            state: Mutex::new(State {
                items: credit.items.min(MOST_CREDIT.items),
                bytes: signed(credit.bytes.min(MOST_CREDIT.bytes)),
                ..State::default()
            }),
        }
    }

    /// So large.
    pub(super) fn of_size(mut self, bytes: usize, held: usize) -> Self {
        self.bytes = bytes;
        self.held = held;
        self
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// It has been taken in.
    pub(super) fn begun(&self) {
        self.holds.store(true, Ordering::Relaxed);
    }

    /// It is over: what it held, the first time.
    fn release(&self) -> Option<usize> {
        let held = self.holds.swap(false, Ordering::Relaxed);
        held.then_some(self.held)
    }

    pub(crate) fn monitor(&self) -> Option<Duration> {
        self.monitor
    }

    pub(crate) fn is_stream(&self) -> bool {
        self.kind == Kind::Multicall
    }

    pub(super) fn is_expired(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }

    /// Whether it is a stream that may send nothing.
    pub(super) fn is_stalled(&self) -> bool {
        self.is_stream() && {
            let state = lock(&self.state);
            state.items == 0 || state.bytes <= 0
        }
    }

    pub(crate) fn add_credit(&self, credit: Credit) {
        let mut state = lock(&self.state);
        let items = state.items.saturating_add(credit.items);
        state.items = items.min(MOST_CREDIT.items);
        let bytes = state.bytes.saturating_add(signed(credit.bytes));
        state.bytes = bytes.min(signed(MOST_CREDIT.bytes));
        let producer = state.producer.take();
        drop(state);
        wake(producer);
    }
}

impl Cancellable for Execution {
    fn is_cast(&self) -> bool {
        self.kind == Kind::Cast
    }

    fn is_cancelled(&self) -> bool {
        // casts are not cancelled
        !self.is_cast() && lock(&self.state).cancelled
    }

    fn cancellation(&self) -> Arc<Notify> {
        Arc::clone(lock(&self.state).others.get_or_insert_default())
    }
}

impl Responder for Execution {
    fn peer(&self) -> &Peer {
        self.link.peer()
    }

    fn accepted(&self) {
        // the reply of a call says so by itself, and casts that came together are told together
        if self.is_stream() {
            self.link
                .push_of(self.id, frame::bare(Kind::Accept, self.id));
        }
    }

    fn cancel(&self) {
        let mut state = lock(&self.state);
        state.cancelled = true;
        let waiting = [state.task.take(), state.producer.take()];
        let others = state.others.take();
        drop(state);
        waiting.into_iter().for_each(wake);
        if let Some(others) = others {
            others.notify_waiters();
        }
    }

    fn poll_cancelled(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_cast() {
            return Poll::Pending;
        }
        let mut state = lock(&self.state);
        if state.cancelled {
            return Poll::Ready(());
        }
        register(&mut state.task, cx);
        Poll::Pending
    }

    fn poll_credit(&self, cx: &mut Context<'_>) -> Poll<(u64, u64)> {
        let mut state = lock(&self.state);
        if state.items > 0 && state.bytes > 0 {
            return Poll::Ready((state.items, state.bytes.unsigned_abs()));
        }
        register(&mut state.producer, cx);
        Poll::Pending
    }

    fn items(&self, first: u64, count: u64, mut items: Encoded) {
        let mut state = lock(&self.state);
        state.items = state.items.saturating_sub(count);
        state.bytes = state.bytes.saturating_sub(signed(items.len() as u64));
        drop(state);
        let header = frame::numbers_header([first, count]);
        // two numbers never make a header too long
        if frame::prepend(&mut items, Kind::Items, self.id, &header).is_ok() {
            let frame = items.into_bytes();
            if self.fits(&frame) {
                self.link.push_of(self.id, frame);
            } else {
                self.link.finish(self.id, Some(self.too_large(&frame)));
                self.cancel();
            }
        }
    }

    fn places(&self) -> Option<usize> {
        (!self.link.is_one_of_many()).then(|| self.link.requests())
    }

    fn is_behind(&self) -> bool {
        // nothing is made for the client of a cast
        !self.is_cast() && self.link.is_behind()
    }

    fn turn(self: Arc<Self>) -> BoxFuture<()> {
        Box::pin(async move {
            let turn = async {
                tokio::select! {
                    () = poll_fn(|cx| self.poll_cancelled(cx)) => {}
                    () = self.link.turn() => {}
                }
            };
            match self.deadline {
                // whichever is first
                Some(deadline) => drop(timeout_at(deadline, turn).await),
                None => turn.await,
            }
        })
    }

    fn finish(&self, ending: Ending) {
        let held = self.release();
        // a cast was answered when it was accepted; nobody waits for how it went
        if self.is_cast() {
            return self.link.released(held);
        }
        let frame = match ending {
            Ending::Value(value) => answer(value, Kind::Reply, self.id, &[]),
            Ending::MethodError(error) => {
                let mut header = frame::HeaderWriter(Vec::with_capacity(16));
                header.array(2);
                header.str(METHOD_ERROR);
                header.str("");
                answer(error, Kind::Fail, self.id, &header.0)
            }
            Ending::StreamEnd(count) => Some(frame::numbers(Kind::End, self.id, [count])),
            Ending::Failed(kind, message) => Some(self.failure(kind, &message)),
            Ending::Panicked(message, traceback) => Some(frame::fail(
                self.id,
                ErrorKind::Remote.name(),
                &message,
                traceback.as_deref(),
            )),
            Ending::Quiet => None,
        };
        let frame = frame.map(|frame| {
            if self.fits(&frame) {
                frame
            } else {
                self.too_large(&frame)
            }
        });
        self.link.finish_holding(self.id, frame, held);
    }

    fn refuse(&self, kind: ErrorKind, message: &str) {
        let held = self.release();
        let failure = self.failure(kind, message);
        if self.is_cast() {
            self.link.released(held);
            self.link.push(failure);
        } else {
            self.link.finish_holding(self.id, Some(failure), held);
        }
    }
}

impl Execution {
    fn fits(&self, frame: &[u8]) -> bool {
        frame.len() <= self.link.max_frame()
    }

    /// What is sent instead of an answer that is larger than a frame may be.
    fn too_large(&self, frame: &[u8]) -> Bytes {
        let message = format!(
            "the answer has {} bytes, and the node's transport takes {} at most",
            frame.len(),
            self.link.max_frame()
        );
        self.failure(ErrorKind::Remote, &message)
    }

    fn failure(&self, kind: ErrorKind, message: &str) -> Bytes {
        frame::fail(self.id, kind.name(), message, None)
    }
}

impl Drop for Execution {
    fn drop(&mut self) {
        // it was not answered: its task is gone
        self.link.released(self.release());
    }
}

fn answer(mut body: Encoded, kind: Kind, id: u64, header: &[u8]) -> Option<Bytes> {
    frame::prepend(&mut body, kind, id, header).ok()?;
    Some(body.into_bytes())
}

pub(super) fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn register(task: &mut Option<Waker>, cx: &Context<'_>) {
    match task {
        Some(known) if known.will_wake(cx.waker()) => {}
        _ => *task = Some(cx.waker().clone()),
    }
}
