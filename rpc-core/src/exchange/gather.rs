//! The same call to every server of a topic, and their answers as they come.

use super::Outbound;
use super::link::Kept;
use super::request::{Body, Opened};
use super::routes::Route;
use super::search::Rounds;
use super::settled::Settled;
use crate::args::Args;
use crate::transport::{Gathering, Message, Parts, Response};
use crate::{ErrorKind, RpcError, lock};
use futures_util::future::BoxFuture;
use futures_util::stream::{self, FuturesUnordered, StreamExt};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use tokio::time::{Instant, sleep_until};

/// So many servers are asked at once; the others wait until an answer has been read. It bounds what a gather holds.
pub(crate) const GATHER_AT_ONCE: usize = 256;

type Answer = (String, Result<Response, RpcError>);

/// Asks every server of a message's topic, or the one that the target names. Dropping the answers cancels what is asked.
pub(crate) fn gather(outbound: Arc<Outbound>, message: Message) -> Gathering {
    let Message { parts, args } = message;
    let shared = Arc::new(Shared {
        outbound,
        parts,
        args,
    });
    if shared.parts.target.server_name().is_some() {
        return Box::pin(stream::once(one(shared)));
    }
    let rounds = Rounds::new(shared.parts.patience, &lock(&shared.outbound.table));
    let all = All {
        shared,
        rounds,
        known: HashSet::new(),
        waiting: VecDeque::new(),
        asking: FuturesUnordered::new(),
        found: false,
        unreached: Vec::new(),
        rest: None,
    };
    Box::pin(stream::unfold(all, All::next))
}

struct Shared {
    outbound: Arc<Outbound>,
    parts: Parts,
    args: Args,
}

impl Shared {
    /// The link is kept until the server has answered.
    async fn ask(self: Arc<Self>, route: Arc<Route>, _kept: Kept) -> Answer {
        let sent = self.outbound.request_to(&route, &self.parts, &self.args);
        let answer = match sent.await {
            Ok(Opened::Answered(response)) => Ok(response),
            Ok(Opened::Accepted | Opened::Stream(..)) => Err(RpcError::new(
                ErrorKind::DecodeReply,
                "the server accepted the call without a reply",
            )),
            Err(error) => Err(error),
        };
        (route.service.server.clone(), answer)
    }

    fn of_message(&self, error: RpcError) -> RpcError {
        let elapsed = Instant::now().saturating_duration_since(self.parts.sent);
        error.of_message(&self.parts.method, &self.parts.target, Some(elapsed))
    }

    fn undeliverable(&self, why: String) -> RpcError {
        self.of_message(RpcError::new(ErrorKind::Undeliverable, why))
    }
}

/// Asks the server that the target names.
async fn one(shared: Arc<Shared>) -> Answer {
    let mut args = shared.args.clone();
    let body = Body::of(&mut args, shared.parts.version);
    match shared.outbound.route(&shared.parts, &body, &[]).await {
        Ok(found) => {
            let kept = found.route.link.keep();
            Arc::clone(&shared).ask(found.route, kept).await
        }
        Err(error) => {
            let named = shared.parts.target.server_name().unwrap_or_default();
            (named.to_owned(), Err(shared.of_message(error)))
        }
    }
}

/// What is left of asking all.
struct All {
    shared: Arc<Shared>,
    rounds: Rounds,
    /// The servers that are asked, by name.
    known: HashSet<String>,
    /// Those that are not asked yet. Their links must not rest, however long the others take.
    waiting: VecDeque<(Arc<Route>, Kept)>,
    asking: FuturesUnordered<BoxFuture<'static, Answer>>,
    /// Every node has announced itself or could not be reached, and somebody was there: who comes now is not asked.
    found: bool,
    /// Who could not be reached by then. A link that has rested since is no loss.
    unreached: Vec<(String, String)>,
    /// Those to whom nothing was sent, once all others have answered.
    rest: Option<Vec<Answer>>,
}

impl All {
    /// The next answer. Cancel safe as a whole only: the stream keeps it.
    async fn next(mut self) -> Option<(Answer, Self)> {
        let shared = Arc::clone(&self.shared);
        let (outbound, deadline) = (&shared.outbound, shared.parts.deadline);
        while self.rest.is_none() {
            let mut changed = std::pin::pin!(outbound.changed.notified());
            // from here on, no change is missed
            changed.as_mut().enable();
            self.look();
            let late = Instant::now() >= deadline;
            if !late {
                self.ask();
            }
            if self.asking.is_empty() {
                let nobody = self.known.is_empty();
                if nobody
                    && (late
                        || self
                            .rounds
                            .are_over(&shared.parts.target, &mut lock(&outbound.table)))
                {
                    self.rest = Some(self.nobody());
                } else if self.found || late {
                    self.rest = Some(self.rest());
                }
            }
            if self.rest.is_some() {
                break;
            }
            tokio::select! {
                Some(answer) = self.asking.next() => return Some((answer, self)),
                () = &mut changed => {}
                // what is asked has the same deadline
                () = sleep_until(deadline), if !late => {}
            }
        }
        let answer = self.rest.as_mut()?.pop()?;
        Some((answer, self))
    }

    /// Looks who is there, until everybody is known.
    fn look(&mut self) {
        if self.found {
            return;
        }
        let Shared {
            outbound, parts, ..
        } = &*self.shared;
        let (routes, settled) = outbound.servers(parts, &Settled::default());
        for route in routes {
            if self.known.insert(route.service.server.clone()) {
                let kept = route.link.keep();
                self.waiting.push_back((route, kept));
            }
        }
        self.found = settled && !self.known.is_empty();
        if self.found {
            self.unreached = outbound.unreached(&parts.target);
        }
    }

    fn ask(&mut self) {
        while self.asking.len() < GATHER_AT_ONCE
            && let Some((route, kept)) = self.waiting.pop_front()
        {
            let asking = Arc::clone(&self.shared).ask(route, kept);
            self.asking.push(Box::pin(asking));
        }
    }

    fn nobody(&mut self) -> Vec<Answer> {
        let shared = Arc::clone(&self.shared);
        let unreached = self.unreached();
        if !unreached.is_empty() {
            return unreached;
        }
        let error = shared.of_message(shared.outbound.nobody(&shared.parts.target, &self.rounds));
        vec![(shared.parts.target.to_string(), Err(error))]
    }

    fn rest(&mut self) -> Vec<Answer> {
        let shared = Arc::clone(&self.shared);
        let unasked = self.waiting.drain(..).map(|(route, _)| {
            let error = shared.undeliverable(format!(
                "it was not asked before the deadline: {GATHER_AT_ONCE} others at once had not answered"
            ));
            let server = route.service.server.clone();
            (server, Err(error.of_server(&route.name())))
        });
        let mut rest: Vec<Answer> = unasked.collect();
        let shadowed = shared.outbound.shadowed(&shared.parts).into_iter();
        rest.extend(shadowed.map(|(server, error)| (server, Err(shared.of_message(error)))));
        rest.extend(self.unreached());
        rest
    }

    fn unreached(&mut self) -> Vec<Answer> {
        let Shared {
            outbound, parts, ..
        } = &*self.shared;
        let unreached = if self.found {
            std::mem::take(&mut self.unreached)
        } else {
            outbound.unreached(&parts.target)
        };
        let answer = |(address, reason): (String, String)| {
            let error = self
                .shared
                .undeliverable(format!("the node was not reached: {reason}"));
            (address, Err(error))
        };
        unreached.into_iter().map(answer).collect()
    }
}

#[cfg(test)]
mod tests;
