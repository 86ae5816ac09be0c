//! The stream of a gather.

use super::Older;
use super::call::Sending;
use super::request::{Prepared, Request};
use crate::transport::Gathering;
use crate::{CallError, Outcome};
use futures_core::Stream;
use serde::de::DeserializeOwned;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A gather: a stream of the answers that every server of the topic gives to one call.
///
/// It asks the servers that a fanout at that moment would reach, or the one that the client is prepared for. Each yields exactly one item, as soon as
/// it has answered: its name, and what a call to it alone would have given: the answer, a refusal, or `PeerLost`. The stream
/// ends when all have answered, at its timeout at the latest; who has not answered by then yields `Timeout`. A node that was not reached is one item, too:
/// its address, and `Undeliverable`. What could be sent to nobody is one item with the error, under the name of the target.
///
/// `R` is what the method returns, as it is written in the trait: for a `Result<T, E>`, the items are
/// `(String, Result<T, CallError<E>>)`.
///
/// 256 servers are asked at once, and another each time that an answer has been read: no more than that is held, however many servers there are.
///
/// # Cancel safety
///
/// Nothing is sent before it is first polled. No answer is lost when a wait for the next one is dropped. Dropping the stream cancels the calls
/// that were not answered, as dropping a [`Call`](crate::Call) does.
#[must_use = "a gather is sent when it is polled"]
pub struct Gather<R> {
    opening: Sending<Gathering>,
    answers: Option<Gathering>,
    older: &'static [Older],
    done: bool,
    outcome: PhantomData<fn() -> R>,
}

impl<R> Gather<R> {
    pub(super) fn new(request: Request, older: &'static [Older]) -> Self {
        Self {
            opening: Sending::new(request),
            answers: None,
            older,
            done: false,
            outcome: PhantomData,
        }
    }
}

impl<R> Prepared for Gather<R> {
    fn request(&mut self) -> Option<&mut Request> {
        // what was asked is cancelled
        self.answers = None;
        self.opening.request()
    }

    fn take(&mut self) -> Option<Request> {
        self.opening.take()
    }
}

impl<R> Stream for Gather<R>
where
    R: Outcome,
    R::Value: DeserializeOwned + 'static,
    R::Error: DeserializeOwned,
{
    type Item = (String, Result<R::Value, CallError<R::Error>>);

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.done {
            return Poll::Ready(None);
        }
        let answers = match &mut this.answers {
            Some(answers) => answers,
            None => {
                let target = this.opening.target();
                let opened = ready!(this.opening.poll(cx, |driver, message| {
                    Box::pin(std::future::ready(Ok(driver.gather(message))))
                }));
                match opened {
                    Ok(answers) => this.answers.insert(answers),
                    Err(error) => {
                        this.done = true;
                        return Poll::Ready(Some((target, Err(CallError::Rpc(error)))));
                    }
                }
            }
        };
        let answer = ready!(answers.as_mut().poll_next(cx));
        this.done = answer.is_none();
        Poll::Ready(answer.map(|(server, answer)| {
            let answer = this.opening.outcome(answer, this.older);
            (server, answer)
        }))
    }
}

impl<R> fmt::Debug for Gather<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gather({})", &*self.opening.method)
    }
}
