//! The stream of a multicall.

use super::call::Sending;
use super::request::{Prepared, Request, not_wanted};
use crate::exchange::{Batch, End, STREAM_CREDIT};
use crate::transport::{BoxFuture, ItemStream, Items};
use crate::{CallError, ErrorKind, Outcome, RpcError, codec};
use futures_core::Stream;
use serde::de::DeserializeOwned;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// A multicall: a stream of replies from one server.
///
/// Each item comes with its number; the server counts from 0. `R` is the item as it is written in the trait: for a stream of
/// `Result<T, E>` the items are `Result<(u64, T), CallError<E>>`. An error ends the stream, after the items that were sent
/// before it.
///
/// The server is at most 512 items or 256 KiB ahead of the consumer. The timeout is per item, and runs from the moment at which
/// the consumer asks for an item that is not there; a deadline in the context holds for the whole stream.
///
/// # Cancel safety
///
/// Nothing is sent before it is first polled. No item is lost when a wait for the next one is dropped. Dropping the stream
/// tells the server, which drops its own at the next await.
#[must_use = "a multicall is sent when it is polled"]
pub struct Multicall<R> {
    core: Core,
    outcome: PhantomData<fn() -> R>,
}

/// What is the same for all multicalls.
struct Core {
    opening: Sending<ItemStream>,
    timeout: Duration,
    /// What it was sent with.
    context: crate::Context,
    /// When the first item was asked for: its time is that of the opening.
    asked: Option<Instant>,
    stream: Option<Open>,
    done: bool,
}

/// A stream that the server has accepted.
struct Open {
    items: Box<dyn Items>,
    batch: Option<Batch>,
    /// How many bytes of the batch were read.
    at: usize,
    /// What was read and not reported yet.
    read: (u64, u64),
    timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
    /// Ready when the request that it is for is cancelled.
    unwanted: Option<BoxFuture<()>>,
}

impl<R> Multicall<R> {
    pub(super) fn new(request: Request) -> Self {
        let (timeout, context) = request.limits();
        Self {
            core: Core {
                opening: Sending::new(request),
                timeout,
                context,
                asked: None,
                stream: None,
                done: false,
            },
            outcome: PhantomData,
        }
    }
}

impl<R> Prepared for Multicall<R> {
    fn request(&mut self) -> Option<&mut Request> {
        // a stream that runs is cancelled
        self.core.stream = None;
        self.core.opening.request()
    }

    fn take(&mut self) -> Option<Request> {
        self.core.opening.take()
    }
}

impl<R> Stream for Multicall<R>
where
    R: Outcome,
    R::Value: DeserializeOwned,
    R::Error: DeserializeOwned,
{
    type Item = Result<(u64, R::Value), CallError<R::Error>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let core = &mut self.get_mut().core;
        if core.done {
            return Poll::Ready(None);
        }
        let item = match ready!(core.poll_item(cx)) {
            Ok((number, range)) => core
                .decode(range)
                .map(|value| (number, value))
                .map_err(CallError::Rpc),
            Err(End::Complete) => {
                core.end();
                return Poll::Ready(None);
            }
            Err(End::Method(error)) => Err(core.opening.method_error(&error)),
            Err(End::Failed(error)) => Err(CallError::Rpc(core.opening.failed(error))),
        };
        if item.is_err() {
            core.end();
        }
        Poll::Ready(Some(item))
    }
}

impl Core {
    /// The number of the next item, and where in the batch it is.
    fn poll_item(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(u64, std::ops::Range<usize>), End>> {
        if self.stream.is_none() {
            self.asked.get_or_insert_with(Instant::now);
        }
        let open = match &mut self.stream {
            Some(open) => open,
            None => match ready!(
                self.opening
                    .poll(cx, |driver, message| driver.multicall(message))
            ) {
                Ok(stream) => self.stream.insert(Open::new(stream, &self.context)),
                Err(error) => return Poll::Ready(Err(End::Failed(error))),
            },
        };
        if self.context.is_cancelled() {
            return Poll::Ready(Err(End::Failed(not_wanted())));
        }
        let deadline = self.context.deadline();
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            let error = RpcError::new(
                ErrorKind::Timeout,
                "the deadline passed; the server was told to stop",
            );
            return Poll::Ready(Err(End::Failed(error)));
        }
        loop {
            if let Some(batch) = &mut open.batch
                && batch.count > 0
            {
                let start = open.at;
                let end = codec::skip(&batch.items, start)
                    .map_err(|error| End::Failed(self.opening.undecodable("item", error)))?;
                let number = batch.first;
                batch.first += 1;
                batch.count -= 1;
                open.at = end;
                open.read.0 += 1;
                open.read.1 += (end - start) as u64;
                if batch.count == 0 && end < batch.items.len() {
                    let error = codec::Error::new("bytes follow the items");
                    return Poll::Ready(Err(End::Failed(self.opening.undecodable("item", error))));
                }
                if open.read.0 >= STREAM_CREDIT.items / 2 || open.read.1 >= STREAM_CREDIT.bytes / 2
                {
                    let (items, bytes) = std::mem::take(&mut open.read);
                    open.items.consumed(items, bytes);
                }
                return Poll::Ready(Ok((number, start..end)));
            }
            match open.items.poll_batch(cx) {
                Poll::Ready(Ok(batch)) => {
                    open.batch = Some(batch);
                    open.at = 0;
                    open.waiting = false;
                    self.asked = None;
                }
                Poll::Ready(Err(end)) => return Poll::Ready(Err(end)),
                Poll::Pending => {
                    if let Some(unwanted) = &mut open.unwanted
                        && unwanted.as_mut().poll(cx).is_ready()
                    {
                        return Poll::Ready(Err(End::Failed(not_wanted())));
                    }
                    let asked = self.asked.unwrap_or_else(Instant::now);
                    ready!(open.poll_timer(cx, asked.checked_add(self.timeout), deadline));
                    let error = RpcError::new(
                        ErrorKind::Timeout,
                        format!(
                            "item {} did not arrive in time; the server was told to stop",
                            open.items.arrived()
                        ),
                    );
                    return Poll::Ready(Err(End::Failed(error)));
                }
            }
        }
    }

    fn decode<T: DeserializeOwned>(&self, range: std::ops::Range<usize>) -> Result<T, RpcError> {
        let batch = self.stream.as_ref().and_then(|open| open.batch.as_ref());
        let item = batch
            .and_then(|batch| batch.items.get(range))
            .unwrap_or_default();
        codec::decode_checked(item).map_err(|error| self.opening.undecodable("item", error))
    }

    /// Ends it: if the server still sends, it is told to stop.
    fn end(&mut self) {
        self.done = true;
        self.stream = None;
    }
}

impl Open {
    fn new(stream: ItemStream, context: &crate::Context) -> Self {
        let unwanted = |context: crate::Context| -> BoxFuture<()> {
            Box::pin(async move { context.cancelled().await })
        };
        Self {
            items: stream.0,
            batch: None,
            at: 0,
            read: (0, 0),
            timer: None,
            waiting: false,
            unwanted: context.is_cancellable().then(|| unwanted(context.clone())),
        }
    }

    /// Runs from the moment at which the consumer began to wait.
    fn poll_timer(
        &mut self,
        cx: &mut Context<'_>,
        by_item: Option<Instant>,
        deadline: Option<Instant>,
    ) -> Poll<()> {
        if !self.waiting {
            let Some(end) = [by_item, deadline].into_iter().flatten().min() else {
                return Poll::Pending;
            };
            match &mut self.timer {
                Some(timer) => timer.as_mut().reset(end),
                None => self.timer = Some(Box::pin(sleep_until(end))),
            }
            self.waiting = true;
        }
        match &mut self.timer {
            Some(timer) => timer.as_mut().poll(cx),
            None => Poll::Pending,
        }
    }
}

impl<R> fmt::Debug for Multicall<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Multicall({})", &*self.core.opening.method)
    }
}
