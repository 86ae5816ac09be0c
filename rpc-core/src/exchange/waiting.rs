//! Who waits for the answer to a request, and what each kind of frame is to them.

use super::frame::{self, Fail, Frame, Kind};
use super::stream::{Batch, End, StreamQueue};
use crate::{ErrorKind, RpcError, text};
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::oneshot;

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
pub(super) struct Waiting {
    /// What was sent: a call, a cast or a multicall.
    kind: Kind,
    /// Taken once the opening has been answered; a stream goes on after that.
    opening: Option<oneshot::Sender<Answer>>,
    stream: Option<Arc<StreamQueue>>,
}

impl Waiting {
    pub(super) fn new(
        kind: Kind,
        stream: Option<Arc<StreamQueue>>,
    ) -> (Self, oneshot::Receiver<Answer>) {
        let (opening, answer) = oneshot::channel();
        let waiting = Self {
            kind,
            opening: Some(opening),
            stream,
        };
        (waiting, answer)
    }

    pub(super) fn is_cast(&self) -> bool {
        self.kind == Kind::Cast
    }

    pub(super) fn stream(&self) -> Option<&Arc<StreamQueue>> {
        self.stream.as_ref()
    }

    /// Whether nothing follows a frame of this kind.
    pub(super) fn ends_with(&self, kind: Kind) -> bool {
        match kind {
            Kind::Items => false,
            Kind::Accept => self.kind == Kind::Cast,
            _ => true,
        }
    }

    /// What a frame is for, after which others follow.
    pub(super) fn step(&mut self, kind: Kind) -> Step {
        match (&self.stream, kind) {
            (Some(_), Kind::Accept) if self.opening.is_some() => {
                Step::Accepted(self.opening.take())
            }
            (Some(stream), Kind::Items) if self.opening.is_none() => {
                Step::Items(Arc::clone(stream))
            }
            _ => Step::Broken(format!(
                "{kind:?} answers a {:?}, or comes at the wrong time",
                self.kind
            )),
        }
    }

    /// Gives the last frame to whoever waits. An error says which rule the node broke; it has been told as well.
    pub(super) fn end(self, kind: Kind, frame: Frame) -> Result<(), String> {
        let answer = match (self.kind, kind) {
            (Kind::Call, Kind::Reply) => Answer::Value(frame.body),
            (Kind::Cast, Kind::Accept) => Answer::Accepted,
            (Kind::Multicall, Kind::End) if self.opening.is_none() => return self.complete(&frame),
            (_, Kind::Fail) => match failure(&frame) {
                Ok(Some(error)) => Answer::Failed(error),
                Ok(None) if self.kind == Kind::Call || self.opening.is_none() => {
                    Answer::MethodError(frame.body)
                }
                Ok(None) => {
                    return self.broken("it failed by an error of the method before it ran");
                }
                Err(error) => {
                    return self.broken(&format!("a failure that can't be read: {error}"));
                }
            },
            (_, Kind::Unsupported) if self.opening.is_some() => Answer::Failed(RpcError::new(
                ErrorKind::UnsupportedVersion,
                "the node does not know this kind of message: it speaks an older protocol",
            )),
            _ => {
                let text = format!(
                    "{kind:?} answers a {:?}, or comes at the wrong time",
                    self.kind
                );
                return self.broken(&text);
            }
        };
        self.answer(answer);
        Ok(())
    }

    fn complete(self, frame: &Frame) -> Result<(), String> {
        let completed = frame::parse_numbers::<1>(&frame.header)
            .map_err(|error| error.to_string())
            .and_then(|[count]| {
                self.stream
                    .as_ref()
                    .map_or(Ok(()), |stream| stream.complete(count))
            });
        match completed {
            Ok(()) => Ok(()),
            Err(text) => self.broken(&text),
        }
    }

    /// The node broke a rule: the request has failed.
    pub(super) fn broken(self, text: &str) -> Result<(), String> {
        self.answer(Answer::Failed(RpcError::new(
            ErrorKind::DecodeReply,
            format!("the answer breaks the protocol: {text}"),
        )));
        Err(text.to_owned())
    }

    /// Tells whoever waits: the opening if it is still open, the stream otherwise.
    pub(super) fn answer(self, answer: Answer) {
        if let Some(opening) = self.opening {
            return respond(Some(opening), answer);
        }
        let Some(stream) = self.stream else {
            return;
        };
        stream.end(match answer {
            Answer::MethodError(body) => End::Method(body),
            Answer::Failed(error) => End::Failed(error),
            Answer::Lost(reason) => End::Failed(RpcError::new(
                ErrorKind::PeerLost,
                format!("the link was lost in the middle of the stream: {reason}"),
            )),
            // an opening is answered by these, never a stream
            Answer::Value(_) | Answer::Accepted | Answer::Unwritten => End::Complete,
        });
    }
}

/// What to do with a frame after which others follow.
#[derive(Debug)]
pub(super) enum Step {
    Accepted(Option<oneshot::Sender<Answer>>),
    Items(Arc<StreamQueue>),
    Broken(String),
}

impl Step {
    /// Does it. An error says which rule the node broke.
    pub(super) fn take(self, frame: Frame) -> Result<(), String> {
        match self {
            Self::Accepted(opening) => {
                respond(opening, Answer::Accepted);
                Ok(())
            }
            Self::Items(stream) => {
                let [first, count] =
                    frame::parse_numbers(&frame.header).map_err(|error| error.to_string())?;
                stream.push(Batch {
                    first,
                    count,
                    items: frame.body,
                })
            }
            Self::Broken(text) => Err(text),
        }
    }
}

fn respond(opening: Option<oneshot::Sender<Answer>>, answer: Answer) {
    if let Some(opening) = opening {
        // whoever waited may have gone at this very moment
        let _ = opening.send(answer);
    }
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
