//! A message that is being put together by a generated client method.

use super::{Call, Cast, Client, FanoutCast, Gather, Multicall, Older};
use crate::args::{Args, Cap, Packed, sealed};
use crate::convert::Conversion;
use crate::exchange::SHORTEST_MONITOR;
use crate::name::Name;
use crate::transport::{Message, Parts, Spoken};
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
    context: Context,
    asked: Asked,
    /// The server that the arguments say it is for.
    server: Option<Arc<str>>,
    /// What it is sent as.
    kind: MethodKind,
}

/// What is asked for.
enum Asked {
    /// A method of the client's API.
    Typed(&'static MethodInfo, Result<Packed, codec::Error>),
    /// A method that is known by its name alone.
    Untyped(Arc<str>, Result<Args, codec::Error>),
}

impl Request {
    /// A message to a method.
    #[must_use]
    pub fn new(client: &Client, method: &'static MethodInfo, context: &Context) -> Self {
        let args = Packed::new(client.api(), method);
        Self {
            client: client.clone(),
            context: context.clone(),
            asked: Asked::Typed(method, Ok(args)),
            server: None,
            kind: method.kind(),
        }
    }

    /// A message to a method that is known by its name alone.
    pub(super) fn untyped<A: ?Sized + Serialize>(
        client: &Client,
        method: &str,
        context: &Context,
        args: &A,
    ) -> Self {
        Self {
            client: client.clone(),
            context: context.clone(),
            asked: Asked::Untyped(method.into(), sealed(args).map(Args::Sealed)),
            server: None,
            kind: MethodKind::Call,
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
        if let Asked::Typed(_, Ok(args)) = &mut self.asked {
            args.form(arg, form, C::convert(value));
        }
    }

    /// Whether the value that was given for an argument is one that came with this version.
    pub fn came_with(&mut self, arg: usize, version: Version, came: bool) {
        if let Asked::Typed(_, Ok(args)) = &mut self.asked {
            args.came_with(arg, version, came);
        }
    }

    /// The server that it goes to, unless the client is prepared for one.
    pub fn server(&mut self, server: impl ServerName) {
        self.server = server.name();
    }

    /// The first argument that can't be encoded is the one that is told.
    fn write(&mut self, write: impl FnOnce(&mut Packed) -> Result<(), codec::Error>) {
        if let Asked::Typed(_, args) = &mut self.asked
            && let Ok(packed) = args
            && let Err(error) = write(packed)
        {
            *args = Err(error);
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
    pub fn fanout(mut self) -> FanoutCast {
        self.kind = MethodKind::Fanout;
        FanoutCast::new(self)
    }

    /// Sent as a multicall.
    pub fn multicall<R>(mut self) -> Multicall<R> {
        self.kind = MethodKind::Multicall;
        Multicall::new(self)
    }

    /// Sent to every server as a call.
    pub fn gather<R>(self) -> Gather<R> {
        self.gather_with(&[])
    }

    /// Sent to every server as a call whose answer was of another type in older versions, the oldest first.
    pub fn gather_with<R>(mut self, older: &'static [Older]) -> Gather<R> {
        self.kind = MethodKind::Gather;
        Gather::new(self, older)
    }

    /// What would be sent: the version, and the arguments. For measurements.
    ///
    /// # Errors
    ///
    /// As of sending it.
    pub fn sealed(self) -> Result<(Version, bytes::Bytes), RpcError> {
        let (_, message) = self.message()?;
        let version = message.parts.version;
        let sealed = match message.args {
            Args::Packed(packed) => packed.seal(version),
            Args::Sealed(encoded) => Ok(encoded),
        };
        sealed
            .map(|encoded| (version, encoded.into_bytes()))
            .map_err(|error| RpcError::new(ErrorKind::Encode, error.to_string()))
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn method(&self) -> Name {
        match &self.asked {
            Asked::Typed(method, _) => Name::Written(method.name()),
            Asked::Untyped(method, _) => Name::Given(Arc::clone(method)),
        }
    }

    /// The timeout, and the context that may bring a deadline.
    pub(super) fn limits(&self) -> (Duration, Context) {
        (self.timeout(), self.context.clone())
    }

    fn timeout(&self) -> Duration {
        let own = self.client.options.timeout;
        let of_method = || match &self.asked {
            Asked::Typed(method, _) => method.timeout(),
            Asked::Untyped(..) => None,
        };
        own.or_else(of_method).unwrap_or(DEFAULT_TIMEOUT)
    }

    /// Only a call waits for something that has no timer of its own.
    fn monitor(&self) -> Option<Duration> {
        if !matches!(self.kind, MethodKind::Call | MethodKind::Gather) {
            return None;
        }
        let of_method = || match &self.asked {
            Asked::Typed(method, _) => method.monitor(),
            Asked::Untyped(..) => None,
        };
        let monitor = self.client.options.monitor.or_else(of_method);
        monitor.map(|monitor| monitor.max(SHORTEST_MONITOR))
    }

    /// The client that sends it, with the message; its time begins now. What must not be sent fails here.
    pub(super) fn message(self) -> Result<(Client, Message), RpcError> {
        let (timeout, monitor, method) = (self.timeout(), self.monitor(), self.method());
        let Request {
            client,
            context,
            asked,
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
        let failed = |error: RpcError| error.of_message(&method, &target, None);
        if context.is_cancelled() {
            return Err(failed(not_wanted()));
        }
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
        let kind = match kind {
            MethodKind::Cast if options.fanout => MethodKind::Fanout,
            MethodKind::Call | MethodKind::Multicall if options.fanout => {
                return Err(failed(RpcError::new(
                    ErrorKind::InvalidTarget,
                    format!(
                        "a {} goes to one server, and the client is prepared for a fanout",
                        kind.name()
                    ),
                )));
            }
            kind => kind,
        };
        let (cap, floor) = options.versions().map_err(failed)?;
        let encoded = |error: codec::Error| {
            failed(
                RpcError::new(
                    ErrorKind::Encode,
                    format!("an argument can't be encoded: {error}"),
                )
                .with_source(error),
            )
        };
        let mut api = client.spoken();
        let (args, version, info) = match asked {
            Asked::Typed(method, args) => {
                let args = args.map_err(encoded)?;
                let version = args.version(cap, floor).map_err(failed)?;
                (Args::Packed(args), version, Some((client.api, method)))
            }
            Asked::Untyped(_, args) => {
                let version = chosen(&api, cap, floor).map_err(failed)?;
                // it was written for this version, whatever the API speaks
                (api.newest, api.also) = (version, None);
                (args.map_err(encoded)?, version, None)
            }
        };
        if let Some(excess) = context.all_metadata().excess() {
            return Err(failed(RpcError::new(
                ErrorKind::Encode,
                format!("the context holds {excess}"),
            )));
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
                target,
                method,
                api,
                kind,
                version,
                cap,
                floor,
                sent: now,
                deadline,
                timeout,
                patience: options.patience(),
                monitor,
                info,
                context: context.identified(),
            },
            args,
        };
        Ok((client, message))
    }
}

/// The version of a message that says no more than its client does.
fn chosen(api: &Spoken, cap: Option<Cap>, version: Option<Version>) -> Result<Version, RpcError> {
    match (version, cap) {
        (Some(version), Some(cap)) if !cap.version.serves(version) => Err(RpcError::new(
            ErrorKind::VersionCap,
            format!("it is of version {version}, {cap}"),
        )),
        (Some(version), _) => Ok(version),
        (None, None) => Ok(api.newest),
        (None, Some(cap)) => Err(RpcError::new(
            ErrorKind::VersionCap,
            format!("it says no version, {cap}: give it one by `.version(\"…\")`"),
        )),
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method())
            .finish_non_exhaustive()
    }
}

/// The request that a message belongs to was cancelled.
#[cold]
pub(super) fn not_wanted() -> RpcError {
    RpcError::new(
        ErrorKind::Cancelled,
        "nobody waits any more for the request that it was made for",
    )
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
