//! What can be said about how a message is sent.

use super::middleware::ClientMiddleware;
use super::setting::{IntoVersion, Setting, UnknownVersion};
use super::shared_cap::SharedCap;
use crate::args::{Cap, CapOrigin};
use crate::transport::Patience;
use crate::{ApiInfo, ErrorKind, RpcError, Target, Version};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The options of a client, as they hold for every message that is sent through it.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) target: Arc<Target>,
    /// Another than the API's own.
    pub(super) namespace: Option<Arc<str>>,
    pub(crate) timeout: Option<Duration>,
    pub(super) retry: Option<u32>,
    pub(super) mandatory: bool,
    /// Casts go to every server.
    pub(super) fanout: bool,
    pub(crate) monitor: Option<Duration>,
    /// An error is told to whoever sends.
    pub(super) cap: Option<Result<Version, UnknownVersion>>,
    pub(super) pin: Option<Version>,
    pub(super) floor: Option<Result<Version, UnknownVersion>>,
    /// What the servers of this topic were found to speak.
    pub(super) negotiated: Arc<SharedCap>,
    /// The outermost first.
    pub(super) middleware: Vec<Arc<dyn ClientMiddleware>>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("target", &self.target)
            .field("timeout", &self.timeout)
            .field("cap", &self.cap)
            .field("pin", &self.pin)
            .field("floor", &self.floor)
            .field("negotiated", &self.negotiated)
            .field("middleware", &self.middleware.len())
            .finish()
    }
}

impl Options {
    pub(super) fn new(target: Target) -> Self {
        Self {
            target: Arc::new(target),
            namespace: None,
            timeout: None,
            retry: None,
            mandatory: false,
            fanout: false,
            monitor: None,
            cap: None,
            pin: None,
            floor: None,
            negotiated: Arc::default(),
            middleware: Vec::new(),
        }
    }

    /// The lowest of all caps, and the version that a message has at least.
    pub(crate) fn versions(&self) -> Result<(Option<Cap>, Option<Version>), RpcError> {
        let cap = |version: Option<Version>, origin| version.map(|version| Cap { version, origin });
        let own = configured("version cap", self.cap.as_ref())?;
        let floor = configured("version", self.floor.as_ref())?;
        let cap = Cap::lower(
            Cap::lower(
                cap(own, CapOrigin::Configured),
                cap(self.pin, CapOrigin::Pin),
            ),
            cap(self.negotiated.get(), CapOrigin::Negotiated),
        );
        Ok((cap, floor))
    }

    /// How long somebody is looked for.
    pub(super) fn patience(&self) -> Patience {
        match self.retry {
            _ if self.mandatory => Patience::Mandatory,
            Some(more) => Patience::Rounds(more),
            None => Patience::UntilDeadline,
        }
    }
}

fn configured(
    what: &str,
    version: Option<&Result<Version, UnknownVersion>>,
) -> Result<Option<Version>, RpcError> {
    match version {
        None => Ok(None),
        Some(Ok(version)) => Ok(Some(*version)),
        Some(Err(error)) => Err(RpcError::new(
            ErrorKind::VersionCap,
            format!("the client's {what}: {error}"),
        )),
    }
}

/// Options that override those of a client: see `prepare` of generated clients.
///
/// Each is given a value, or `None`: that takes back what was set before, so that it is again what the method, the API or the
/// client itself says. What is not named stays as it was.
///
/// ```
/// # use rpc_core::{Context, rpc_api, transport, version};
/// # use std::time::Duration;
/// # #[rpc_api(version = "1.0")]
/// # trait Greeter { async fn greet(&self, ctx: &Context, name: &str) -> String; }
/// let client = GreeterClient::new(transport::memory("doc-prepare"));
/// // every message that goes through `one` goes to this server
/// let one = client.prepare(|call| call.server("node-1").timeout(Duration::from_secs(5)));
/// let capped = one.prepare(|call| call.version_cap(version!("1.0")));
/// // to any server again, as long as the method says
/// let any = capped.prepare(|call| call.server(None).timeout(None));
/// ```
#[derive(Clone, Debug)]
pub struct CallOptions {
    options: Options,
    target: Target,
    api: &'static ApiInfo,
}

impl CallOptions {
    pub(super) fn new(options: &Options, api: &'static ApiInfo) -> Self {
        Self {
            options: options.clone(),
            target: (*options.target).clone(),
            api,
        }
    }

    pub(super) fn finish(mut self, before: &Options) -> Options {
        self.target = self.target.or_topic(self.api.topic());
        let topic = |target: &Target| {
            let (exchange, topic) = (target.exchange_name(), target.topic_name());
            (exchange.to_owned(), topic.to_owned())
        };
        if topic(&before.target) != topic(&self.target)
            || before.namespace != self.options.namespace
        {
            // other servers, of which nothing is known
            self.options.negotiated = Arc::default();
        }
        self.options.target = Arc::new(self.target);
        self.options
    }

    /// Sends to where another client does, looks and waits as long and goes the same way; nothing is said of versions.
    pub(crate) fn like(mut self, client: &super::Client) -> Self {
        let Options {
            target,
            timeout,
            retry,
            mandatory,
            middleware,
            ..
        } = &*client.options;
        self.target = (**target).clone();
        self.options.timeout = *timeout;
        self.options.retry = *retry;
        self.options.mandatory = *mandatory;
        self.options.middleware.clone_from(middleware);
        self
    }

    /// Sends to another topic than that of the API, perhaps of another exchange and to one server. A target without a topic leaves the
    /// topic as it was.
    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        let topic = self.target.topic_name().to_owned();
        self.target = target.or_topic(Some(&*topic).filter(|topic| !topic.is_empty()));
        self
    }

    /// Sends to a topic of this exchange. Default: the unnamed one.
    #[must_use]
    pub fn exchange(mut self, exchange: impl Setting<Arc<str>>) -> Self {
        self.target = self.target.with_exchange(exchange.setting());
        self
    }

    /// Sends to this topic. Default: that of the API.
    #[must_use]
    pub fn topic(mut self, topic: impl Setting<Arc<str>>) -> Self {
        self.target = self.target.with_topic(topic.setting());
        self
    }

    /// Sends to the server of this name, and to no other. Default: what `server` in the API says of a method, else any server
    /// of the topic.
    #[must_use]
    pub fn server(mut self, server: impl Setting<Arc<str>>) -> Self {
        self.target = self.target.with_server(server.setting());
        self
    }

    /// Sends to the API that servers have in this namespace. What they announce there is what counts. Default: that of the API.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Setting<Arc<str>>) -> Self {
        self.options.namespace = namespace.setting();
        self
    }

    /// Whether casts go to every server of the topic, or to the one that is named. Default: a method that is no fanout goes to
    /// one server, one that is a fanout goes to all, whatever is said here.
    ///
    /// `Ok` means then that all have accepted it. What some have accepted, and others have not, fails with
    /// [`Incomplete`](crate::ErrorKind::Incomplete), and the [`FanoutIncomplete`](crate::FanoutIncomplete) is the error's source; [`Cast::fanout`](crate::Cast::fanout)
    /// returns it as itself. Calls and multicalls fail with [`InvalidTarget`](crate::ErrorKind::InvalidTarget), before anything is
    /// sent; a gather goes to every server anyway.
    #[must_use]
    pub fn fanout(mut self, fanout: impl Setting<bool>) -> Self {
        self.options.fanout = fanout.setting().unwrap_or_default();
        self
    }

    /// Puts a middleware around what is sent, inside of those that are there already: see [`ClientMiddleware`].
    #[must_use]
    pub fn middleware(mut self, middleware: impl ClientMiddleware) -> Self {
        self.options.middleware.push(Arc::new(middleware));
        self
    }

    /// How long to wait: for the reply to a call, for the acceptance of a cast, for each item of a multicall. A deadline that
    /// is in the context holds as well. Zero is zero: nothing is sent. Default: what the method says, else 60 s.
    #[must_use]
    pub fn timeout(mut self, timeout: impl Setting<Duration>) -> Self {
        self.options.timeout = timeout.setting();
        self
    }

    /// How often somebody is looked for who takes the message, while nobody does. 0: once, 3: three times more at most. Default: until
    /// the deadline, which holds in any case.
    ///
    /// A round is over when every node that the transport lists, and that is not linked, has been dialled again: one that has been
    /// away for long is dialled every 5 s. Where all are linked, there is nobody to dial, and so the first round is the last. Then the message is
    /// [`Undeliverable`](crate::ErrorKind::Undeliverable). Nothing that was sent is ever sent again.
    #[must_use]
    pub fn retry(mut self, rounds: impl Setting<u32>) -> Self {
        self.options.retry = rounds.setting();
        self
    }

    /// Whether the message is [`Undeliverable`](crate::ErrorKind::Undeliverable) as soon as every listed node has announced itself
    /// or could not be reached, at some time before or now, and nobody there takes it. It goes before [`retry`](Self::retry). Default: no.
    #[must_use]
    pub fn mandatory(mut self, mandatory: impl Setting<bool>) -> Self {
        self.options.mandatory = mandatory.setting().unwrap_or_default();
        self
    }

    /// How long a call waits without a heartbeat of the server, which says that the request is queued or running there; all within
    /// the [`timeout`](Self::timeout). So a call that may take hours ends soon after its server is gone or stuck, as
    /// [`Timeout`](crate::ErrorKind::Timeout). At least 100 ms. `None` takes it back. Default: what the method says
    /// (`#[rpc(monitor = "60s")]`), else heartbeats are not asked for.
    ///
    /// It is for calls: a cast ends when it is accepted, and the timeout of a multicall is that of each item.
    #[must_use]
    pub fn call_monitor_timeout(mut self, timeout: impl Setting<Duration>) -> Self {
        self.options.monitor = timeout.setting();
        self
    }

    /// The highest version that may be sent: a version, or the name of a release that the API knows. It replaces the cap that was configured
    /// before; a [pin](crate::Pinned) and what was [negotiated](crate::Client::negotiate) hold as well, and the lowest of them counts.
    ///
    /// A message that needs a newer version, or another major, fails with [`VersionCap`](crate::ErrorKind::VersionCap) before
    /// anything is sent, and so does every message if a text given here is neither version nor release. Default: none.
    #[must_use]
    pub fn version_cap(mut self, cap: impl IntoVersion) -> Self {
        self.options.cap = cap.into_version(self.api).transpose();
        self
    }

    /// The lowest version to send, for what behaves otherwise since then without a new argument: servers that are older are not
    /// asked. Above the cap, messages fail with [`VersionCap`](crate::ErrorKind::VersionCap). Default: the lowest that says all of a message.
    #[must_use]
    pub fn version(mut self, version: impl IntoVersion) -> Self {
        self.options.floor = version.into_version(self.api).transpose();
        self
    }
}
