//! One message on its way to one server: find it, wait for a place, send, wait for the answer.

use super::Outbound;
use super::frame::{self, Kind, RequestHeader};
use super::link::{InFlight, Place};
use super::nodes::{Settled, version_at};
use super::routes::{Nobody, Route};
use super::stream::{STREAM_CREDIT, StreamQueue};
use super::waiting::Answer;
use crate::args::Packed;
use crate::codec::{self, Encoded};
use crate::transport::{Message, Parts, Response};
use crate::{ErrorKind, MethodKind, RpcError, Version, lock};
use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tokio::time::timeout_at;

impl Outbound {
    /// Sends a message to one server, and waits until its opening is answered: a call has its value then, a cast or multicall
    /// is accepted.
    ///
    /// What was never written to a link may go to another server; what was written is never sent again.
    pub(crate) async fn request(&self, message: &mut Message) -> Result<Opened, RpcError> {
        let parts = &message.parts;
        let args = &mut message.args;
        self.counters.requests_sent.fetch_add(1, Relaxed);
        let result = self.attempts(parts, args).await.map_err(|error| {
            self.counters.requests_failed.fetch_add(1, Relaxed);
            error.of_message(
                parts.method.name(),
                &parts.target,
                Some(parts.sent.elapsed()),
            )
        });
        if tracing::enabled!(tracing::Level::DEBUG) {
            let outcome = result
                .as_ref()
                .map_or_else(|error| error.kind().name(), |_| "ok");
            tracing::debug!(name: "rpc.request.answered", method = parts.method.name(), target = %parts.target, outcome,
                elapsed = ?parts.sent.elapsed(), "request answered");
        }
        result
    }

    async fn attempts(&self, parts: &Parts, args: &mut Packed) -> Result<Opened, RpcError> {
        let mut body = Body::Packed(args);
        let mut tried: Vec<Arc<Route>> = Vec::new();
        let mut refusal: Option<RpcError> = None;
        loop {
            let Found { route, version } = match refusal.take() {
                None => self.route(parts, &body, &tried).await?,
                // somebody was there and refused: who else is there now is asked, but nobody is waited for
                Some(error) => {
                    let found = lock(&self.table).find(parts, &body, &tried);
                    let Ok(Ok(found)) = found else {
                        return Err(error);
                    };
                    refusal = Some(error);
                    found
                }
            };
            let all;
            let named = parts.target.server_name().is_some();
            let candidates = if named || route.link.has_place(body.len()) {
                std::slice::from_ref(&route)
            } else {
                // whoever has a place first takes it
                all = lock(&self.table).candidates(parts, version, body.len(), &tried);
                &all
            };
            let Some((route, place)) = place(candidates, parts, body.len()).await? else {
                // all of them are gone
                continue;
            };
            match self.attempt(route, place, parts, version, body).await? {
                Attempt::Opened(opened) => return Ok(opened),
                Attempt::NotWritten(again) => body = again,
                Attempt::Refused(error, again) => {
                    let elsewhere = matches!(
                        error.kind(),
                        ErrorKind::Overloaded
                            | ErrorKind::Unavailable
                            | ErrorKind::UnsupportedVersion
                    );
                    if named || !elsewhere {
                        return Err(error);
                    }
                    tracing::debug!(name: "rpc.request.refused", method = parts.method.name(), error = %error, "refused, another server is tried");
                    refusal = Some(error);
                    tried.push(Arc::clone(route));
                    body = again;
                }
            }
        }
    }

    /// Finds a server for a message, and waits for one until the deadline.
    pub(crate) async fn route(
        &self,
        parts: &Parts,
        body: &Body<'_>,
        tried: &[Arc<Route>],
    ) -> Result<Found, RpcError> {
        if let Ok(found) = lock(&self.table).find(parts, body, tried)? {
            return Ok(found);
        }
        // seldom waited for, and boxed so that a request which does not wait is small
        Box::pin(self.wait_for_route(parts, body, tried)).await
    }

    async fn wait_for_route(
        &self,
        parts: &Parts,
        body: &Body<'_>,
        tried: &[Arc<Route>],
    ) -> Result<Found, RpcError> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // from here on, no change is missed
            changed.as_mut().enable();
            let (found, all_settled) = {
                let mut table = lock(&self.table);
                (
                    table.find(parts, body, tried)?,
                    table.all_settled(&parts.target, &Settled::default()),
                )
            };
            match found {
                Ok(found) => return Ok(found),
                Err(Nobody::AllTried) => {
                    return Err(RpcError::new(
                        ErrorKind::Unavailable,
                        "every server has refused it",
                    ));
                }
                Err(Nobody::Version) if all_settled => {
                    return Err(lock(&self.table).unserved(parts, body));
                }
                Err(_) => {}
            }
            if timeout_at(parts.deadline, changed).await.is_err() {
                return Err(RpcError::new(
                    ErrorKind::Undeliverable,
                    lock(&self.table).absence(&parts.target),
                ));
            }
        }
    }

    async fn attempt<'a>(
        &self,
        route: &Route,
        place: Place<'_>,
        parts: &Parts,
        version: Version,
        body: Body<'a>,
    ) -> Result<Attempt<'a>, RpcError> {
        let link = &route.link;
        let mut frame = body
            .into_encoded(version)
            .map_err(|error| RpcError::new(ErrorKind::Encode, format!("argument {error}")))?;
        let body_len = frame.len();
        let stream = (parts.kind == MethodKind::Multicall)
            .then(|| Arc::new(StreamQueue::new(STREAM_CREDIT)));
        tracing::debug!(name: "rpc.request.sent", method = parts.method.name(), target = %parts.target, server = %route.name(), %version, "request sent");
        write_header(&mut frame, parts, version, route)
            .map_err(|error| RpcError::new(ErrorKind::Encode, error.to_string()))?;
        let (mut in_flight, written) =
            match link.send(place, route, kind_of(parts), frame, stream.clone()) {
                Ok(sent) => sent,
                Err(mut frame) => {
                    frame.keep_last(body_len);
                    return Ok(Attempt::NotWritten(Body::Fresh(version, frame)));
                }
            };
        let again =
            |written: &Bytes| Body::Written(version, written.slice(written.len() - body_len..));
        match timeout_at(parts.deadline, in_flight.answer()).await {
            Ok(Answer::Value(value)) => Ok(Attempt::Opened(Opened::Answered(Response::Value(
                version, value,
            )))),
            Ok(Answer::MethodError(error)) => Ok(Attempt::Opened(Opened::Answered(
                Response::MethodError(error),
            ))),
            Ok(Answer::Accepted) => Ok(Attempt::Opened(Opened::Accepted { in_flight, stream })),
            Ok(Answer::Failed(error)) => Ok(Attempt::Refused(
                error.of_server(&route.name()),
                again(&written),
            )),
            Ok(Answer::Unwritten) => Ok(Attempt::NotWritten(again(&written))),
            Ok(Answer::Lost(reason)) => Err(RpcError::new(
                ErrorKind::PeerLost,
                format!("the link was lost after the message was sent: {reason}"),
            )
            .of_server(&route.name())),
            Err(_elapsed) => Err(if in_flight.cancel() {
                RpcError::new(
                    ErrorKind::Undeliverable,
                    "it could not be written before the deadline",
                )
            } else {
                RpcError::new(ErrorKind::Timeout, "no answer before the deadline")
            }
            .of_server(&route.name())),
        }
    }

    /// Sends a cast to one server that is known already.
    pub(crate) async fn cast_to(
        &self,
        route: &Arc<Route>,
        parts: &Parts,
        args: &Packed,
    ) -> Result<(), RpcError> {
        self.counters.requests_sent.fetch_add(1, Relaxed);
        let mut args = args.clone();
        let sent = async {
            let body = Body::Packed(&mut args);
            let version =
                version_at(route, parts, &body).map_err(|error| error.of_server(&route.name()))?;
            let attempt = match place(std::slice::from_ref(route), parts, body.len()).await? {
                Some((route, place)) => self.attempt(route, place, parts, version, body).await?,
                None => Attempt::NotWritten(body),
            };
            match attempt {
                Attempt::Opened(_) => Ok(()),
                Attempt::NotWritten(_) => Err(RpcError::new(
                    ErrorKind::Undeliverable,
                    "the link was lost, or the server began to stop, before the message was written",
                )
                .of_server(&route.name())),
                Attempt::Refused(error, _) => Err(error),
            }
        };
        let sent = sent.await;
        if sent.is_err() {
            self.counters.requests_failed.fetch_add(1, Relaxed);
        }
        sent.map_err(|error| {
            error.of_message(
                parts.method.name(),
                &parts.target,
                Some(parts.sent.elapsed()),
            )
        })
    }
}

/// Waits for a place at any of these servers: the first that has one, with it. `None` if all their links are gone.
async fn place<'a>(
    candidates: &'a [Arc<Route>],
    parts: &Parts,
    bytes: usize,
) -> Result<Option<(&'a Arc<Route>, Place<'a>)>, RpcError> {
    for route in candidates {
        if let Some(place) = route.link.try_place(route.link.counted(bytes)) {
            return Ok(Some((route, place)));
        }
    }
    // seldom waited for, and boxed so that a request which does not wait is small
    Box::pin(wait_for_place(candidates, parts, bytes)).await
}

async fn wait_for_place<'a>(
    candidates: &'a [Arc<Route>],
    parts: &Parts,
    bytes: usize,
) -> Result<Option<(&'a Arc<Route>, Place<'a>)>, RpcError> {
    let mut waits: FuturesUnordered<_> = candidates
        .iter()
        .map(|route| async move { (route, route.link.place(route.link.counted(bytes)).await) })
        .collect();
    let first = async {
        while let Some((route, place)) = waits.next().await {
            if let Ok(place) = place {
                return Some((route, place));
            }
        }
        None
    };
    timeout_at(parts.deadline, first).await.map_err(|_elapsed| {
        let names: Vec<String> = candidates
            .iter()
            .take(8)
            .map(|route| route.name())
            .collect();
        RpcError::new(
            ErrorKind::Overloaded,
            "no place became free in the servers' windows before the deadline",
        )
        .of_server(&names.join(", "))
    })
}

/// What became of a request's opening.
#[derive(Debug)]
pub(crate) enum Opened {
    Answered(Response),
    Accepted {
        in_flight: InFlight,
        stream: Option<Arc<StreamQueue>>,
    },
}

enum Attempt<'a> {
    Opened(Opened),
    /// The link was gone before the request was written to it.
    NotWritten(Body<'a>),
    /// It was answered with an error.
    Refused(RpcError, Body<'a>),
}

/// Where a message goes, and in which version.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) route: Arc<Route>,
    pub(crate) version: Version,
}

/// The arguments of a message, which may have to be sent more than once as long as none was written.
pub(crate) enum Body<'a> {
    /// As they were given: the version is still open.
    Packed(&'a mut Packed),
    Fresh(Version, Encoded),
    Written(Version, Bytes),
}

impl Body<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Packed(packed) => packed.len(),
            Self::Fresh(_, encoded) => encoded.len(),
            Self::Written(_, bytes) => bytes.len(),
        }
    }

    /// The version that it is made for, once that is settled.
    pub(crate) fn version(&self) -> Option<Version> {
        match self {
            Self::Packed(_) => None,
            Self::Fresh(version, _) | Self::Written(version, _) => Some(*version),
        }
    }

    fn into_encoded(self, version: Version) -> Result<Encoded, codec::Error> {
        match self {
            Self::Packed(packed) => packed.take().seal(version),
            Self::Fresh(_, encoded) => Ok(encoded),
            Self::Written(_, bytes) => Ok(Encoded::copy_of(&bytes)),
        }
    }
}

thread_local! {
    /// Where headers are put together, so that no message allocates for one.
    static HEADER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

fn kind_of(parts: &Parts) -> Kind {
    match parts.kind {
        MethodKind::Call => Kind::Call,
        MethodKind::Cast | MethodKind::Fanout => Kind::Cast,
        MethodKind::Multicall => Kind::Multicall,
    }
}

fn write_header(
    body: &mut Encoded,
    parts: &Parts,
    version: Version,
    route: &Route,
) -> Result<(), codec::Error> {
    let kind = kind_of(parts);
    let header = RequestHeader {
        exchange: &route.service.exchange,
        topic: &route.service.topic,
        server: &route.service.server,
        namespace: parts.api.namespace(),
        version,
        built: parts.api.version(),
        method: parts.method.name(),
        remaining: parts.remaining(),
        credit: (kind == Kind::Multicall).then_some(STREAM_CREDIT),
    };
    HEADER.with_borrow_mut(|buffer| {
        buffer.clear();
        let mut writer = frame::HeaderWriter(std::mem::take(buffer));
        header.write(&mut writer, &parts.context);
        *buffer = writer.0;
        frame::prepend(body, kind, 0, buffer)
    })
}

#[cfg(test)]
mod tests {
    /// glibc keeps freed blocks of up to 1,032 bytes per thread; larger ones cost a lock that all threads share.
    #[test]
    fn the_future_of_a_request_is_small() {
        fn size<'a, F: Future>(_: fn(&'a super::Outbound, &'a mut super::Message) -> F) -> usize {
            size_of::<F>()
        }
        assert!(
            size(super::Outbound::request) <= 960,
            "{}",
            size(super::Outbound::request)
        );
    }
}
