//! Requests that have been sent, in the hands of whoever sent them. Dropping one cancels it.

use super::alarm::Until;
use super::frame::Credit;
use super::link::{ClientLink, Elapsed};
use super::waiting::Answer;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use tokio::time::Instant;

/// A request whose opening has not been answered.
#[derive(Debug)]
pub(crate) struct InFlight<'a> {
    link: &'a Arc<ClientLink>,
    id: u64,
    /// Whoever waits was told to the link when it was sent, and need not look before it is woken.
    is_awaited: bool,
    /// Something is left to be cancelled.
    armed: bool,
}

impl<'a> InFlight<'a> {
    pub(super) fn new(link: &'a Arc<ClientLink>, id: u64, is_awaited: bool) -> Self {
        Self {
            link,
            id,
            is_awaited,
            armed: true,
        }
    }

    /// Waits for the answer to the opening, and no longer than this. Given once. Cancel safe.
    pub(super) async fn answer(&mut self, until: Option<Until>) -> Result<Answer, Elapsed> {
        let answer = poll_fn(|cx| {
            if std::mem::take(&mut self.is_awaited) {
                return Poll::Pending;
            }
            self.link.poll_answer(self.id, cx, until)
        });
        let (answer, is_over) = answer.await?;
        self.armed = !is_over;
        Ok(answer)
    }

    /// When the instance last said that the request is queued or running.
    pub(crate) fn heard(&self) -> Option<Instant> {
        self.link.heard_of(self.id)
    }

    /// Cancels now. `true` if the request had not been written, and so surely did not run.
    pub(crate) fn cancel(mut self) -> bool {
        self.armed = false;
        self.link.cancel(self.id)
    }

    /// The stream that goes on after its opening.
    pub(crate) fn stream(mut self) -> OpenStream {
        OpenStream {
            link: Arc::clone(self.link),
            id: self.id,
            armed: std::mem::take(&mut self.armed),
        }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.link.cancel(self.id);
        }
    }
}

/// A stream that has been accepted.
#[derive(Debug)]
pub(crate) struct OpenStream {
    link: Arc<ClientLink>,
    id: u64,
    armed: bool,
}

impl OpenStream {
    /// Lets the server send more.
    pub(crate) fn allow(&self, credit: Credit) {
        self.link.allow(self.id, credit);
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        if self.armed {
            self.link.cancel(self.id);
        }
    }
}
