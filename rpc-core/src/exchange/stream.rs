//! The client's end of a multicall: items that arrived and were not read yet.

use super::execution::signed;
use super::frame::Credit;
use crate::sync::Mutex;
use crate::wake::wake;
use crate::{RpcError, lock};
use bytes::Bytes;
use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

const CREDIT_ITEMS: u64 = 512;
const CREDIT_BYTES: u64 = 256 * 1024;

/// How far a server may be ahead of the consumer of one stream.
pub(crate) const STREAM_CREDIT: Credit = Credit {
    items: CREDIT_ITEMS,
    bytes: CREDIT_BYTES,
};

/// Several items that arrived together: their encoded values one after another.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) first: u64,
    pub(crate) count: u64,
    pub(crate) items: Bytes,
}

/// How a stream ended.
#[derive(Debug)]
pub(crate) enum End {
    /// The server sent everything.
    Complete,
    /// The method's own error.
    Method(Bytes),
    /// Anything else.
    Failed(RpcError),
}

/// The queue between a link and the consumer of a stream. The credit that the client gives bounds it.
#[derive(Debug)]
pub(crate) struct StreamQueue {
    /// The server's name, for errors.
    server: String,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    batches: VecDeque<Batch>,
    end: Option<End>,
    /// The number of the item that comes next.
    next: u64,
    /// What the server may still send.
    items: u64,
    /// Below zero after an item that was larger than what was left.
    bytes: i64,
    consumer: Option<Waker>,
}

impl StreamQueue {
    pub(crate) fn new(server: String, credit: Credit) -> Self {
        Self {
            server,
            state: Mutex::new(State {
                batches: VecDeque::new(),
                end: None,
                next: 0,
                items: credit.items,
                bytes: signed(credit.bytes),
                consumer: None,
            }),
        }
    }

    /// Takes items from the link. An error says which rule the server broke.
    pub(crate) fn push(&self, batch: Batch) -> Result<(), String> {
        let mut state = lock(&self.state);
        if state.end.is_some() {
            return Ok(());
        }
        if batch.first != state.next {
            return Err(format!(
                "item {} arrived where item {} was expected",
                batch.first, state.next
            ));
        }
        // each item takes a byte at least
        if batch.count == 0 || batch.count > batch.items.len() as u64 {
            return Err(format!(
                "{} items in {} bytes",
                batch.count,
                batch.items.len()
            ));
        }
        // one item may be larger than what is left of the bytes, or it could never be sent
        if batch.count > state.items || state.bytes <= 0 {
            return Err("the server sent more than it was allowed to".into());
        }
        state.items -= batch.count;
        state.bytes = state.bytes.saturating_sub(signed(batch.items.len() as u64));
        state.next += batch.count;
        state.batches.push_back(batch);
        let consumer = state.consumer.take();
        drop(state);
        wake(consumer);
        Ok(())
    }

    /// The server has sent everything, and says how many items that was.
    pub(crate) fn complete(&self, count: u64) -> Result<(), String> {
        let next = lock(&self.state).next;
        if count != next {
            return Err(format!(
                "the stream ended after {count} items, {next} have arrived"
            ));
        }
        self.end(End::Complete);
        Ok(())
    }

    /// Nothing comes after this. The first end counts.
    pub(crate) fn end(&self, end: End) {
        let mut state = lock(&self.state);
        if state.end.is_none() {
            state.end = Some(end);
            let consumer = state.consumer.take();
            drop(state);
            wake(consumer);
        }
    }

    /// The server has been allowed to send more.
    pub(crate) fn allow(&self, credit: Credit) {
        let mut state = lock(&self.state);
        state.items += credit.items;
        state.bytes = state.bytes.saturating_add(signed(credit.bytes));
    }

    /// The number of items that have arrived.
    pub(crate) fn arrived(&self) -> u64 {
        lock(&self.state).next
    }

    /// The next items; `Err` once all were taken and the stream has ended.
    pub(crate) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Result<Batch, End>> {
        let mut state = lock(&self.state);
        if let Some(batch) = state.batches.pop_front() {
            return Poll::Ready(Ok(batch));
        }
        match state.end.take() {
            Some(end) => {
                // so that it stays ended
                state.end = Some(End::Complete);
                Poll::Ready(Err(match end {
                    End::Failed(error) => End::Failed(error.of_server(&self.server)),
                    end => end,
                }))
            }
            None => {
                state.consumer = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}
