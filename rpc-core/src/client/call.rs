//! The futures of calls and casts.

use super::middleware::{self, Answers, Fails, SendBy};
use super::older::{self, Older};
use super::request::{Prepared, Request, not_wanted};
use crate::name::Name;
use crate::transport::{BoxFuture, Response};
use crate::{CallError, Client, ErrorKind, FanoutCast, MethodKind, Outcome, RpcError, codec};
use serde::de::DeserializeOwned;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A message on its way: sent when it is first polled.
#[expect(
    clippy::large_enum_variant,
    reason = "a box would be one more allocation for each message"
)]
enum State<T, E> {
    Prepared(Request),
    Sent(BoxFuture<Result<T, E>>),
    /// It was changed after it had been sent.
    Late,
    Done,
}

/// What is the same for all messages, whatever comes back.
pub(super) struct Sending<T, E = RpcError> {
    state: State<T, E>,
    pub(super) method: Name,
    /// Keeps the server of a local client.
    client: Option<Client>,
}

/// Gives up what was sent when the request that it is for is cancelled.
async fn while_wanted<T, E: From<RpcError>>(
    context: crate::Context,
    client: Client,
    method: Name,
    sent: BoxFuture<Result<T, E>>,
) -> Result<T, E> {
    tokio::select! {
        biased;
        result = sent => result,
        () = context.cancelled() => Err(not_wanted().of_message(&method, client.target(), None).into()),
    }
}

impl<T: Answers, E: Fails> Sending<T, E> {
    pub(super) fn new(request: Request) -> Self {
        Self {
            method: request.method(),
            state: State::Prepared(request),
            client: None,
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>, send: SendBy<T, E>) -> Poll<Result<T, E>> {
        loop {
            match &mut self.state {
                State::Sent(future) => {
                    let result = std::task::ready!(future.as_mut().poll(cx));
                    self.state = State::Done;
                    return Poll::Ready(result);
                }
                // a future that is polled after its end says nothing new
                State::Done => return Poll::Pending,
                State::Late => {
                    self.state = State::Done;
                    let error = RpcError::new(
                        ErrorKind::Cancelled,
                        "it was changed after it had been sent, and so it was cancelled",
                    );
                    return Poll::Ready(Err(self.failed(error).into()));
                }
                State::Prepared(_) => {}
            }
            let State::Prepared(request) = std::mem::replace(&mut self.state, State::Done) else {
                return Poll::Pending;
            };
            match request.message() {
                Ok((client, message)) => {
                    let context = &message.parts.context;
                    let inherited = context.is_cancellable().then(|| context.clone());
                    let sent = if client.options.middleware.is_empty() {
                        send(&*client.transport.0, message)
                    } else {
                        middleware::through(client.clone(), message, send)
                    };
                    self.state = State::Sent(match inherited {
                        Some(context) => Box::pin(while_wanted(
                            context,
                            client.clone(),
                            self.method.clone(),
                            sent,
                        )),
                        None => sent,
                    });
                    self.client = Some(client);
                }
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }
}

impl<T, E> Sending<T, E> {
    /// The message, while it has not been sent.
    pub(super) fn request(&mut self) -> Option<&mut Request> {
        if !matches!(self.state, State::Prepared(_)) {
            // it would lack what was to be given: it is withdrawn
            self.state = State::Late;
        }
        match &mut self.state {
            State::Prepared(request) => Some(request),
            State::Sent(_) | State::Late | State::Done => None,
        }
    }

    /// What was changed after it had been sent.
    pub(super) fn late(method: Name) -> Self {
        Self {
            state: State::Late,
            method,
            client: None,
        }
    }

    /// The message, which is not sent then.
    pub(super) fn take(&mut self) -> Option<Request> {
        match std::mem::replace(&mut self.state, State::Late) {
            State::Prepared(request) => Some(request),
            State::Sent(_) | State::Late | State::Done => None,
        }
    }

    /// Where it goes, to be shown.
    pub(super) fn target(&self) -> String {
        let client = match &self.state {
            State::Prepared(request) => Some(request.client()),
            State::Sent(_) | State::Late | State::Done => self.client.as_ref(),
        };
        client.map_or_else(String::new, |client| client.target().to_string())
    }

    pub(super) fn client(&self) -> Option<&Client> {
        self.client.as_ref()
    }

    /// Decodes what came back from a call.
    pub(super) fn outcome<V, M>(
        &self,
        response: Result<Response, RpcError>,
        older: &'static [Older],
    ) -> Result<V, CallError<M>>
    where
        V: DeserializeOwned + 'static,
        M: DeserializeOwned,
    {
        match response {
            Ok(Response::Value(version, value)) => {
                let decoded = match older::of(older, version) {
                    None => codec::decode(&value),
                    Some(older) => older.decode(&value),
                };
                decoded.map_err(|error| CallError::Rpc(self.undecodable("reply", error)))
            }
            Ok(Response::MethodError(error)) => Err(self.method_error(&error)),
            Err(error) => Err(CallError::Rpc(error)),
        }
    }

    /// Decodes a reply.
    fn decode<V: DeserializeOwned>(&self, value: &[u8]) -> Result<V, RpcError> {
        codec::decode(value).map_err(|error| self.undecodable("reply", error))
    }

    /// Decodes the method's own error.
    pub(super) fn method_error<V: DeserializeOwned>(&self, error: &[u8]) -> CallError<V> {
        match self.decode(error) {
            Ok(error) => CallError::Method(error),
            Err(error) => CallError::Rpc(error),
        }
    }

    #[cold]
    pub(super) fn undecodable(&self, what: &str, error: codec::Error) -> RpcError {
        let text = format!("the method ran, but its {what} can't be decoded: {error}");
        self.failed(RpcError::new(ErrorKind::DecodeReply, text).with_source(error))
    }

    /// Says what was sent where.
    #[cold]
    pub(super) fn failed(&self, error: RpcError) -> RpcError {
        match &self.client {
            Some(client) => error.of_message(&self.method, client.target(), None),
            None => error,
        }
    }
}

/// A call: a future that sends it and waits for the reply.
///
/// `R` is what the method returns, as it is written in the trait. For a `Result<T, E>` the call gives
/// `Result<T, CallError<E>>`, for a plain value `Result<T, CallError<Never>>`.
///
/// Nothing is sent before it is first polled. Its arguments are encoded, so it borrows nothing and can be spawned.
///
/// # Cancel safety
///
/// Dropping it withdraws the message if it was not written, and then the method surely does not run. Otherwise the server is
/// told, and drops the handler at its next await.
#[must_use = "a call is sent when it is awaited"]
pub struct Call<R> {
    sending: Sending<Response>,
    older: &'static [Older],
    outcome: PhantomData<fn() -> R>,
}

impl<R> Call<R> {
    pub(super) fn new(request: Request, older: &'static [Older]) -> Self {
        Self {
            sending: Sending::new(request),
            older,
            outcome: PhantomData,
        }
    }
}

impl<R: Outcome<Value = ()>> Call<R> {
    /// Sends it as a cast: the method runs, and nobody waits for its answer. See [`Cast`] for what `Ok` means then.
    pub fn cast(self) -> Cast {
        let mut sending = self.sending;
        match sending.take() {
            Some(request) => request.cast(),
            None => Cast(Sending::late(sending.method)),
        }
    }
}

impl<R> Prepared for Call<R> {
    fn request(&mut self) -> Option<&mut Request> {
        self.sending.request()
    }

    fn take(&mut self) -> Option<Request> {
        self.sending.take()
    }
}

impl<R> Future for Call<R>
where
    R: Outcome,
    R::Value: DeserializeOwned + 'static,
    R::Error: DeserializeOwned,
{
    type Output = Result<R::Value, CallError<R::Error>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let response = std::task::ready!(
            this.sending
                .poll(cx, |driver, message| driver.call(message))
        );
        Poll::Ready(this.sending.outcome(response, this.older))
    }
}

impl<R> fmt::Debug for Call<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({})", &*self.sending.method)
    }
}

/// A cast: a future that sends it and waits until it is accepted.
///
/// `Ok` means that the server has the message in its queue, with its topic, version and method checked; not that it has run. It
/// dies with the server's process; `Server::stop` runs it first. Otherwise it was refused, and did not run. When it has run,
/// nothing says: a test asks the service, or waits for `Server::wait`.
///
/// On a client that is prepared for a [`fanout`](crate::CallOptions::fanout), every server of the topic has accepted it.
///
/// # Cancel safety
///
/// Dropping it withdraws the message if it was not written. Otherwise it may still be accepted and run.
#[must_use = "a cast is sent when it is awaited"]
pub struct Cast(Sending<()>);

impl Cast {
    pub(super) fn new(request: Request) -> Self {
        Self(Sending::new(request))
    }

    /// Sends it to every server of the topic, or to the one that the client is prepared for: see [`FanoutCast`].
    pub fn fanout(self) -> FanoutCast {
        let mut sending = self.0;
        match sending.take() {
            Some(request) => request.fanout(),
            None => FanoutCast::late(sending.method),
        }
    }
}

impl Prepared for Cast {
    fn request(&mut self) -> Option<&mut Request> {
        self.0.request()
    }

    fn take(&mut self) -> Option<Request> {
        self.0.take()
    }
}

impl Future for Cast {
    type Output = Result<(), RpcError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(cx, |driver, message| match message.parts.kind {
            MethodKind::Fanout => {
                let sent = driver.fanout(message);
                Box::pin(async move { sent.await.map(drop).map_err(RpcError::from) })
            }
            _ => driver.cast(message),
        })
    }
}

impl fmt::Debug for Cast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cast({})", &*self.0.method)
    }
}
