//! Calling: what generated clients are made of.

mod call;
mod fanout;
mod gather;
mod middleware;
mod multicall;
mod negotiate;
mod older;
mod options;
mod pin;
mod ready;
mod request;
mod setting;
mod shared_cap;
mod untyped;

pub use call::{Call, Cast};
pub use fanout::{Fanout, FanoutCast, FanoutError, FanoutIncomplete};
pub use gather::Gather;
pub use middleware::{Answer, Answered, ClientMiddleware, Next, Outgoing};
pub use multicall::Multicall;
pub use negotiate::{Negotiate, Negotiated};
pub use older::Older;
pub use options::CallOptions;
pub use pin::{Dynamic, Pinned};
pub use request::{Prepared, Request, ServerName};
pub use setting::{IntoVersion, Setting, UnknownVersion};
pub use untyped::UntypedClient;

use crate::server::{Endpoint, Server};
use crate::transport::Spoken;
use crate::{ApiInfo, Target, Transport};
use options::Options;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long a call waits when nothing else was said.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// What a generated client is made of: an API, a transport, a target, and options.
///
/// Get it from a generated client by `client.rpc()`.
#[derive(Clone)]
pub struct Client {
    transport: Transport,
    api: &'static ApiInfo,
    options: Arc<Options>,
    /// The server of a client that was made by [`local`](Self::local) lives as long as its clients.
    local: Option<Server>,
}

impl Client {
    /// A client of an API. It sends to the API's topic unless it is prepared otherwise.
    #[must_use]
    pub fn new(transport: Transport, api: &'static ApiInfo) -> Self {
        let options = Options::new(Target::new().or_topic(api.topic()));
        let middleware = transport.1.as_deref().cloned().unwrap_or_default();
        Self {
            transport,
            api,
            options: Arc::new(Options {
                middleware,
                ..options
            }),
            local: None,
        }
    }

    /// A client of an endpoint in the same process, over a transport of its own. For tests.
    ///
    /// It can be made anywhere; its calls are awaited inside a Tokio runtime.
    pub fn local(endpoint: impl Endpoint) -> Self {
        crate::transport::local(endpoint)
    }

    pub(crate) fn keep(mut self, server: Server) -> Self {
        self.local = Some(server);
        self
    }

    /// A client of the same API with other options.
    #[must_use]
    pub fn prepare(&self, set: impl FnOnce(CallOptions) -> CallOptions) -> Self {
        Self {
            options: Arc::new(set(CallOptions::new(&self.options, self.api)).finish(&self.options)),
            ..self.clone()
        }
    }

    /// What it is a client of.
    #[must_use]
    pub fn api(&self) -> &'static ApiInfo {
        self.api
    }

    /// What it speaks: the API's versions, under the namespace that it is prepared for.
    pub(crate) fn spoken(&self) -> Spoken {
        Spoken::of(self.api, self.options.namespace.as_ref())
    }

    /// Where its messages go.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.options.target
    }

    /// What carries them.
    #[must_use]
    pub fn transport(&self) -> &Transport {
        &self.transport
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("api", &self.api.name())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
