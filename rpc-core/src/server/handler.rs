//! Runs one request after another, in a task of their own: deadline, cancellation, panics.

use super::endpoint::FailureKind;
use super::gate::Next;
use super::middleware::{self, Course};
use super::queue::Waits;
use super::runner::{self, Desk, Handed, Seat, Work};
use super::stats::{Counters, count};
use super::{Ending, Endpoint, Failure, Incoming, Reply, Responder, Running, Service, panics};
use crate::transport::BoxFuture;
use crate::wake::wake;
use crate::{ErrorKind, MethodInfo, MethodKind, RequestId, Version};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// A request that has been accepted.
pub(super) struct Job {
    pub(super) endpoint: Arc<dyn Endpoint>,
    pub(super) index: usize,
    pub(super) method: &'static MethodInfo,
    /// The limit that the method has besides that of the server.
    pub(super) lane: Option<usize>,
    /// What it was sent as.
    pub(super) kind: MethodKind,
    pub(super) deadline: Option<Instant>,
    /// It runs in a place that is kept for clients that have few requests.
    pub(super) in_spare: bool,
    pub(super) incoming: Incoming,
}

impl Waits for Job {
    fn lane(&self) -> Option<usize> {
        self.lane
    }

    fn is_dead(&self) -> bool {
        let responder = &self.incoming.responder;
        responder.is_cancelled() || self.is_expired()
    }
}

impl Job {
    pub(super) fn accepted(&self) {
        self.incoming.responder.accepted();
    }

    /// Whether a server that drains still runs it.
    pub(super) fn is_of_drain(&self) -> bool {
        self.method.is_during_drain()
    }

    /// Whether its deadline has passed.
    fn is_expired(&self) -> bool {
        self.deadline
            .is_some_and(|deadline| deadline <= Instant::now())
    }

    /// Answers a request that is not run because nobody waits for it any more.
    pub(super) fn give_up(self, counters: &Counters) {
        let responder = &self.incoming.responder;
        if responder.is_cancelled() {
            count(&counters.cancelled);
            return responder.finish(Ending::Quiet);
        }
        count(&counters.expired);
        tracing::debug!(name: "rpc.request.expired", method = self.method.name(), peer = %responder.peer(),
            request_id = self.incoming.context.request_id().map(tracing::field::debug), "request expired before it ran");
        responder.finish(Ending::Failed(
            ErrorKind::Timeout,
            "the deadline passed before the request could run; it was not run".into(),
        ));
    }
}

/// What is left of a request that has run: what it counted for.
#[derive(Clone, Copy)]
pub(super) struct Ended {
    pub(super) lane: Option<usize>,
    pub(super) of_drain: bool,
    pub(super) in_spare: bool,
}

impl From<&Job> for Ended {
    fn from(job: &Job) -> Self {
        Self {
            lane: job.lane,
            of_drain: job.is_of_drain(),
            in_spare: job.in_spare,
        }
    }
}

/// Runs a request, then those that waited for its place, and then those that come while the task keeps ready.
///
/// As many tasks of this are made as requests run at once, so it is kept small: nothing but the handler is held while that waits.
pub(super) fn run(service: Arc<Service>, first: Job) -> impl Future<Output = ()> + Send {
    // what an async block captures takes its place once; the arguments of an async function would take theirs besides. And both of
    // these see to it that a task which never began leaves nothing behind
    let (mut place, mut stage) = Place::of(service, first);
    let mut seat: Option<Seat> = None;
    async move {
        loop {
            loop {
                let service = &place.service;
                if let Some(turn) = stage.turn() {
                    // boxed as well
                    Box::pin(service.gate.unless_cut(turn)).await;
                }
                stage = stage.begin(service);
                match &mut stage {
                    Stage::Here(running) => {
                        let outcome = running.supervise(service).await;
                        running.end(service, outcome);
                    }
                    // boxed so that a task of those that do not block is small
                    Stage::OnThread(thread, responder) => {
                        Box::pin(joined(service, thread, &**responder)).await;
                    }
                    Stage::Waits(_) | Stage::Over => {}
                }
                stage = Stage::Over;
                let desk = seat.get_or_insert_default().desk();
                match place.next_at(desk) {
                    Next::Job(job) => stage = Stage::Waits(Unbegun(Some(job))),
                    Next::Ready => break,
                    Next::End => return,
                }
            }
            drop((place, stage));
            let desk = seat.get_or_insert_default().desk();
            let Some((server, job)) = desk.next().await else {
                return;
            };
            (place, stage) = Place::of(server, job);
        }
    }
}

/// A request that has a place and no task: another task runs it, if one keeps ready. Otherwise it waits for those that run. Without any,
/// nobody would come for it, or for those that wait behind it: they are answered.
///
/// No task is made for it: this may be the end of a runtime.
pub(super) fn hand_on(work: Work) {
    let desk = work.0.gate.ready();
    match runner::hand_over(work, desk) {
        Handed::Over(waker) => wake(waker),
        Handed::Back((service, job)) => {
            let given_up = service.gate.put_back(job);
            service.give_up(given_up, NO_RUNTIME);
        }
    }
}

/// A place among those that run, which is given back however the task ends.
struct Place {
    service: Arc<Service>,
    /// By what it is taken.
    taken: Option<Ended>,
}

impl Place {
    fn of(service: Arc<Service>, job: Job) -> (Self, Stage) {
        let taken = Some((&job).into());
        (Self { service, taken }, Stage::Waits(Unbegun(Some(job))))
    }

    /// The request that has the place now, if one waits for it. Otherwise the task may keep ready, at this desk.
    fn next_at(&mut self, desk: &Arc<Desk>) -> Next {
        let Some(taken) = self.taken.take() else {
            return Next::End;
        };
        let next = self.service.gate.next_at(taken, Some(desk));
        if let Next::Job(job) = &next {
            self.taken = Some(job.into());
        }
        next
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // the task is gone, with its runtime for instance
        let taken = self.taken.take();
        if let Some(job) = taken.and_then(|taken| self.service.gate.next(taken)) {
            hand_on((Arc::clone(&self.service), job));
        }
    }
}

/// A request that has its place, and has not begun. One that is dropped gives an answer.
struct Unbegun(Option<Job>);

impl Drop for Unbegun {
    fn drop(&mut self) {
        if let Some(job) = self.0.take() {
            let responder = &job.incoming.responder;
            responder.refuse(ErrorKind::Unavailable, NO_RUNTIME);
        }
    }
}

/// A request that has its place.
enum Stage {
    /// It comes next.
    Waits(Unbegun),
    /// Its handler runs in this task.
    Here(Begun),
    /// It is for one of the threads that may be blocked. The place is taken until that is free again.
    OnThread(JoinHandle<()>, Arc<dyn Responder>),
    /// Nobody waited for it any more.
    Over,
}

impl Stage {
    /// What it waits for, if it may not begin at once.
    fn turn(&self) -> Option<BoxFuture<()>> {
        let Self::Waits(Unbegun(Some(job))) = self else {
            return None;
        };
        let responder = &job.incoming.responder;
        responder.is_behind().then(|| Arc::clone(responder).turn())
    }

    fn begin(self, service: &Arc<Service>) -> Self {
        let Self::Waits(mut unbegun) = self else {
            return self;
        };
        let Some(job) = unbegun.0.take() else {
            return Self::Over;
        };
        if !job.method.is_blocking() {
            return Begun::new(service, job).map_or(Self::Over, Self::Here);
        }
        let responder = Arc::clone(&job.incoming.responder);
        let (service, runtime) = (Arc::clone(service), Handle::current());
        unbegun.0 = Some(job);
        let run = async move {
            // it may have waited for a thread for long
            let job = unbegun.0.take();
            if let Some(mut running) = job.and_then(|job| Begun::new(&service, job)) {
                let outcome = running.supervise(&service).await;
                running.end(&service, outcome);
            }
        };
        let thread = tokio::task::spawn_blocking(move || runtime.block_on(run));
        Self::OnThread(thread, responder)
    }
}

/// Waits until a thread has run its request. At the end of the server, a handler that waits for nothing can learn of it only by
/// looking at its context.
async fn joined(service: &Service, thread: &mut JoinHandle<()>, responder: &dyn Responder) {
    let mut cut = pin!(service.gate.cut().notified());
    let ended = poll_fn(|cx| {
        if Pin::new(&mut *thread).poll(cx).is_ready() {
            return Poll::Ready(true);
        }
        let is_cut = cut.as_mut().poll(cx).is_ready() || service.gate.is_cut();
        if is_cut {
            Poll::Ready(false)
        } else {
            Poll::Pending
        }
    });
    if !ended.await {
        responder.cancel();
        // it ends with an error only if the runtime does
        let _ = thread.await;
    }
}

const NO_RUNTIME: &str = "the runtime that was to run the request ended before it began";

const CUT_OFF: &str = "the server ended before the handler did";

/// How a handler came to its end.
#[derive(Debug)]
pub(super) enum Outcome {
    Done(Result<Reply, Failure>),
    Panicked(panics::Panic),
    Cancelled,
    CutOff,
}

/// A request whose handler runs. One that is dropped without an answer, with the runtime for instance, gives one.
struct Begun {
    handler: Option<Running>,
    responder: Option<Arc<dyn Responder>>,
    method: &'static MethodInfo,
    version: Version,
    request_id: Option<RequestId>,
    /// Noted only if somebody looks.
    started: Option<Instant>,
    /// Of a handler with middleware around it.
    course: Option<Arc<Course>>,
}

impl Begun {
    /// `None` if nobody waits for it any more.
    fn new(service: &Arc<Service>, job: Job) -> Option<Self> {
        if job.is_dead() {
            job.give_up(&service.counters);
            return None;
        }
        let mut begun = Self {
            handler: None,
            responder: Some(Arc::clone(&job.incoming.responder)),
            method: job.method,
            version: job.incoming.frame.version(),
            request_id: job.incoming.context.request_id(),
            started: tracing::enabled!(tracing::Level::DEBUG).then(Instant::now),
            course: None,
        };
        if !service.middleware.is_empty() {
            let course = begun.course.insert(Arc::default());
            begun.handler = Some(middleware::around(service, job, Arc::clone(course)));
            return Some(begun);
        }
        let Job {
            endpoint,
            index,
            incoming,
            ..
        } = job;
        match panics::catch(|| endpoint.dispatch(index, incoming)) {
            Ok(handler) => begun.handler = Some(handler),
            Err(panic) => begun.end(service, Outcome::Panicked(panic)),
        }
        Some(begun)
    }

    /// Polls the handler until it ends, panics, is cancelled or is cut off.
    async fn supervise(&mut self, service: &Service) -> Outcome {
        let gate = &service.gate;
        // made before the first poll, so that a cut is not missed
        let mut cut = pin!(gate.cut().notified());
        let outcome = poll_fn(|cx| {
            let (Some(handler), Some(responder)) = (&mut self.handler, &self.responder) else {
                return Poll::Ready(Outcome::Cancelled);
            };
            match panics::catch(|| handler.as_mut().poll(cx)) {
                Ok(Poll::Ready(result)) => return Poll::Ready(Outcome::of(result)),
                Ok(Poll::Pending) => {}
                Err(panic) => return Poll::Ready(Outcome::Panicked(panic)),
            }
            if gate.is_cut() || cut.as_mut().poll(cx).is_ready() {
                // what the handler has spawned learns of it by its context
                responder.cancel();
                return Poll::Ready(Outcome::CutOff);
            }
            if self.method.is_no_cancel() {
                return Poll::Pending;
            }
            responder.poll_cancelled(cx).map(|()| Outcome::Cancelled)
        })
        .await;
        if let (Some(course), Some(handler)) = (&self.course, &mut self.handler)
            && course.stop(&outcome)
        {
            // so that the middleware learns of it, which may do something until its next await
            let _ = panics::catch(|| {
                handler
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()))
            });
        }
        // what a handler holds may panic when it is dropped, too
        match panics::catch(|| self.handler = None) {
            Ok(()) => outcome,
            Err(panic) => Outcome::Panicked(panic),
        }
    }

    /// Answers, once.
    fn end(&mut self, service: &Service, outcome: Outcome) {
        let Some(responder) = self.responder.take() else {
            return;
        };
        if let Some(started) = self.started {
            tracing::debug!(name: "rpc.request.finished", method = self.method.name(), version = %self.version, peer = %responder.peer(),
                request_id = self.request_id.map(tracing::field::debug), outcome = outcome.name(), elapsed = ?started.elapsed(), "request finished");
        }
        let ending = ending(service, self.method, self.request_id, &*responder, outcome);
        responder.finish(ending);
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if let Some(responder) = self.responder.take() {
            responder.finish(Ending::Failed(ErrorKind::PeerLost, CUT_OFF.into()));
        }
    }
}

/// What is counted and answered.
fn ending(
    service: &Service,
    method: &'static MethodInfo,
    request_id: Option<RequestId>,
    responder: &dyn Responder,
    outcome: Outcome,
) -> Ending {
    let counters = &service.counters;
    match outcome {
        Outcome::Done(Ok(Reply(ending))) => {
            count(&counters.finished);
            if matches!(ending, Ending::MethodError(_)) {
                count(&counters.method_errors);
            }
            ending
        }
        Outcome::Done(Err(Failure(failure))) => {
            failed(service, method, request_id, responder, failure)
        }
        Outcome::Panicked(panic) => panicked(service, method, request_id, panic),
        Outcome::Cancelled => {
            count(&counters.cancelled);
            Ending::Quiet
        }
        Outcome::CutOff => {
            count(&counters.cut_off);
            Ending::Failed(ErrorKind::PeerLost, CUT_OFF.into())
        }
    }
}

impl Outcome {
    pub(super) fn of(result: Result<Reply, Failure>) -> Self {
        match result {
            Err(Failure(FailureKind::Panicked(panic))) => Self::Panicked(panic),
            result => Self::Done(result),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Done(Ok(Reply(Ending::MethodError(_)))) => "method error",
            Self::Done(Ok(_)) => "ok",
            Self::Done(Err(_)) => "failed",
            Self::Panicked(_) => "panicked",
            Self::Cancelled => "cancelled",
            Self::CutOff => "cut off",
        }
    }
}

fn panicked(
    service: &Service,
    method: &'static MethodInfo,
    request_id: Option<RequestId>,
    panic: panics::Panic,
) -> Ending {
    count(&service.counters.finished);
    count(&service.counters.panicked);
    let (id, traceback) = panic.log(method.name(), request_id, service.tells_tracebacks);
    Ending::Panicked(
        format!("the handler panicked; the server's log says more under panic id {id}"),
        traceback,
    )
}

fn failed(
    service: &Service,
    method: &'static MethodInfo,
    request_id: Option<RequestId>,
    responder: &dyn Responder,
    failure: FailureKind,
) -> Ending {
    let counters = &service.counters;
    match failure {
        FailureKind::Arguments(error) => {
            count(&counters.undecodable);
            // where, but not what: messages of types may hold values
            crate::log::rate_limited!({
                tracing::error!(name: "rpc.request.undecodable", method = method.name(), peer = %responder.peer(),
                    argument = error.path(), "arguments could not be decoded");
            });
            Ending::Failed(ErrorKind::DecodeArguments, error.message())
        }
        FailureKind::Encode(error) => {
            count(&counters.finished);
            tracing::error!(name: "rpc.reply.unencodable", method = method.name(), part = error.path(),
                "the result could not be encoded");
            Ending::Failed(
                ErrorKind::Remote,
                format!("the method ran, but its result could not be encoded: {error}"),
            )
        }
        FailureKind::Refused(kind, message) => {
            count(&counters.finished);
            Ending::Failed(kind, message)
        }
        FailureKind::Panicked(panic) => panicked(service, method, request_id, panic),
        FailureKind::NoSuchMethod => Ending::Failed(
            ErrorKind::NoSuchMethod,
            format!("the endpoint does not implement `{}`", method.name()),
        ),
    }
}

#[cfg(test)]
mod tests {
    /// glibc keeps freed blocks of up to 1,032 bytes per thread; larger ones cost a lock that all threads share.
    #[test]
    fn the_task_of_a_request_is_small() {
        fn size<F: Future>(_: fn(std::sync::Arc<super::Service>, super::Job) -> F) -> usize {
            size_of::<F>()
        }
        assert!(size(super::run) <= 640, "{}", size(super::run));
    }
}
