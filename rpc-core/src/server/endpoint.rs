//! The seam between a server and the code that `#[rpc_api]` generates: decode, call, encode.

use super::panics::Panic;
use crate::args::{ArgumentError, Frame};
use crate::codec::{self, Encoded};
use crate::context::Cancellable;
use crate::convert::Conversion;
use crate::transport::BoxFuture;
use crate::{ApiInfo, Context, ErrorKind, Outcome, Peer};
use futures_core::Stream;
use serde::Serialize;
use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{self, Poll};
use tokio::sync::Notify;

/// The implementation of one API, as a server calls it.
///
/// `#[rpc_api]` on a trait `Compute` generates `ComputeDispatcher<S>`, which is the endpoint of an `S: Compute`. There is no
/// need to implement this by hand.
pub trait Endpoint: Send + Sync + 'static {
    /// What is implemented.
    fn api(&self) -> &'static ApiInfo;

    /// Runs a method, by its index in [`ApiInfo::methods`].
    fn dispatch(&self, method: usize, incoming: Incoming) -> Running;
}

/// A handler that runs.
pub type Running = Pin<Box<dyn Future<Output = Result<Reply, Failure>> + Send>>;

/// A request, as generated code gets it.
pub struct Incoming {
    pub(super) context: Context,
    pub(super) frame: Frame,
    pub(super) responder: Arc<dyn Responder>,
}

impl Incoming {
    /// The context and the arguments.
    #[must_use]
    pub fn open(self) -> (Context, Frame) {
        (self.context.of_request(self.responder), self.frame)
    }

    /// The context, the arguments, and where the items of a multicall go.
    #[must_use]
    pub fn open_stream(self) -> (Context, Frame, ItemSink) {
        let sink = ItemSink(Arc::clone(&self.responder));
        (self.context.of_request(self.responder), self.frame, sink)
    }

    /// A request of which only the arguments are decoded.
    pub(crate) fn trial(frame: Frame) -> Self {
        Self::trial_of(1, frame)
    }

    /// The same, of a client that has so many requests.
    pub(crate) fn trial_of(places: usize, frame: Frame) -> Self {
        let peer = Peer::new("none", "nobody");
        Self {
            context: Context::new(),
            frame,
            responder: Arc::new(Nobody { peer, places }),
        }
    }

    /// The answer to an index that the API does not have.
    #[must_use]
    pub fn no_such_method(self) -> Running {
        Box::pin(async { Err(Failure(FailureKind::NoSuchMethod)) })
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

/// A method's encoded answer.
#[derive(Debug)]
pub struct Reply(pub(super) Ending);

impl Reply {
    /// The answer of a cast.
    #[must_use]
    pub fn none() -> Self {
        Self(Ending::Quiet)
    }
}

/// Why a handler has no answer.
#[derive(Debug)]
pub struct Failure(pub(super) FailureKind);

impl Failure {
    /// What is wrong with the arguments, if that is it.
    pub(crate) fn arguments(&self) -> Option<&ArgumentError> {
        match &self.0 {
            FailureKind::Arguments(error) => Some(error),
            _ => None,
        }
    }
}

#[derive(Debug)]
pub(super) enum FailureKind {
    Arguments(ArgumentError),
    Encode(codec::Error),
    NoSuchMethod,
    /// A middleware answered in its place.
    Refused(ErrorKind, String),
    /// It panicked under a middleware.
    Panicked(Panic),
}

impl From<ArgumentError> for Failure {
    #[cold]
    fn from(error: ArgumentError) -> Self {
        Self(FailureKind::Arguments(error))
    }
}

impl From<codec::Error> for Failure {
    #[cold]
    fn from(error: codec::Error) -> Self {
        Self(FailureKind::Encode(error))
    }
}

/// What encodes the outcome of a method. The one place with bounds on what a method returns, so that a type which does not
/// fit is one error.
#[must_use]
pub fn encoder<R>() -> fn(R) -> Result<Reply, Failure>
where
    R: Outcome,
    R::Value: Serialize,
    R::Error: Serialize,
{
    |outcome| {
        let mut encoded = Encoded::new();
        Ok(Reply(match outcome.into_result() {
            Ok(value) => {
                encoded.push(&value)?;
                Ending::Value(encoded)
            }
            Err(error) => {
                encoded.push(&error)?;
                Ending::MethodError(encoded)
            }
        }))
    }
}

/// Encodes the outcome of a method for a client that is older than a change of the answer's type: the value was an `Old`.
///
/// # Errors
///
/// When there is no old value for it, or it can't be encoded.
pub fn older_answer<C, R, Old>(outcome: R) -> Result<Reply, Failure>
where
    C: for<'a> Conversion<&'a R::Value, Old>,
    R: Outcome,
    R::Error: Serialize,
    Old: Serialize,
{
    let mut encoded = Encoded::new();
    Ok(Reply(match outcome.into_result() {
        Ok(value) => {
            let old = C::convert(&value).map_err(codec::Error::new)?;
            encoded.push(&old)?;
            Ending::Value(encoded)
        }
        Err(error) => {
            encoded.push(&error)?;
            Ending::MethodError(encoded)
        }
    }))
}

/// How a request ended, as it is answered.
#[derive(Debug)]
pub(crate) enum Ending {
    Value(Encoded),
    MethodError(Encoded),
    /// All items were sent: how many.
    StreamEnd(u64),
    Failed(ErrorKind, String),
    /// What is said of a panic, and where it was if that is to be told.
    Panicked(String, Option<Box<str>>),
    /// There is nothing to say, or nobody to say it to.
    Quiet,
}

/// Where a request came from and its answer goes. Each transport has its own.
pub(crate) trait Responder: Cancellable {
    fn peer(&self) -> &Peer;

    /// How many requests its client has at the node, this one included. `None` of one that comes and goes and leaves them behind.
    fn places(&self) -> Option<usize>;

    /// The request is in the server's queue, or runs.
    fn accepted(&self);

    /// The request is not taken in.
    fn refuse(&self, kind: ErrorKind, message: &str);

    /// Whether its client is behind with reading: then it begins in its turn.
    fn is_behind(&self) -> bool;

    /// Waits for that, or until nobody waits for the answer any more.
    fn turn(self: Arc<Self>) -> BoxFuture<()>;

    /// Nobody waits for it any more, or the server ends.
    fn cancel(&self);

    /// Ready when nobody waits for the answer any more.
    fn poll_cancelled(&self, cx: &mut task::Context<'_>) -> Poll<()>;

    /// How many items and bytes of a stream may be sent; ready when both are more than none.
    fn poll_credit(&self, cx: &mut task::Context<'_>) -> Poll<(u64, u64)>;

    /// Sends items of a stream, the first of which has this number.
    fn items(&self, first: u64, count: u64, items: Encoded);

    /// Answers. Called once.
    fn finish(&self, ending: Ending);
}

/// Who waits for the answer to a [trial](Incoming::trial).
struct Nobody {
    peer: Peer,
    places: usize,
}

impl Cancellable for Nobody {
    fn is_cast(&self) -> bool {
        false
    }

    fn is_cancelled(&self) -> bool {
        false
    }

    fn cancellation(&self) -> Arc<Notify> {
        Arc::default()
    }
}

impl Responder for Nobody {
    fn peer(&self) -> &Peer {
        &self.peer
    }

    fn places(&self) -> Option<usize> {
        Some(self.places)
    }

    fn accepted(&self) {}

    fn refuse(&self, _: ErrorKind, _: &str) {}

    fn is_behind(&self) -> bool {
        false
    }

    fn turn(self: Arc<Self>) -> BoxFuture<()> {
        Box::pin(async {})
    }

    fn cancel(&self) {}

    fn poll_cancelled(&self, _: &mut task::Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn poll_credit(&self, _: &mut task::Context<'_>) -> Poll<(u64, u64)> {
        Poll::Pending
    }

    fn items(&self, _: u64, _: u64, _: Encoded) {}

    fn finish(&self, _: Ending) {}
}

/// The most bytes of a stream's items that leave together, and the most items: others wait for their turn meanwhile.
const BATCH: u64 = 32 * 1024;
const BATCH_ITEMS: u64 = 1024;

/// Where the items of a multicall go.
pub struct ItemSink(Arc<dyn Responder>);

impl ItemSink {
    /// Sends all items of a stream, as far as the client's credit allows. Items that are ready together leave together.
    ///
    /// # Errors
    ///
    /// When an item can't be encoded.
    pub async fn send_all<R, St>(self, stream: St) -> Result<Reply, Failure>
    where
        R: Outcome,
        R::Value: Serialize,
        R::Error: Serialize,
        St: Stream<Item = R> + Send,
    {
        let mut stream = pin!(stream);
        let mut batch = Batch {
            responder: self.0,
            first: 0,
            count: 0,
            items: Encoded::new(),
        };
        poll_fn(move |cx| {
            let Poll::Ready((items, bytes)) = batch.responder.poll_credit(cx) else {
                return Poll::Pending;
            };
            let (items, bytes) = (items.min(BATCH_ITEMS), bytes.min(BATCH));
            while batch.count < items && (batch.items.len() as u64) < bytes {
                match stream.as_mut().poll_next(cx) {
                    Poll::Ready(Some(item)) => match item.into_result() {
                        Ok(value) => {
                            batch.items.push(&value)?;
                            batch.count += 1;
                        }
                        Err(error) => {
                            batch.flush();
                            let mut encoded = Encoded::new();
                            encoded.push(&error)?;
                            return Poll::Ready(Ok(Reply(Ending::MethodError(encoded))));
                        }
                    },
                    Poll::Ready(None) => {
                        batch.flush();
                        return Poll::Ready(Ok(Reply(Ending::StreamEnd(batch.first))));
                    }
                    Poll::Pending => {
                        batch.flush();
                        return Poll::Pending;
                    }
                }
            }
            batch.flush();
            // a stream that is always ready must not keep the writer from running
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }
}

impl fmt::Debug for ItemSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ItemSink")
    }
}

struct Batch {
    responder: Arc<dyn Responder>,
    first: u64,
    count: u64,
    items: Encoded,
}

impl Batch {
    fn flush(&mut self) {
        if self.count > 0 {
            // the next batch is likely to be as long
            let empty = Encoded::with_room_for(self.items.len());
            let items = std::mem::replace(&mut self.items, empty);
            self.responder.items(self.first, self.count, items);
            self.first += self.count;
            self.count = 0;
        }
    }
}

impl Drop for Batch {
    /// Items that were made before one that can't be encoded, or before a panic, are sent.
    fn drop(&mut self) {
        self.flush();
    }
}
