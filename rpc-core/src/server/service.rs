//! A server as transports see it: requests arrive here.

use super::dispatcher::{Dispatcher, NotFound, Wanted};
use super::gate::{Entered, Gate, Stopped};
use super::handler::{self, Job};
use super::limits::Limits;
use super::middleware::{self, ServerMiddleware};
use super::runner::{self, Desk, Handed, Work};
use super::stats::{Counters, ServerStats, count};
use super::{Access, Endpoint, Incoming, Responder, StartError};
use crate::args::Frame;
use crate::wake::wake;
use crate::{ApiInfo, Context, ErrorKind, MethodKind, RequestId, Target, Version};
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;
use std::task::Waker;
use tokio::time::Instant;

/// A server, as a transport sees it. Users have [`Server`](crate::Server).
pub(crate) struct Service {
    target: Target,
    dispatcher: Dispatcher,
    pub(super) gate: Gate,
    pub(super) counters: Counters,
    /// Whether callers are told where a handler panicked.
    pub(super) tells_tracebacks: bool,
    /// The outermost first.
    pub(super) middleware: Vec<Arc<dyn ServerMiddleware>>,
}

/// A request that arrived, with names still borrowed from its frame.
#[derive(Debug)]
pub(crate) struct Arrived<'a> {
    pub(crate) namespace: Option<&'a str>,
    pub(crate) version: Version,
    pub(crate) method: &'a str,
    /// How it is to be answered.
    pub(crate) kind: MethodKind,
    /// When the request is worth nothing any more; never, for a cast.
    pub(crate) deadline: Option<Instant>,
    pub(crate) context: Context,
    pub(crate) args: Bytes,
}

/// A request that was taken in: if it need not wait, it begins now, or at the latest when this is dropped.
#[must_use]
pub(crate) struct Begins(Option<(Work, Option<Arc<Desk>>)>);

impl Begins {
    /// Gives it to a task, which is to be woken if it is one that keeps ready.
    pub(crate) fn now(mut self) -> Option<Waker> {
        self.begin()
    }

    fn begin(&mut self) -> Option<Waker> {
        let (work, desk) = self.0.take()?;
        match runner::hand_over(work, desk) {
            Handed::Over(waker) => waker,
            Handed::Back((service, job)) => {
                tokio::spawn(handler::run(service, job));
                None
            }
        }
    }
}

impl Drop for Begins {
    fn drop(&mut self) {
        wake(self.begin());
    }
}

impl Service {
    pub(super) fn new(
        target: Target,
        endpoints: Vec<Arc<dyn Endpoint>>,
        access: Access,
        limits: &Limits,
    ) -> Result<Self, StartError> {
        Ok(Self {
            target,
            dispatcher: Dispatcher::new(endpoints, access, &limits.methods)?,
            gate: Gate::new(limits),
            counters: Counters::default(),
            tells_tracebacks: false,
            middleware: Vec::new(),
        })
    }

    pub(super) fn with_tracebacks(mut self, are_told: bool) -> Self {
        self.tells_tracebacks = are_told;
        self
    }

    pub(super) fn with_middleware(mut self, middleware: Vec<Arc<dyn ServerMiddleware>>) -> Self {
        self.middleware = middleware;
        self
    }

    /// Where the server is.
    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    pub(crate) fn is(&self, exchange: &str, topic: &str, server: &str) -> bool {
        self.target.server_name() == Some(server)
            && self.target.topic_name() == topic
            && self.target.exchange_name() == exchange
    }

    /// What its endpoints implement.
    pub(crate) fn apis(&self) -> impl Iterator<Item = &'static ApiInfo> {
        self.dispatcher.endpoints().map(|endpoint| endpoint.api())
    }

    /// Whether it has been told to stop.
    pub(crate) fn is_draining(&self) -> bool {
        self.gate.is_draining()
    }

    /// Takes a request in, or refuses it. Never waits; the handler gets a task of its own, once it is [started](Begins). `None` if it was
    /// not taken in.
    pub(crate) fn arrived(
        self: Arc<Self>,
        request: Arrived<'_>,
        responder: Arc<dyn Responder>,
    ) -> Option<Begins> {
        let wanted = Wanted {
            namespace: request.namespace,
            version: request.version,
            method: request.method,
            kind: request.kind,
        };
        let found = self.dispatcher.find(wanted, responder.peer());
        let found = match found {
            Ok(found) => found,
            Err(NotFound { kind, message }) => {
                self.refuse(&*responder, request.context.request_id(), kind, &message);
                return None;
            }
        };
        let job = Job {
            endpoint: Arc::clone(found.endpoint),
            index: found.index,
            method: found.method,
            lane: found.lane,
            kind: request.kind,
            deadline: request.deadline,
            in_spare: false,
            incoming: Incoming {
                context: request.context,
                frame: Frame::new(found.method, request.version, request.args),
                responder,
            },
        };
        let (job, admitted) = match self.middleware.is_empty() {
            true => (job, Ok(())),
            false => middleware::admitted(&self, job),
        };
        if let Err(error) = admitted {
            self.refuse_job(&job, error.kind(), error.message());
            return None;
        }
        let (job, kind, message) = match self.gate.enter(job) {
            Entered::Runs(job, desk) => {
                return Some(Begins(Some(((self, job), desk))));
            }
            Entered::Waits(dead) => {
                for job in dead {
                    job.give_up(&self.counters);
                }
                return Some(Begins(None));
            }
            Entered::Draining(job) => (job, ErrorKind::Unavailable, "the server is stopping"),
            Entered::Full(job) => (
                job,
                ErrorKind::Overloaded,
                "the server runs as many requests as it may, and its queue is full",
            ),
        };
        self.refuse_job(&job, kind, message);
        None
    }

    fn refuse_job(&self, job: &Job, kind: ErrorKind, message: &str) {
        let incoming = &job.incoming;
        let id = incoming.context.request_id();
        self.refuse(&*incoming.responder, id, kind, message);
    }

    fn refuse(
        &self,
        responder: &dyn Responder,
        id: Option<RequestId>,
        kind: ErrorKind,
        message: &str,
    ) {
        count(&self.counters.refused);
        tracing::debug!(name: "rpc.request.refused", target = %self.target, peer = %responder.peer(), kind = kind.name(),
            request_id = id.map(tracing::field::debug), reason = message, "request refused");
        responder.refuse(kind, message);
    }

    /// `true` the first time.
    pub(super) fn stop(&self) -> bool {
        let first = self.gate.drain();
        if first {
            tracing::info!(name: "rpc.server.stopping", target = %self.target, "server is stopping");
        }
        first
    }

    pub(super) async fn idle(&self) {
        self.gate.idle().await;
    }

    /// Drops what runs at its next await, and refuses what waits.
    pub(super) fn cut_off(&self) {
        let waiting = self.gate.cut_off();
        self.give_up(waiting, "the server stopped before the request could run");
    }

    /// Refuses requests that were accepted and are not run.
    pub(super) fn give_up(&self, waiting: Vec<Job>, why: &str) {
        for job in waiting {
            count(&self.counters.not_run);
            let responder = &job.incoming.responder;
            responder.refuse(ErrorKind::Unavailable, why);
        }
    }

    pub(super) fn stopped(&self) -> Stopped {
        let stats = self.stats();
        Stopped {
            finished: stats.finished,
            // and those that could not even be dropped
            cut_off: stats.cut_off + self.gate.running() as u64,
            not_run: stats.not_run,
        }
    }

    pub(super) fn stats(&self) -> ServerStats {
        self.counters.read(self.gate.accepted())
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("target", &self.target)
            .field("apis", &self.apis().map(ApiInfo::name).collect::<Vec<_>>())
            .field("draining", &self.is_draining())
            .finish_non_exhaustive()
    }
}
