//! What can be said about how a message is sent.

use super::middleware::ClientMiddleware;
use super::shared_cap::SharedCap;
use crate::args::{Cap, CapOrigin};
use crate::{ApiInfo, ErrorKind, RpcError, Target, Version, text};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The options of a client, as they hold for every message that is sent through it.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) target: Arc<Target>,
    pub(crate) timeout: Option<Duration>,
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
            timeout: None,
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
/// ```
/// # use rpc_core::{Context, rpc_api, transport, version};
/// # use std::time::Duration;
/// # #[rpc_api(version = "1.0")]
/// # trait Greeter { async fn greet(&self, ctx: &Context, name: &str) -> String; }
/// let client = GreeterClient::new(transport::memory("doc-prepare"));
/// // every message that goes through `one` goes to this server
/// let one = client.prepare(|call| call.server("node-1").timeout(Duration::from_secs(5)));
/// let capped = one.prepare(|call| call.version_cap(version!("1.0")));
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

    pub(super) fn finish(mut self) -> Options {
        let old = &self.options.target;
        if (old.exchange_name(), old.topic_name())
            != (self.target.exchange_name(), self.target.topic_name())
        {
            // other servers, of which nothing is known
            self.options.negotiated = Arc::default();
        }
        self.options.target = Arc::new(self.target);
        self.options
    }

    /// Sends to where another client does, waits as long and goes the same way; nothing is said of versions.
    pub(crate) fn like(mut self, client: &super::Client) -> Self {
        self.target = (*client.options.target).clone();
        self.options.timeout = client.options.timeout;
        self.options
            .middleware
            .clone_from(&client.options.middleware);
        self
    }

    /// Sends to the server of this name, and to no other.
    #[must_use]
    pub fn server(mut self, server: impl Into<Arc<str>>) -> Self {
        self.target = self.target.server(server);
        self
    }

    /// Sends to another topic than that of the API, perhaps of another exchange and to one server.
    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        let topic = self.target.topic_name().to_owned();
        self.target = target.or_topic(
            Some(&topic)
                .filter(|topic| !topic.is_empty())
                .map(String::as_str),
        );
        self
    }

    /// Puts a middleware around what is sent, inside of those that are there already: see [`ClientMiddleware`].
    #[must_use]
    pub fn middleware(mut self, middleware: impl ClientMiddleware) -> Self {
        self.options.middleware.push(Arc::new(middleware));
        self
    }

    /// How long to wait: for the reply to a call, for the acceptance of a cast, for each item of a multicall. A deadline that
    /// is in the context holds as well. Default: what the method says, else 60 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// The highest version that may be sent: a version, or the name of a release that the API knows. It replaces the cap that was configured
    /// before; a [pin](crate::Pinned) and what was [negotiated](crate::Client::negotiate) hold as well, and the lowest of them counts.
    ///
    /// A message that needs a newer version, or another major, fails with [`VersionCap`](crate::ErrorKind::VersionCap) before
    /// anything is sent, and so does every message if a text given here is neither version nor release.
    #[must_use]
    pub fn version_cap(mut self, cap: impl IntoVersion) -> Self {
        self.options.cap = Some(cap.into_version(self.api));
        self
    }

    /// The lowest version to send, for what behaves otherwise since then without a new argument: servers that are older are not
    /// asked. Above the cap, messages fail with [`VersionCap`](crate::ErrorKind::VersionCap). Default: the lowest that says all of a message.
    #[must_use]
    pub fn version(mut self, version: impl IntoVersion) -> Self {
        self.options.floor = Some(version.into_version(self.api));
        self
    }
}

/// A [`Version`], or a text that is one, or is the name of a release.
pub trait IntoVersion {
    /// The version that it means to an API.
    ///
    /// # Errors
    ///
    /// When a text is neither a version nor a release of the API.
    fn into_version(self, api: &ApiInfo) -> Result<Version, UnknownVersion>;
}

impl IntoVersion for Version {
    fn into_version(self, _: &ApiInfo) -> Result<Version, UnknownVersion> {
        Ok(self)
    }
}

impl IntoVersion for &str {
    fn into_version(self, api: &ApiInfo) -> Result<Version, UnknownVersion> {
        let mut aliases = api.aliases().iter();
        if let Some((_, version)) = aliases.find(|(name, _)| *name == self) {
            return Ok(*version);
        }
        self.parse().map_err(|error: crate::ParseVersionError| {
            let known: Vec<&str> = api.aliases().iter().map(|(name, _)| *name).collect();
            UnknownVersion(if known.is_empty() {
                error.to_string()
            } else {
                format!(
                    "\"{}\" is neither a version, such as \"2.5\", nor a release of `{}`: {}",
                    text::shown(self),
                    api.name(),
                    known.join(", ")
                )
            })
        })
    }
}

impl IntoVersion for &String {
    fn into_version(self, api: &ApiInfo) -> Result<Version, UnknownVersion> {
        self.as_str().into_version(api)
    }
}

impl IntoVersion for String {
    fn into_version(self, api: &ApiInfo) -> Result<Version, UnknownVersion> {
        self.as_str().into_version(api)
    }
}

/// A text is neither a version nor the name of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownVersion(String);

impl fmt::Display for UnknownVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UnknownVersion {}
