//! What can be said about how a message is sent.

use crate::{ParseVersionError, Target, Version};
use std::sync::Arc;
use std::time::Duration;

/// The options of a client, as they hold for every message that is sent through it.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) target: Arc<Target>,
    pub(crate) timeout: Option<Duration>,
    /// An error is told to whoever sends.
    pub(crate) cap: Option<Result<Version, ParseVersionError>>,
}

impl Options {
    pub(super) fn new(target: Target) -> Self {
        Self {
            target: Arc::new(target),
            timeout: None,
            cap: None,
        }
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
}

impl CallOptions {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            options: options.clone(),
            target: (*options.target).clone(),
        }
    }

    pub(super) fn finish(mut self) -> Options {
        self.options.target = Arc::new(self.target);
        self.options
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

    /// How long to wait: for the reply to a call, for the acceptance of a cast, for each item of a multicall. A deadline that
    /// is in the context holds as well. Default: what the method says, else 60 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// The highest version that may be sent. A message that needs a newer one, or another major version, fails with
    /// [`VersionCap`](crate::ErrorKind::VersionCap) before anything is sent, and so does every message if a text given here is no
    /// version.
    #[must_use]
    pub fn version_cap(mut self, cap: impl IntoVersion) -> Self {
        self.options.cap = Some(cap.into_version());
        self
    }
}

/// A [`Version`], or a text that is one.
pub trait IntoVersion {
    /// The version, or why it is none.
    ///
    /// # Errors
    ///
    /// When a text is no version.
    fn into_version(self) -> Result<Version, ParseVersionError>;
}

impl IntoVersion for Version {
    fn into_version(self) -> Result<Version, ParseVersionError> {
        Ok(self)
    }
}

impl IntoVersion for &str {
    fn into_version(self) -> Result<Version, ParseVersionError> {
        self.parse()
    }
}
