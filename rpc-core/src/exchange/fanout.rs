//! The same cast to every server of a topic.

use super::Outbound;
use super::routes::Route;
use crate::transport::{BoxFuture, Parts};
use crate::{ErrorKind, Fanout, FanoutError, FanoutIncomplete, RpcError};
use bytes::Bytes;
use futures_util::future::join_all;
use std::sync::Arc;
use tokio::time::Instant;

/// Sends a cast to every server of its topic, or to the one that the target names.
pub(crate) fn fanout(
    outbound: Arc<Outbound>,
    parts: Parts,
    args: Bytes,
) -> BoxFuture<Result<Fanout, FanoutError>> {
    let round = Round {
        outbound,
        parts,
        args,
        accepted: Vec::new(),
        unknown: Vec::new(),
    };
    round.run()
}

/// One round of sending, and what earlier ones achieved.
struct Round {
    outbound: Arc<Outbound>,
    parts: Parts,
    args: Bytes,
    accepted: Vec<String>,
    unknown: Vec<(String, RpcError)>,
}

impl Round {
    fn run(self) -> BoxFuture<Result<Fanout, FanoutError>> {
        Box::pin(self.send())
    }

    async fn send(mut self) -> Result<Fanout, FanoutError> {
        let started = Instant::now();
        let (mut routes, unreached) = self
            .recipients()
            .await
            .map_err(|error| self.of_message(error, started))?;
        routes.retain(|route| !self.is_done(&route.service.server));
        if routes.is_empty() && self.accepted.is_empty() && self.unknown.is_empty() {
            let error = RpcError::new(ErrorKind::Undeliverable, self.outbound.absence());
            return Err(FanoutError::Rpc(self.of_message(error, started)));
        }
        let sent = join_all(
            routes
                .iter()
                .map(|route| self.outbound.cast_to(route, &self.parts, self.args.clone())),
        )
        .await;
        let mut refused = Vec::new();
        for (route, result) in routes.iter().zip(sent) {
            let server = route.service.server.clone();
            match result.map_err(|error| self.of_message(error, started)) {
                Ok(()) => self.accepted.push(server),
                Err(error) if error.may_have_run() => self.unknown.push((server, error)),
                Err(error) => refused.push((server, error)),
            }
        }
        if refused.is_empty() && self.unknown.is_empty() && unreached.is_empty() {
            return Ok(Fanout::new(self.accepted));
        }
        let Self {
            outbound,
            mut parts,
            args,
            accepted,
            unknown,
        } = self;
        Err(FanoutError::Incomplete(FanoutIncomplete::new(
            accepted,
            refused,
            unreached,
            unknown,
            Box::new(move |accepted, unknown| {
                parts.deadline = Instant::now() + parts.timeout;
                outbound.unsettle();
                let round = Self {
                    outbound,
                    parts,
                    args,
                    accepted,
                    unknown,
                };
                round.run()
            }),
        )))
    }

    async fn recipients(&self) -> Result<(Vec<Arc<Route>>, Vec<(String, String)>), RpcError> {
        if self.parts.target.server_name().is_some() {
            let route = self.outbound.route(&self.parts, &[]).await?;
            return Ok((vec![route], Vec::new()));
        }
        Ok(self.outbound.everyone(&self.parts).await)
    }

    fn is_done(&self, server: &str) -> bool {
        let unknown = self.unknown.iter().map(|(server, _)| server);
        self.accepted
            .iter()
            .chain(unknown)
            .any(|done| done == server)
    }

    fn of_message(&self, error: RpcError, started: Instant) -> RpcError {
        error.of_message(
            self.parts.method.name(),
            &self.parts.target,
            Some(started.elapsed()),
        )
    }
}
