//! One message on its way to one server: find it, wait for a place, send, wait for the answer.

use super::Outbound;
use super::alarm::Until;
use super::frame::{self, Kind, RequestHeader};
use super::in_flight::OpenStream;
use super::link::Elapsed;
use super::monitor::{self, Overdue};
use super::nodes::version_at;
use super::routes::Route;
use super::stream::{STREAM_CREDIT, StreamQueue};
use super::waiting::Answer;
use super::window::Place;
use crate::args::{Args, Packed};
use crate::codec::{self, Encoded};
use crate::transport::{Message, Parts, Response};
use crate::{ErrorKind, MethodKind, RpcError, Version, lock};
use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::cell::RefCell;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Poll;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

impl Outbound {
    /// Sends a message to one server, and waits until its opening is answered: a call has its value then, a cast or multicall
    /// is accepted.
    ///
    /// What was never written to a link, or was refused before it ran, may go to another server; nothing else is sent again.
    pub(crate) async fn request(&self, message: &mut Message) -> Result<Opened, RpcError> {
        let parts = &message.parts;
        let args = &mut message.args;
        self.counters.requests_sent.fetch_add(1, Relaxed);
        let mut attempts = 0;
        let result = self
            .attempts(parts, args, &mut attempts)
            .await
            .map_err(|error| {
                self.counters.requests_failed.fetch_add(1, Relaxed);
                error
                    .of_request(parts.context.request_id(), attempts)
                    .of_message(&parts.method, &parts.target, Some(parts.sent.elapsed()))
            });
        if tracing::enabled!(tracing::Level::DEBUG) {
            let outcome = result
                .as_ref()
                .map_or_else(|error| error.kind().name(), |_| "ok");
            tracing::debug!(name: "rpc.request.answered", method = &*parts.method, target = %parts.target, request_id = parts.context.request_id().map(tracing::field::debug), outcome,
                elapsed = ?parts.sent.elapsed(), "request answered");
        }
        result
    }

    async fn attempts(
        &self,
        parts: &Parts,
        args: &mut Args,
        attempts: &mut u32,
    ) -> Result<Opened, RpcError> {
        let mut body = Body::of(args, parts.version);
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
            // one that is stopping is asked only because there is no other
            let only = named || route.service.draining;
            let candidates = if only || route.link.window.has_place(body.len()) {
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
            *attempts += 1;
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
                    tracing::debug!(name: "rpc.request.refused", method = &*parts.method, error = %error, "refused, another server is tried");
                    refusal = Some(error);
                    tried.push(Arc::clone(route));
                    body = again;
                }
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
        let mut frame = body.into_encoded(version).map_err(|error| {
            RpcError::new(ErrorKind::Encode, format!("argument {error}")).with_source(error)
        })?;
        let body_len = frame.len();
        let stream = (parts.kind == MethodKind::Multicall)
            .then(|| Arc::new(StreamQueue::new(route.name(), STREAM_CREDIT)));
        tracing::debug!(name: "rpc.request.sent", method = &*parts.method, target = %parts.target, server = %route.name(), %version,
            request_id = parts.context.request_id().map(tracing::field::debug), "request sent");
        write_header(&mut frame, parts, version, route).map_err(|error| {
            RpcError::new(ErrorKind::Encode, error.to_string()).with_source(error)
        })?;
        self.fits(frame.len())?;
        let monitor = monitor(parts, route);
        let sent = monitor.map(|monitor| (Instant::now(), monitor));
        let until = Until::here(sent.map_or(parts.deadline, |(now, monitor)| {
            monitor::until(now, parts.deadline, monitor)
        }));
        let waker = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
        let waiter = Some((waker, until));
        let kind = kind_of(parts);
        let (mut in_flight, written) =
            match link.send(place, route, kind, frame, stream.clone(), waiter) {
                Ok(sent) => sent,
                Err(mut frame) => {
                    frame.keep_last(body_len);
                    return Ok(Attempt::NotWritten(Body::Fresh(version, frame)));
                }
            };
        let again =
            |written: &Bytes| Body::Written(version, written.slice(written.len() - body_len..));
        let answer = match sent {
            None => {
                let answer = in_flight.answer(Some(until)).await;
                answer.map_err(|Elapsed| Overdue::Deadline)
            }
            // boxed so that a request without heartbeats is small
            Some((sent, monitor)) => {
                let deadline = parts.deadline;
                Box::pin(monitor::answer(&mut in_flight, sent, deadline, monitor)).await
            }
        };
        match answer {
            Ok(Answer::Value(value)) => Ok(Attempt::Opened(Opened::Answered(Response::Value(
                version, value,
            )))),
            Ok(Answer::MethodError(error)) => Ok(Attempt::Opened(Opened::Answered(
                Response::MethodError(error),
            ))),
            Ok(Answer::Accepted) => Ok(Attempt::Opened(match stream {
                None => Opened::Accepted,
                Some(items) => Opened::Stream(in_flight.stream(), items),
            })),
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
            Err(overdue) => Err(if in_flight.cancel() {
                RpcError::new(
                    ErrorKind::Undeliverable,
                    "it could not be written before the deadline",
                )
            } else {
                overdue.error()
            }
            .of_server(&route.name())),
        }
    }

    /// Sends a message to one server that is known already.
    pub(super) async fn request_to(
        &self,
        route: &Arc<Route>,
        parts: &Parts,
        args: &Args,
    ) -> Result<Opened, RpcError> {
        self.counters.requests_sent.fetch_add(1, Relaxed);
        let mut args = args.clone();
        let sent = async {
            let body = Body::of(&mut args, parts.version);
            let version =
                version_at(route, parts, &body).map_err(|error| error.of_server(&route.name()))?;
            let attempt = match place(std::slice::from_ref(route), parts, body.len()).await? {
                Some((route, place)) => self.attempt(route, place, parts, version, body).await?,
                None => Attempt::NotWritten(body),
            };
            match attempt {
                Attempt::Opened(opened) => Ok(opened),
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
            error.of_request(parts.context.request_id(), 1).of_message(
                &parts.method,
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
        if let Some(place) = route.link.window.try_place(bytes) {
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
        .map(|route| async move { (route, route.link.window.place(bytes).await) })
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
    /// A cast was.
    Accepted,
    /// A multicall was: its items come.
    Stream(OpenStream, Arc<StreamQueue>),
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

impl<'a> Body<'a> {
    /// The arguments of a message of this version, or of one that is found yet.
    pub(super) fn of(args: &'a mut Args, version: Version) -> Self {
        match args {
            Args::Packed(packed) => Self::Packed(packed),
            Args::Sealed(encoded) => Self::Fresh(version, encoded.take()),
        }
    }

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
        MethodKind::Call | MethodKind::Gather => Kind::Call,
        MethodKind::Cast | MethodKind::Fanout => Kind::Cast,
        MethodKind::Multicall => Kind::Multicall,
    }
}

/// How long no heartbeat may come. An instance that can send none is not asked, and not given up for want of one.
fn monitor(parts: &Parts, route: &Route) -> Option<Duration> {
    parts.monitor.filter(|_| route.announcement.heartbeats)
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
        built: parts.api.newest,
        method: &parts.method,
        remaining: parts.remaining(),
        monitor: monitor(parts, route),
        credit: (kind == Kind::Multicall).then_some(STREAM_CREDIT),
        request_id: parts.context.request_id(),
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
