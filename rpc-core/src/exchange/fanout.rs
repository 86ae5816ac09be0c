//! The same cast to every server of a topic.

use super::Outbound;
use super::request::Body;
use super::routes::Route;
use super::search::Rounds;
use super::settled::Settled;
use crate::args::Args;
use crate::transport::{BoxFuture, Parts};
use crate::{Fanout, FanoutError, FanoutIncomplete, RpcError, lock};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::collections::HashSet;
use std::sync::Arc;
use tokio::time::{Instant, sleep_until};

/// Sends a cast to every server of its topic, or to the one that the target names.
pub(crate) fn fanout(
    outbound: Arc<Outbound>,
    parts: Parts,
    args: Args,
) -> BoxFuture<Result<Fanout, FanoutError>> {
    let round = Round {
        outbound,
        parts,
        args,
        settled: Settled::default(),
        accepted: Vec::new(),
        refused: Vec::new(),
        unknown: Vec::new(),
    };
    round.run()
}

/// One round of sending, and what earlier ones achieved.
struct Round {
    outbound: Arc<Outbound>,
    parts: Parts,
    args: Args,
    /// A node that is not linked counts as not reached once it has been dialled after this.
    settled: Settled,
    accepted: Vec<String>,
    /// Those that refused it in an earlier round, until they are asked again.
    refused: Vec<(String, RpcError)>,
    unknown: Vec<(String, RpcError)>,
}

impl Round {
    fn run(self) -> BoxFuture<Result<Fanout, FanoutError>> {
        Box::pin(self.send())
    }

    async fn send(mut self) -> Result<Fanout, FanoutError> {
        let unreached = if self.parts.target.server_name().is_some() {
            self.send_to_one().await?;
            Vec::new()
        } else {
            self.send_to_all().await?;
            self.refused.extend(self.outbound.shadowed(&self.parts));
            self.outbound.unreached(&self.parts.target)
        };
        if self.refused.is_empty() && self.unknown.is_empty() && unreached.is_empty() {
            return Ok(Fanout::new(self.accepted));
        }
        let Self {
            outbound,
            parts,
            args,
            accepted,
            refused,
            unknown,
            ..
        } = self;
        Err(FanoutError::Incomplete(FanoutIncomplete::new(
            accepted,
            refused,
            unreached,
            unknown,
            Box::new(move |accepted, refused, unknown| {
                let round = Self {
                    settled: outbound.settled(),
                    outbound,
                    parts: parts.renewed(),
                    args,
                    accepted,
                    refused,
                    unknown,
                };
                round.run()
            }),
        )))
    }

    async fn send_to_one(&mut self) -> Result<(), FanoutError> {
        let mut args = self.args.clone();
        let body = Body::of(&mut args, self.parts.version);
        let found = self
            .outbound
            .route(&self.parts, &body, &[])
            .await
            .map_err(|error| FanoutError::Rpc(self.of_message(error)))?;
        let sent = self
            .outbound
            .request_to(&found.route, &self.parts, &self.args)
            .await
            .map(drop);
        self.note(&found.route, sent);
        Ok(())
    }

    /// Sends to each server as soon as it is known, until every node has announced itself or could not be reached, and somebody
    /// was there.
    async fn send_to_all(&mut self) -> Result<(), FanoutError> {
        let (outbound, parts) = (Arc::clone(&self.outbound), self.parts.clone());
        let mut rounds = Rounds::new(parts.patience, &lock(&outbound.table));
        let packed = self.args.clone();
        let mut asked: HashSet<String> = self.accepted.iter().cloned().collect();
        asked.extend(self.unknown.iter().map(|(server, _)| server.clone()));
        let mut sending = FuturesUnordered::new();
        let mut deadline = std::pin::pin!(sleep_until(parts.deadline));
        loop {
            let mut changed = std::pin::pin!(outbound.changed.notified());
            // from here on, no change is missed
            changed.as_mut().enable();
            let (routes, settled) = outbound.servers(&parts, &self.settled);
            for route in routes {
                if asked.insert(route.service.server.clone()) {
                    let (outbound, parts, packed) = (&outbound, &parts, &packed);
                    sending.push(async move {
                        let sent = outbound.request_to(&route, parts, packed).await;
                        (route, sent.map(drop))
                    });
                }
            }
            // if nobody at all is there, somebody is waited for
            if asked.is_empty()
                && (deadline.is_elapsed()
                    || rounds.are_over(&parts.target, &mut lock(&outbound.table)))
            {
                if !self.refused.is_empty() {
                    // whoever refused it in an earlier round has gone since
                    return Ok(());
                }
                return Err(FanoutError::Rpc(
                    self.of_message(outbound.nobody(&parts.target, &rounds)),
                ));
            }
            let all = settled && !asked.is_empty();
            if sending.is_empty() && (all || deadline.is_elapsed()) {
                return Ok(());
            }
            tokio::select! {
                Some((route, sent)) = sending.next() => self.note(&route, sent),
                () = &mut changed => {}
                // what is on its way has the same deadline
                () = &mut deadline, if !deadline.is_elapsed() => {}
            }
        }
    }

    fn note(&mut self, route: &Route, sent: Result<(), RpcError>) {
        let server = route.service.server.clone();
        self.refused.retain(|(refused, _)| *refused != server);
        match sent {
            Ok(()) => self.accepted.push(server),
            Err(error) if error.may_have_run() => self.unknown.push((server, error)),
            Err(error) => self.refused.push((server, error)),
        }
    }

    fn of_message(&self, error: RpcError) -> RpcError {
        let elapsed = Instant::now().saturating_duration_since(self.parts.sent);
        error.of_message(&self.parts.method, &self.parts.target, Some(elapsed))
    }
}
