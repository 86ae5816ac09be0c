//! What stands around the requests of a server.

use super::endpoint::FailureKind;
use super::handler::{Job, Outcome};
use super::{Ending, Failure, Reply, Running, Service, panics};
use crate::{ApiInfo, Context, ErrorKind, MethodInfo, MethodKind, RpcError, Target, Version};
use async_trait::async_trait;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};
use std::task::{self, Poll};

/// Stands around the requests of a server: decides whether one is taken in, and runs around its handler.
///
/// It is given to a server by [`ServerBuilder::middleware`](crate::ServerBuilder::middleware); the one that was given first is the
/// outermost. It sees `ping` and `describe` too. One that panics fails the request, as a handler that does.
///
/// ```
/// use rpc_core::middleware::{Received, ServerMiddleware};
/// use rpc_core::{Entry, RpcError};
///
/// /// Who sends a request, as the server has found out: without `read`, nobody can send it.
/// #[derive(Clone)]
/// struct User(String);
///
/// impl Entry for User {}
///
/// /// Takes in requests with the right token only; handlers find the user by `ctx.get::<User>()`.
/// struct Gatekeeper;
///
/// impl ServerMiddleware for Gatekeeper {
///     fn admit(&self, request: &mut Received) -> Result<(), RpcError> {
///         match request.context().metadata("token") {
///             Some("7f") => request.context_mut().set(User("ada".into())),
///             _ => return Err(RpcError::denied("the token is missing or wrong")),
///         }
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait ServerMiddleware: Send + Sync + 'static {
    /// Decides whether a request is taken in. Default: it is.
    ///
    /// It runs before the request is accepted, so a cast that is refused is refused for its caller too. It runs where frames
    /// are read: it must not block. What it sets in the context is there for the handler.
    ///
    /// # Errors
    ///
    /// The refusal: [`RpcError::denied`], or one of another kind that says that the method did not run, as
    /// [`Overloaded`](ErrorKind::Overloaded), for which the client may ask another server. Any other kind becomes
    /// [`Denied`](ErrorKind::Denied). Kind and message go to the caller.
    fn admit(&self, request: &mut Received) -> Result<(), RpcError> {
        let _ = request;
        Ok(())
    }

    /// Runs around the handler, in its task. Default: runs the handler.
    ///
    /// Of a multicall, that is the whole stream. When the request is cancelled, or cut off when the server ends, the handler
    /// is dropped and `handler.run` says so; what follows has until its next await, where it is dropped.
    ///
    /// # Errors
    ///
    /// What the caller gets in place of an answer, by kind and message; the caller of a cast does not learn of it. Once the
    /// handler has begun to run, a kind that says that it did not becomes [`Remote`](ErrorKind::Remote).
    async fn handle(&self, request: Received, handler: Handler<'_>) -> Result<Ended, RpcError> {
        handler.run(request).await
    }
}

/// A request, before it is run.
pub struct Received {
    job: Job,
    service: Arc<Service>,
}

impl Received {
    /// The API that it is for.
    #[must_use]
    pub fn api(&self) -> &'static ApiInfo {
        self.job.endpoint.api()
    }

    /// The method that it is for.
    #[must_use]
    pub fn method(&self) -> &'static MethodInfo {
        self.job.method
    }

    /// What it was sent as: a call may be cast. A fanout arrives as a cast.
    #[must_use]
    pub fn kind(&self) -> MethodKind {
        self.job.kind
    }

    /// The server that it came to.
    #[must_use]
    pub fn target(&self) -> &Target {
        self.service.target()
    }

    /// The version of the message.
    #[must_use]
    pub fn version(&self) -> Version {
        self.job.incoming.frame.version()
    }

    /// The context, as the handler will get it.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.job.incoming.context
    }

    /// The context, to add to it.
    pub fn context_mut(&mut self) -> &mut Context {
        &mut self.job.incoming.context
    }

    /// How many bytes the arguments take.
    #[must_use]
    pub fn size(&self) -> usize {
        self.arguments().len()
    }

    /// The arguments as they arrived, not checked yet: a MessagePack map by name. They may be secrets: they belong into no log.
    #[must_use]
    pub fn arguments(&self) -> &[u8] {
        self.job.incoming.frame.bytes()
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("method", &self.method().name())
            .field("target", self.target())
            .finish_non_exhaustive()
    }
}

/// The way on: the next middleware, and after the last one the handler.
pub struct Handler<'a> {
    rest: &'a [Arc<dyn ServerMiddleware>],
    course: &'a Course,
}

impl Handler<'_> {
    /// Runs the handler to its end.
    ///
    /// # Errors
    ///
    /// Those of a middleware. However the handler comes to its end, that is an [`Ended`].
    pub async fn run(self, request: Received) -> Result<Ended, RpcError> {
        let course = self.course;
        match self.rest.split_first() {
            Some((first, rest)) => first.handle(request, Handler { rest, course }).await,
            None => Ok(Ended(Innermost::new(request.job, course).await)),
        }
    }
}

impl fmt::Debug for Handler<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handler({} more)", self.rest.len())
    }
}

/// A handler came to its end. What it answered goes to the caller past the middleware.
pub struct Ended(Outcome);

impl Ended {
    /// How it came to its end.
    #[must_use]
    pub fn end(&self) -> End {
        match &self.0 {
            Outcome::Done(Ok(Reply(Ending::MethodError(_)))) => End::MethodError,
            Outcome::Done(Ok(_)) => End::Done,
            Outcome::Done(Err(_)) => End::Failed,
            Outcome::Panicked(_) => End::Panicked,
            Outcome::Cancelled => End::Cancelled,
            Outcome::CutOff => End::CutOff,
        }
    }
}

impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ended({:?})", self.end())
    }
}

/// How a handler came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum End {
    /// With its value, or all items of its stream.
    Done,
    /// With the method's own error.
    MethodError,
    /// The arguments could not be decoded, or the value not encoded.
    Failed,
    /// By a panic.
    Panicked,
    /// It was dropped: nobody waits for it any more.
    Cancelled,
    /// It was dropped: the server ends.
    CutOff,
}

/// What the task of a request and the middleware around its handler know of each other.
#[derive(Debug, Default)]
pub(super) struct Course {
    /// The handler has begun.
    ran: AtomicBool,
    /// Why it is to be dropped.
    stop: AtomicU8,
}

const CANCELLED: u8 = 1;
const CUT_OFF: u8 = 2;

impl Course {
    /// The handler is to be dropped, if the request ended by that.
    pub(super) fn stop(&self, outcome: &Outcome) -> bool {
        let stop = match outcome {
            Outcome::Cancelled => CANCELLED,
            Outcome::CutOff => CUT_OFF,
            Outcome::Done(_) | Outcome::Panicked(_) => return false,
        };
        self.stop.store(stop, Relaxed);
        true
    }

    fn stopped(&self) -> Option<Outcome> {
        match self.stop.load(Relaxed) {
            CANCELLED => Some(Outcome::Cancelled),
            CUT_OFF => Some(Outcome::CutOff),
            _ => None,
        }
    }
}

/// The handler itself, under the innermost middleware: its panic is an end of it there.
struct Innermost<'a> {
    job: Option<Job>,
    handler: Option<Running>,
    course: &'a Course,
}

impl<'a> Innermost<'a> {
    fn new(job: Job, course: &'a Course) -> Self {
        Self {
            job: Some(job),
            handler: None,
            course,
        }
    }

    fn poll_handler(&mut self, cx: &mut task::Context<'_>) -> Poll<Outcome> {
        if let Some(outcome) = self.course.stopped() {
            return Poll::Ready(outcome);
        }
        let polled = panics::catch(|| {
            if let Some(job) = self.job.take() {
                self.course.ran.store(true, Relaxed);
                self.handler = Some(job.endpoint.dispatch(job.index, job.incoming));
            }
            match &mut self.handler {
                Some(handler) => handler.as_mut().poll(cx),
                None => Poll::Pending,
            }
        });
        match polled {
            Ok(poll) => poll.map(Outcome::of),
            Err(panic) => Poll::Ready(Outcome::Panicked(panic)),
        }
    }
}

impl Future for Innermost<'_> {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Outcome> {
        let outcome = task::ready!(self.poll_handler(cx));
        // what a handler holds may panic when it is dropped, too
        Poll::Ready(match panics::catch(|| self.handler = None) {
            Ok(()) => outcome,
            Err(panic) => Outcome::Panicked(panic),
        })
    }
}

/// Asks every middleware whether a request is taken in, and says why if it is not.
pub(super) fn admitted(service: &Arc<Service>, job: Job) -> (Job, Result<(), RpcError>) {
    let mut request = Received {
        job,
        service: Arc::clone(service),
    };
    for middleware in &service.middleware {
        let method = request.job.method;
        let refusal = match panics::catch(|| middleware.admit(&mut request)) {
            Ok(Ok(())) => continue,
            Ok(Err(error)) if error.may_have_run() => error.of_kind(ErrorKind::Denied),
            Ok(Err(error)) => error,
            Err(panic) => {
                let id = request.context().request_id();
                let (panic_id, _) = panic.log(method.name(), id, false);
                RpcError::new(
                    ErrorKind::Remote,
                    format!(
                        "a middleware panicked before the method could run; the server's log says more under panic id {panic_id}"
                    ),
                )
            }
        };
        return (request.job, Err(refusal));
    }
    (request.job, Ok(()))
}

/// The handler of a request with all middleware around it.
pub(super) fn around(service: &Arc<Service>, job: Job, course: Arc<Course>) -> Running {
    let service = Arc::clone(service);
    Box::pin(async move {
        let handler = Handler {
            rest: &service.middleware,
            course: &course,
        };
        let request = Received {
            job,
            service: Arc::clone(&service),
        };
        match handler.run(request).await {
            Ok(Ended(Outcome::Done(result))) => result,
            Ok(Ended(Outcome::Panicked(panic))) => Err(Failure(FailureKind::Panicked(panic))),
            Ok(Ended(Outcome::Cancelled | Outcome::CutOff)) => Err(refused(
                ErrorKind::Remote,
                "a middleware gave the end of another request",
            )),
            Err(error) => {
                let ran = course.ran.load(Relaxed) && !error.may_have_run();
                let kind = if ran { ErrorKind::Remote } else { error.kind() };
                Err(refused(kind, error.message()))
            }
        }
    })
}

fn refused(kind: ErrorKind, message: &str) -> Failure {
    Failure(FailureKind::Refused(kind, message.into()))
}
