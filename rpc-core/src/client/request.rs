//! A message that is being put together by a generated client method.

use super::{Call, Cast, Client, FanoutCast, Multicall, Older};
use crate::args::Packed;
use crate::convert::Conversion;
use crate::transport::{Message, Parts};
use crate::{
    Context, DEFAULT_TIMEOUT, ErrorKind, MethodInfo, MethodKind, RpcError, Version, codec,
};
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
    args: Result<Packed, codec::Error>,
    /// The server that the arguments say it is for.
    server: Option<Arc<str>>,
    /// What it is sent as.
    kind: MethodKind,
}

impl Request {
    /// A message to a method.
    #[must_use]
    pub fn new(client: &Client, method: &'static MethodInfo, context: &Context) -> Self {
        Self {
            client: client.clone(),
            method,
            context: context.clone(),
            args: Ok(Packed::new(client.api(), method)),
            server: None,
            kind: method.kind(),
        }
    }

    /// An argument, by its index in [`MethodInfo::args`]. One that was given before is replaced.
    pub fn arg<T: ?Sized + Serialize>(&mut self, index: usize, value: &T) {
        self.write(|args| args.arg(index, value));
    }

    /// An argument that is bytes.
    pub fn bytes(&mut self, index: usize, value: &[u8]) {
        self.write(|args| args.bytes(index, value));
    }

    /// What the argument is in messages that are so old that it has another type there: the index of that in
    /// [`ArgInfo::types`](crate::ArgInfo::types), and the value in the present type.
    pub fn form<'a, C, Old, New>(&mut self, arg: usize, form: usize, value: &'a New)
    where
        C: Conversion<&'a New, Old>,
        Old: Serialize,
        New: ?Sized,
    {
        if let Ok(args) = &mut self.args {
            args.form(arg, form, C::convert(value));
        }
    }

    /// Whether the value that was given for an argument is one that came with this version.
    pub fn came_with(&mut self, arg: usize, version: Version, came: bool) {
        if let Ok(args) = &mut self.args {
            args.came_with(arg, version, came);
        }
    }

    /// The server that it goes to, unless the client is prepared for one.
    pub fn server(&mut self, server: impl ServerName) {
        self.server = server.name();
    }

    /// The first argument that can't be encoded is the one that is told.
    fn write(&mut self, write: impl FnOnce(&mut Packed) -> Result<(), codec::Error>) {
        if let Ok(args) = &mut self.args
            && let Err(error) = write(args)
        {
            self.args = Err(error);
        }
    }

    /// Sent as a call.
    pub fn call<R>(self) -> Call<R> {
        Call::new(self, &[])
    }

    /// Sent as a call whose answer was of another type in older versions, the oldest first.
    pub fn call_with<R>(self, older: &'static [Older]) -> Call<R> {
        Call::new(self, older)
    }

    /// Sent as a cast.
    pub fn cast(mut self) -> Cast {
        self.kind = MethodKind::Cast;
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

    /// What would be sent: the version, and the arguments. For measurements.
    ///
    /// # Errors
    ///
    /// As of sending it.
    pub fn sealed(self) -> Result<(Version, bytes::Bytes), RpcError> {
        let (_, message) = self.message()?;
        let version = message.parts.version;
        let sealed = message.args.seal(version);
        sealed
            .map(|encoded| (version, encoded.into_bytes()))
            .map_err(|error| RpcError::new(ErrorKind::Encode, error.to_string()))
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
            server,
            kind,
        } = self;
        let options = &client.options;
        let target = match server {
            Some(server) if options.target.server_name().is_none() => {
                Arc::new((*options.target).clone().server(server))
            }
            _ => Arc::clone(&options.target),
        };
        let failed = |error: RpcError| error.of_message(method.name(), &target, None);
        if target.topic_name().is_empty() {
            return Err(failed(RpcError::new(
                ErrorKind::InvalidTarget,
                "the client has no topic: give it one by `prepare(|call| call.target(Target::topic(\"…\")))`",
            )));
        }
        if target.server_name() == Some("") {
            return Err(failed(RpcError::new(
                ErrorKind::InvalidTarget,
                "the client is prepared for a server without a name",
            )));
        }
        let args = args.map_err(|error| {
            failed(
                RpcError::new(
                    ErrorKind::Encode,
                    format!("an argument can't be encoded: {error}"),
                )
                .with_source(error),
            )
        })?;
        if let Some(excess) = context.all_metadata().excess() {
            return Err(failed(RpcError::new(
                ErrorKind::Encode,
                format!("the context holds {excess}"),
            )));
        }
        let (cap, floor) = options.versions().map_err(failed)?;
        let version = args.version(cap, floor).map_err(failed)?;
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
                target,
                api: client.api,
                method,
                kind,
                version,
                cap,
                floor,
                sent: now,
                deadline,
                timeout,
                context: context.identified(),
            },
            args,
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

/// What has a message before it is sent, so that arguments can still be given.
pub trait Prepared {
    /// The message. `None` once it has been sent: then it fails, because it would lack what was to be given.
    fn request(&mut self) -> Option<&mut Request>;

    /// The message, which is not sent then.
    fn take(&mut self) -> Option<Request>;
}

/// The name of a server, or none: what `server = …` in an API may compute.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the name of a server",
    label = "the name is a `&str` or a `String`, or an `Option` of one"
)]
pub trait ServerName {
    /// The name.
    fn name(&self) -> Option<Arc<str>>;
}

#[diagnostic::do_not_recommend]
impl ServerName for str {
    fn name(&self) -> Option<Arc<str>> {
        Some(self.into())
    }
}

#[diagnostic::do_not_recommend]
impl ServerName for String {
    fn name(&self) -> Option<Arc<str>> {
        self.as_str().name()
    }
}

#[diagnostic::do_not_recommend]
impl<T: ServerName> ServerName for Option<T> {
    fn name(&self) -> Option<Arc<str>> {
        self.as_ref()?.name()
    }
}

#[diagnostic::do_not_recommend]
impl<T: ServerName + ?Sized> ServerName for &T {
    fn name(&self) -> Option<Arc<str>> {
        (**self).name()
    }
}
