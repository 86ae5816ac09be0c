//! Who waits for the answer to a request, and what each kind of frame is to them.

use super::frame::{self, Fail, Frame, Kind};
use super::stream::{Batch, End, StreamQueue};
use crate::{ErrorKind, RpcError, text};
use bytes::Bytes;
use std::sync::Arc;
use std::task::{Context, Waker};

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

/// How far the opening of a request is.
#[derive(Debug)]
enum Opening {
    /// Nobody has answered it.
    Open(Option<Waker>),
    /// Whoever waits has not looked yet.
    Answered(Answer),
    /// A stream goes on.
    Taken,
}

/// Who waits for the answer to a request.
#[derive(Debug)]
pub(super) struct Waiting {
    /// What was sent: a call, a cast or a multicall.
    kind: Kind,
    opening: Opening,
    stream: Option<Arc<StreamQueue>>,
    /// Nothing comes any more.
    over: bool,
}

impl Waiting {
    pub(super) fn new(kind: Kind, stream: Option<Arc<StreamQueue>>, waker: Option<Waker>) -> Self {
        Self {
            kind,
            opening: Opening::Open(waker),
            stream,
            over: false,
        }
    }

    pub(super) fn is_cast(&self) -> bool {
        self.kind == Kind::Cast
    }

    pub(super) fn stream(&self) -> Option<&Arc<StreamQueue>> {
        self.stream.as_ref()
    }

    /// Whether nothing comes any more.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Whether nothing comes any more, and what came was taken.
    pub(super) fn is_done(&self) -> bool {
        self.over && matches!(self.opening, Opening::Taken)
    }

    fn is_open(&self) -> bool {
        matches!(self.opening, Opening::Open(_))
    }

    /// Whoever waits for the answer to the opening, and has looked for it in vain.
    pub(super) fn waker(&self) -> Option<&Waker> {
        match &self.opening {
            Opening::Open(waker) => waker.as_ref(),
            Opening::Answered(_) | Opening::Taken => None,
        }
    }

    /// The answer to the opening, once there is one. Otherwise the waker that was known before, if it is another: with it a task may go,
    /// and whatever that holds.
    pub(super) fn take(&mut self, cx: &Context<'_>) -> Result<Answer, Option<Waker>> {
        match &mut self.opening {
            Opening::Open(Some(known)) if known.will_wake(cx.waker()) => Err(None),
            Opening::Open(known) => Err(known.replace(cx.waker().clone())),
            Opening::Answered(_) | Opening::Taken => {
                match std::mem::replace(&mut self.opening, Opening::Taken) {
                    Opening::Answered(answer) => Ok(answer),
                    // it was given before
                    _ => Err(None),
                }
            }
        }
    }

    /// Takes a frame from the instance. An error says which rule that broke; then it is over.
    pub(super) fn receive(&mut self, kind: Kind, frame: Frame) -> Result<Then, String> {
        let (is_open, opened) = (self.is_open(), !self.is_open());
        let answer = match (self.kind, kind) {
            (Kind::Call, Kind::Reply) => Answer::Value(frame.body),
            (Kind::Cast | Kind::Multicall, Kind::Accept) if is_open => Answer::Accepted,
            (Kind::Multicall, Kind::Items) if opened => {
                let [first, count] = numbers(&frame)?;
                let batch = Batch {
                    first,
                    count,
                    items: frame.body,
                };
                return Ok(self.then(|stream| Then::Items(stream, batch)));
            }
            (Kind::Multicall, Kind::End) if opened => {
                let [count] = numbers(&frame)?;
                self.over = true;
                return Ok(self.then(|stream| Then::Complete(stream, count)));
            }
            (_, Kind::Fail) => match failure(&frame) {
                Ok(Some(error)) => Answer::Failed(error),
                Ok(None) if self.kind == Kind::Call || opened => Answer::MethodError(frame.body),
                Ok(None) => return Err("it failed by an error of the method before it ran".into()),
                Err(error) => return Err(format!("a failure that can't be read: {error}")),
            },
            (_, Kind::Unsupported) if is_open => Answer::Failed(RpcError::new(
                ErrorKind::UnsupportedVersion,
                "the node does not know this kind of message: it speaks an older protocol",
            )),
            _ => {
                return Err(format!(
                    "{kind:?} answers a {:?}, or comes at the wrong time",
                    self.kind
                ));
            }
        };
        let goes_on = self.kind == Kind::Multicall && kind == Kind::Accept;
        self.over = !goes_on;
        Ok(self.answer(answer))
    }

    /// The node broke a rule: the request has failed.
    pub(super) fn broken(&mut self, text: &str) -> Then {
        self.end(Answer::Failed(broken(text)))
    }

    /// Nothing comes any more but this.
    pub(super) fn end(&mut self, answer: Answer) -> Then {
        self.over = true;
        self.answer(answer)
    }

    /// Tells whoever waits: the opening if it is still open, the stream otherwise.
    fn answer(&mut self, answer: Answer) -> Then {
        if let Opening::Open(waker) = &mut self.opening {
            let waker = waker.take();
            self.opening = Opening::Answered(answer);
            return waker.map_or(Then::Nothing, Then::Wake);
        }
        self.then(|stream| {
            let end = match answer {
                Answer::MethodError(body) => End::Method(body),
                Answer::Failed(error) => End::Failed(error),
                Answer::Lost(reason) => End::Failed(RpcError::new(
                    ErrorKind::PeerLost,
                    format!("the link was lost in the middle of the stream: {reason}"),
                )),
                // an opening is answered by these, never a stream
                Answer::Value(_) | Answer::Accepted | Answer::Unwritten => End::Complete,
            };
            Then::End(stream, end)
        })
    }

    fn then(&self, what: impl FnOnce(Arc<StreamQueue>) -> Then) -> Then {
        let stream = self.stream.as_ref().map(Arc::clone);
        stream.map_or(Then::Nothing, what)
    }
}

/// What is left to do once the link's lock has been given back: a waker may be anybody's, and a stream has a lock of its own.
#[derive(Debug)]
pub(super) enum Then {
    Nothing,
    Wake(Waker),
    Items(Arc<StreamQueue>, Batch),
    Complete(Arc<StreamQueue>, u64),
    End(Arc<StreamQueue>, End),
}

impl Then {
    /// Does it. An error says which rule the node broke.
    pub(super) fn run(self) -> Result<(), String> {
        match self {
            Self::Nothing => {}
            Self::Wake(waker) => waker.wake(),
            // what breaks a rule ends the stream, whatever came behind it
            Self::Items(stream, batch) => {
                let pushed = stream.push(batch);
                return pushed.inspect_err(|text| stream.end(End::Failed(broken(text))));
            }
            Self::Complete(stream, count) => {
                let completed = stream.complete(count);
                return completed.inspect_err(|text| stream.end(End::Failed(broken(text))));
            }
            Self::End(stream, end) => stream.end(end),
        }
        Ok(())
    }
}

fn broken(text: &str) -> RpcError {
    RpcError::new(
        ErrorKind::DecodeReply,
        format!("the answer breaks the protocol: {text}"),
    )
}

fn numbers<const N: usize>(frame: &Frame) -> Result<[u64; N], String> {
    frame::parse_numbers(&frame.header).map_err(|error| error.to_string())
}

/// What a failure says; `None` for the method's own error.
fn failure(frame: &Frame) -> Result<Option<RpcError>, crate::codec::Error> {
    let Fail {
        kind,
        message,
        traceback,
    } = frame::parse_fail(&frame.header)?;
    if kind == frame::METHOD_ERROR {
        return Ok(None);
    }
    let error = match ErrorKind::from_name(kind) {
        Some(kind) => RpcError::new(kind, text::shown(message)),
        // of what a newer peer calls otherwise, nothing is known: `Remote` says that it may have run
        None => RpcError::new(
            ErrorKind::Remote,
            format!("{}: {}", text::shown(kind), text::shown(message)),
        ),
    };
    Ok(Some(match traceback {
        Some(traceback) => error.with_traceback(traceback),
        None => error,
    }))
}
