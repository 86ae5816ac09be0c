//! A message that is being put together by a generated client method.

use super::{Call, Cast, Client, FanoutCast, Multicall};
use crate::args::ArgWriter;
use crate::context::MAX_METADATA;
use crate::transport::{Message, Parts};
use crate::{Context, DEFAULT_TIMEOUT, ErrorKind, MethodInfo, RpcError, codec};
use serde::Serialize;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A message that is being put together. Arguments are encoded at once, so that the future which sends it borrows nothing.
pub struct Request {
    client: Client,
    method: &'static MethodInfo,
    context: Context,
    args: Result<ArgWriter, codec::Error>,
}

impl Request {
    /// A message to a method.
    #[must_use]
    pub fn new(client: &Client, method: &'static MethodInfo, context: &Context) -> Self {
        Self {
            client: client.clone(),
            method,
            context: context.clone(),
            args: Ok(ArgWriter::new(method)),
        }
    }

    /// The next argument.
    #[must_use]
    pub fn arg<T: ?Sized + Serialize>(mut self, value: &T) -> Self {
        self.write(|args| args.arg(value));
        self
    }

    /// The next argument, which is bytes.
    #[must_use]
    pub fn bytes(mut self, value: &[u8]) -> Self {
        self.write(|args| args.bytes(value));
        self
    }

    /// The first argument that can't be encoded is the one that is told.
    fn write(&mut self, write: impl FnOnce(&mut ArgWriter) -> Result<(), codec::Error>) {
        if let Ok(args) = &mut self.args
            && let Err(error) = write(args)
        {
            self.args = Err(error);
        }
    }

    /// Sent as a call.
    pub fn call<R>(self) -> Call<R> {
        Call::new(self)
    }

    /// Sent as a cast.
    pub fn cast(self) -> Cast {
        Cast::new(self)
    }

    /// Sent to every server.
    pub fn fanout(self) -> FanoutCast {
        FanoutCast::new(self)
    }

    /// Sent as a multicall.
    pub fn multicall<R>(self) -> Multicall<R> {
        Multicall::new(self)
    }

    pub(super) fn method(&self) -> &'static str {
        self.method.name()
    }

    /// The timeout, and the deadline that the context brings.
    pub(super) fn limits(&self) -> (Duration, Option<Instant>) {
        (self.timeout(), self.context.deadline())
    }

    fn timeout(&self) -> Duration {
        let own = self.client.options.timeout;
        own.or(self.method.timeout()).unwrap_or(DEFAULT_TIMEOUT)
    }

    /// The client that sends it, with the message; its time begins now. What must not be sent fails here.
    pub(super) fn message(self) -> Result<(Client, Message), RpcError> {
        let timeout = self.timeout();
        let Request {
            client,
            method,
            context,
            args,
        } = self;
        let options = &client.options;
        let failed = |error: RpcError| error.of_message(method.name(), &options.target, None);
        if options.target.topic_name().is_empty() {
            return Err(failed(RpcError::new(
                ErrorKind::InvalidTarget,
                "the client has no topic: give it one by `prepare(|call| call.target(Target::topic(\"…\")))`",
            )));
        }
        if options.target.server_name() == Some("") {
            return Err(failed(RpcError::new(
                ErrorKind::InvalidTarget,
                "the client is prepared for a server without a name",
            )));
        }
        let args = args.map_err(|error| {
            failed(RpcError::new(
                ErrorKind::Encode,
                format!("an argument can't be encoded: {error}"),
            ))
        })?;
        let metadata: usize = context
            .metadata()
            .map(|(key, value)| key.len() + value.len())
            .sum();
        if metadata > MAX_METADATA {
            return Err(failed(RpcError::new(
                ErrorKind::Encode,
                format!(
                    "the context holds {metadata} bytes of metadata, at most {MAX_METADATA} can be sent"
                ),
            )));
        }
        let version = method.since();
        match &options.cap {
            None => {}
            Some(Ok(cap)) if cap.serves(version) => {}
            Some(Ok(cap)) => {
                return Err(failed(RpcError::new(
                    ErrorKind::VersionCap,
                    format!("it needs version {version}, the client's cap is {cap}"),
                )));
            }
            Some(Err(error)) => {
                return Err(failed(RpcError::new(
                    ErrorKind::VersionCap,
                    format!("the client's version cap: {error}"),
                )));
            }
        }
        let now = Instant::now();
        let deadline = Parts::deadline(now, timeout, &context);
        if deadline <= now {
            return Err(failed(RpcError::new(
                ErrorKind::Undeliverable,
                "its deadline had passed before it was sent",
            )));
        }
        let message = Message {
            parts: Parts {
                target: Arc::clone(&options.target),
                namespace: client.api.namespace(),
                method,
                version,
                built: client.api.version(),
                sent: now,
                deadline,
                timeout,
                context,
            },
            args: args.finish(),
        };
        Ok((client, message))
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method.name())
            .finish_non_exhaustive()
    }
}
