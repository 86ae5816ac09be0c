//! The future of a fanout, and what it may come to.

use super::call::Sending;
use super::request::{Prepared, Request};
use crate::name::Name;
use crate::transport::BoxFuture;
use crate::{Client, ErrorKind, RpcError, text};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Every server of the topic has accepted the message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fanout {
    /// The servers, by name.
    pub accepted: Vec<String>,
}

impl Fanout {
    pub(crate) fn new(mut accepted: Vec<String>) -> Self {
        accepted.sort();
        Self { accepted }
    }
}

/// A fanout that did not reach everybody.
#[derive(Debug)]
pub enum FanoutError {
    /// Some servers may not have it.
    Incomplete(FanoutIncomplete),
    /// It was sent to nobody.
    Rpc(RpcError),
}

impl From<FanoutIncomplete> for FanoutError {
    fn from(incomplete: FanoutIncomplete) -> Self {
        Self::Incomplete(incomplete)
    }
}

impl From<RpcError> for FanoutError {
    fn from(error: RpcError) -> Self {
        Self::Rpc(error)
    }
}

impl fmt::Display for FanoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incomplete(incomplete) => incomplete.fmt(f),
            Self::Rpc(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for FanoutError {
    /// What is behind an [`RpcError`].
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Incomplete(_) => None,
            Self::Rpc(error) => std::error::Error::source(error),
        }
    }
}

impl From<FanoutError> for RpcError {
    /// The error of a cast that went to every server. Its kind says whether it may have run anywhere.
    fn from(error: FanoutError) -> Self {
        let incomplete = match error {
            FanoutError::Rpc(error) => return error,
            FanoutError::Incomplete(incomplete) => incomplete,
        };
        let kind = if incomplete.accepted.is_empty() && incomplete.unknown.is_empty() {
            let refusal = incomplete.refused.first();
            refusal.map_or(ErrorKind::Undeliverable, |(_, error)| error.kind())
        } else {
            ErrorKind::Incomplete
        };
        Self::new(kind, incomplete.to_string()).with_source(incomplete)
    }
}

type Failures = Vec<(String, RpcError)>;
type Again = Box<
    dyn FnOnce(Vec<String>, Failures, Failures) -> BoxFuture<Result<Fanout, FanoutError>>
        + Send
        + Sync,
>;

impl FanoutError {
    /// Keeps the transport alive for another try.
    fn kept_by(self, client: Option<Client>) -> Self {
        match self {
            Self::Incomplete(incomplete) => Self::Incomplete(FanoutIncomplete {
                client,
                ..incomplete
            }),
            rpc @ Self::Rpc(_) => rpc,
        }
    }
}

/// Which servers accepted a fanout, and which did not.
#[non_exhaustive]
pub struct FanoutIncomplete {
    /// These have it.
    pub accepted: Vec<String>,
    /// These refused it, or were lost before it was written to them. It surely did not run there.
    pub refused: Vec<(String, RpcError)>,
    /// The addresses of nodes that were not reached, and why.
    pub unreached: Vec<(String, String)>,
    /// It was sent to these, and no answer came. It may have run there.
    pub unknown: Vec<(String, RpcError)>,
    again: Again,
    /// What carries it: it must live as long as this can be tried again.
    client: Option<Client>,
}

impl FanoutIncomplete {
    pub(crate) fn new(
        mut accepted: Vec<String>,
        refused: Vec<(String, RpcError)>,
        unreached: Vec<(String, String)>,
        unknown: Vec<(String, RpcError)>,
        again: Again,
    ) -> Self {
        accepted.sort();
        Self {
            accepted,
            refused,
            unreached,
            unknown,
            again,
            client: None,
        }
    }

    /// Sends it once more, with the timeout of the first time, to every server that surely did not run it: those that refused,
    /// those on nodes that were not reached and are now, and those that have come since.
    ///
    /// It waits until each node that was not reached has been dialled again, and no longer: for one that stays away, call it
    /// again on what it returns.
    ///
    /// # Errors
    ///
    /// When it is still incomplete. Servers that were [`unknown`](Self::unknown) stay so.
    pub async fn retry(self) -> Result<Fanout, FanoutError> {
        let client = self.client;
        let result = (self.again)(self.accepted, self.refused, self.unknown).await;
        result.map_err(|error| error.kept_by(client))
    }
}

impl fmt::Display for FanoutIncomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failures = |failures: &[(String, RpcError)]| {
            let list: Vec<String> = failures
                .iter()
                .take(8)
                .map(|(server, error)| format!("{}: {}", text::shown(server), error.message()))
                .collect();
            list.join("; ")
        };
        write!(
            f,
            "the fanout is incomplete: {} accepted",
            self.accepted.len()
        )?;
        if !self.refused.is_empty() {
            write!(
                f,
                ", {} refused ({})",
                self.refused.len(),
                failures(&self.refused)
            )?;
        }
        if !self.unknown.is_empty() {
            write!(
                f,
                ", {} unknown ({})",
                self.unknown.len(),
                failures(&self.unknown)
            )?;
        }
        if !self.unreached.is_empty() {
            let nodes: Vec<String> = self
                .unreached
                .iter()
                .take(8)
                .map(|(address, reason)| format!("{address}: {reason}"))
                .collect();
            write!(
                f,
                ", {} not reached ({})",
                self.unreached.len(),
                nodes.join("; ")
            )?;
        }
        Ok(())
    }
}

impl fmt::Debug for FanoutIncomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FanoutIncomplete")
            .field("accepted", &self.accepted)
            .field("refused", &self.refused)
            .field("unreached", &self.unreached)
            .field("unknown", &self.unknown)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for FanoutIncomplete {}

/// A fanout: a future that sends a cast to every server of the topic, and waits until all have accepted it.
///
/// Within its deadline it first waits until every node that the transport's URL lists has announced its servers or could not
/// be reached. Prepared with a server, it goes only to that one.
///
/// # Cancel safety
///
/// Dropping it withdraws what was not written. The rest may be accepted and run.
#[must_use = "a fanout is sent when it is awaited"]
pub struct FanoutCast(Sending<Fanout, FanoutError>);

impl FanoutCast {
    pub(super) fn new(request: Request) -> Self {
        Self(Sending::new(request))
    }

    /// What was changed after it had been sent.
    pub(super) fn late(method: Name) -> Self {
        Self(Sending::late(method))
    }
}

impl Prepared for FanoutCast {
    fn request(&mut self) -> Option<&mut Request> {
        self.0.request()
    }

    fn take(&mut self) -> Option<Request> {
        self.0.take()
    }
}

impl Future for FanoutCast {
    type Output = Result<Fanout, FanoutError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = std::task::ready!(self.0.poll(cx, |driver, message| driver.fanout(message)));
        Poll::Ready(result.map_err(|error| error.kept_by(self.0.client().cloned())))
    }
}

impl fmt::Debug for FanoutCast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FanoutCast({})", &*self.0.method)
    }
}
