//! What stands around everything that a client sends.

use super::Client;
use crate::sync::Mutex;
use crate::transport::{BoxFuture, Driver, Message, Response};
use crate::{
    ApiInfo, Context, ErrorKind, Fanout, FanoutError, MethodInfo, MethodKind, RpcError, Target,
    Version, lock,
};
use async_trait::async_trait;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout_at;

/// Stands around everything that a client sends: calls, casts, fanouts and the opening of multicalls and gathers.
///
/// It is given to a client by [`CallOptions::middleware`](crate::CallOptions::middleware), or to all clients of a transport by
/// [`Transport::middleware`](crate::Transport::middleware). The one that was given first is the outermost.
///
/// A message is sent at most once, so `next` can be used only once. What the middleware does counts towards the message's
/// timeout. To refuse the message, return an error without using `next`: [`RpcError::denied`], or one of another kind that says
/// the method did not run. An error that is returned after `next` was used never says so: if its kind does, it becomes
/// [`Cancelled`](ErrorKind::Cancelled), unless the message itself was refused.
///
/// A fanout goes through once, whatever the number of servers, and its `retry` not again.
///
/// ```
/// use rpc_core::RpcError;
/// use rpc_core::middleware::{Answered, ClientMiddleware, Next, Outgoing, async_trait};
///
/// /// Sends a token with every message.
/// struct Token(String);
///
/// #[async_trait]
/// impl ClientMiddleware for Token {
///     async fn send(&self, mut message: Outgoing, next: Next<'_>) -> Result<Answered, RpcError> {
///         message.context_mut().insert("token", &self.0);
///         next.send(message).await
///     }
/// }
/// ```
///
/// # Cancel safety
///
/// Dropping the call drops what the middleware does at its next await.
#[async_trait]
pub trait ClientMiddleware: Send + Sync + 'static {
    /// Sends a message by `next`, or refuses it.
    ///
    /// # Errors
    ///
    /// What `next` gives, or a refusal of its own.
    async fn send(&self, message: Outgoing, next: Next<'_>) -> Result<Answered, RpcError>;
}

/// A message that is about to be sent.
pub struct Outgoing(Box<Message>);

impl Outgoing {
    /// The name of the method that it is for.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.0.parts.method
    }

    /// What is known of the method and its API. `None` for a message of an [`UntypedClient`](crate::UntypedClient).
    #[must_use]
    pub fn info(&self) -> Option<(&'static ApiInfo, &'static MethodInfo)> {
        self.0.parts.info
    }

    /// What it is sent as: a call may be cast.
    #[must_use]
    pub fn kind(&self) -> MethodKind {
        self.0.parts.kind
    }

    /// Where it goes.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.0.parts.target
    }

    /// The version that it is sent in, unless the server that it goes to needs a lower one.
    #[must_use]
    pub fn version(&self) -> Version {
        self.0.parts.version
    }

    /// The context, as it will travel.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.0.parts.context
    }

    /// The context, to add to it. Its deadline has been taken into account already.
    pub fn context_mut(&mut self) -> &mut Context {
        &mut self.0.parts.context
    }

    /// How many bytes the arguments take, or about that, if the server that it goes to needs a lower version.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.args.len()
    }

    /// The arguments that were given, by name, each encoded as MessagePack. They may be secrets: they belong into no log.
    pub fn arguments(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.args.given()
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("method", &self.method())
            .field("target", self.target())
            .finish_non_exhaustive()
    }
}

/// The way on: the next middleware, and after the last one the transport.
pub struct Next<'a> {
    rest: &'a [Arc<dyn ClientMiddleware>],
    wire: &'a dyn Wire,
}

impl Next<'_> {
    /// Sends the message, and waits for its answer.
    ///
    /// # Errors
    ///
    /// As of the call, but for a method's own error, which is an [`Answer`].
    pub async fn send(self, message: Outgoing) -> Result<Answered, RpcError> {
        match self.rest.split_first() {
            Some((first, rest)) => {
                let next = Next {
                    rest,
                    wire: self.wire,
                };
                first.send(message, next).await
            }
            None => self.wire.send(message).await,
        }
    }
}

impl fmt::Debug for Next<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Next({} more)", self.rest.len())
    }
}

/// A message was answered. The answer itself goes to the caller past the middleware.
#[derive(Debug)]
pub struct Answered(Answer);

impl Answered {
    /// How it was answered.
    #[must_use]
    pub fn answer(&self) -> Answer {
        self.0
    }
}

/// How a message was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Answer {
    /// A call, by its value.
    Value,
    /// A call, by the method's own error.
    MethodError,
    /// A cast or the opening of a multicall was accepted, or a fanout by all; a gather has begun.
    Accepted,
    /// A fanout was not accepted by all.
    Incomplete,
}

/// What comes back when a message was sent, whatever it was sent as.
pub(crate) trait Answers: Send + 'static {
    fn answer(&self) -> Answer;
}

impl Answers for Response {
    fn answer(&self) -> Answer {
        match self {
            Self::Value(..) => Answer::Value,
            Self::MethodError(_) => Answer::MethodError,
        }
    }
}

impl Answers for () {
    fn answer(&self) -> Answer {
        Answer::Accepted
    }
}

impl Answers for Fanout {
    fn answer(&self) -> Answer {
        Answer::Accepted
    }
}

impl Answers for crate::transport::ItemStream {
    fn answer(&self) -> Answer {
        Answer::Accepted
    }
}

impl Answers for crate::transport::Gathering {
    fn answer(&self) -> Answer {
        Answer::Accepted
    }
}

/// Why a message failed, whatever it was sent as.
pub(crate) trait Fails: From<RpcError> + Send + 'static {
    /// The plain error; or itself, if it is an answer.
    fn plain(self) -> Result<RpcError, Self>;
}

impl Fails for RpcError {
    fn plain(self) -> Result<Self, Self> {
        Ok(self)
    }
}

impl Fails for FanoutError {
    fn plain(self) -> Result<RpcError, Self> {
        match self {
            Self::Rpc(error) => Ok(error),
            incomplete @ Self::Incomplete(_) => Err(incomplete),
        }
    }
}

/// How a transport sends one kind of message.
pub(crate) type SendBy<T, E> = fn(&dyn Driver, Message) -> BoxFuture<Result<T, E>>;

/// The end of the way.
trait Wire: Send + Sync {
    fn send(&self, message: Outgoing) -> BorrowedFuture<'_>;
}

type BorrowedFuture<'a> = Pin<Box<dyn Future<Output = Result<Answered, RpcError>> + Send + 'a>>;

/// Keeps the answer for the caller.
struct Slot<T, E> {
    driver: Arc<dyn Driver>,
    send: SendBy<T, E>,
    state: Mutex<State<T, E>>,
}

enum State<T, E> {
    /// It was not sent, or it was refused: the method surely did not run.
    NotRun,
    MayHaveRun,
    Answered(Result<T, E>),
}

impl<T: Answers, E: Fails> Wire for Slot<T, E> {
    fn send(&self, message: Outgoing) -> BorrowedFuture<'_> {
        Box::pin(async move {
            if let Some(excess) = message.context().all_metadata().excess() {
                return Err(RpcError::new(
                    ErrorKind::Encode,
                    format!("the context holds {excess}"),
                ));
            }
            *lock(&self.state) = State::MayHaveRun;
            let result = (self.send)(&*self.driver, *message.0).await;
            let result = match result.map_err(Fails::plain) {
                Ok(value) => Ok(value),
                Err(Err(incomplete)) => Err(incomplete),
                Err(Ok(error)) => {
                    if !error.may_have_run() {
                        *lock(&self.state) = State::NotRun;
                    }
                    return Err(error);
                }
            };
            let answer = result.as_ref().map_or(Answer::Incomplete, Answers::answer);
            *lock(&self.state) = State::Answered(result);
            Ok(Answered(answer))
        })
    }
}

/// By how much a middleware may be late: the transport keeps to the deadline by itself, and says more about it.
const GRACE: Duration = Duration::from_millis(50);

/// Sends a message through the middleware of its client.
pub(super) fn through<T: Answers, E: Fails>(
    client: Client,
    message: Message,
    send: SendBy<T, E>,
) -> BoxFuture<Result<T, E>> {
    Box::pin(async move {
        let parts = &message.parts;
        let (method, target, sent) = (parts.method.clone(), Arc::clone(&parts.target), parts.sent);
        let deadline = parts.deadline;
        let slot = Slot {
            driver: Arc::clone(&client.transport.0),
            send,
            state: Mutex::new(State::NotRun),
        };
        let next = Next {
            rest: &client.options.middleware,
            wire: &slot,
        };
        let sending = next.send(Outgoing(Box::new(message)));
        let latest = deadline.checked_add(GRACE).unwrap_or(deadline);
        let result = timeout_at(latest, sending).await;
        let state = std::mem::replace(&mut *lock(&slot.state), State::NotRun);
        let error = match (result, state) {
            (Ok(Ok(_)), State::Answered(result)) => return result,
            (Ok(Ok(_)), _) => RpcError::new(
                ErrorKind::Cancelled,
                "a middleware gave the answer to another message",
            ),
            (Ok(Err(error)), State::NotRun) => error,
            (Ok(Err(error)), _) if error.may_have_run() => error,
            (Ok(Err(error)), _) => error.of_kind(ErrorKind::Cancelled),
            (Err(_elapsed), State::NotRun) => RpcError::new(
                ErrorKind::Undeliverable,
                "a middleware did not send it before the deadline",
            ),
            (Err(_elapsed), _) => RpcError::new(
                ErrorKind::Timeout,
                "it was sent, and a middleware did not end before the deadline",
            ),
        };
        Err(error
            .of_message(&method, &target, Some(sent.elapsed()))
            .into())
    })
}
