//! Configuring and starting a server.

use super::limits::{Limits, MethodLimits};
use super::middleware::ServerMiddleware;
use super::service::Service;
use super::{Access, AccessPolicy, Endpoint, Server};
use crate::{Target, Transport, introspection};
use std::fmt;
use std::sync::Arc;

/// How many requests of a server run at once, unless it is told otherwise.
pub(crate) const CONCURRENCY: usize = 1024;

/// How many requests of a server wait while as many run as may, unless it is told otherwise.
pub(crate) const QUEUE: usize = 1024;

/// A server that is not started yet.
#[must_use = "nothing is served before `start`"]
pub struct ServerBuilder {
    transport: Transport,
    target: Target,
    endpoints: Vec<Arc<dyn Endpoint>>,
    listen: Option<String>,
    limits: Limits,
    access: Access,
    introspection: bool,
    tracebacks: bool,
    middleware: Vec<Arc<dyn ServerMiddleware>>,
}

impl ServerBuilder {
    pub(super) fn new(transport: Transport) -> Self {
        Self {
            transport,
            target: Target::new(),
            endpoints: Vec::new(),
            listen: None,
            limits: Limits {
                concurrency: CONCURRENCY,
                queue: QUEUE,
                methods: MethodLimits::default(),
            },
            access: Access::default(),
            introspection: true,
            tracebacks: false,
            middleware: Vec::new(),
        }
    }

    /// Where the server is found: it needs a server name, unique on its topic. Without a topic it is on the topic of its first
    /// endpoint's API.
    pub fn target(mut self, target: Target) -> Self {
        self.target = target;
        self
    }

    /// Adds an endpoint. Several may share a server, if their APIs have no namespace in common, or differ in major version or in
    /// all method names; the first one that has the method is called.
    pub fn endpoint(mut self, endpoint: impl Endpoint) -> Self {
        self.endpoints.push(Arc::new(endpoint));
        self
    }

    /// Where the transport listens, if it listens at all and its URL does not say.
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.listen = Some(address.into());
        self
    }

    /// How many requests run at once. Default: 1,024. At least 1.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.limits.concurrency = requests.max(1);
        self
    }

    /// How many requests wait while as many run as may; those past it are refused as
    /// [`Overloaded`](crate::ErrorKind::Overloaded). Default: 1,024.
    pub fn queue(mut self, requests: usize) -> Self {
        self.limits.queue = requests;
        self
    }

    /// How many requests of one method run at once, of those that the server may run. The method is named as on the wire; if
    /// several endpoints have it, they share the limit. Default: as many as the server runs. At least 1.
    ///
    /// What exceeds it waits in the [`queue`](Self::queue) of the server, in order, and keeps no other method from running.
    pub fn method_concurrency(mut self, method: impl Into<String>, requests: usize) -> Self {
        self.limits.methods.set(method.into(), requests.max(1));
        self
    }

    /// Which methods a client may call; for the others it is as if they did not exist. Default: all.
    pub fn access(mut self, policy: impl AccessPolicy) -> Self {
        self.access = Access::by(policy);
        self
    }

    /// Whether it answers `ping` and `describe`: see [`Client::describe`](crate::Client::describe). Default: it does.
    pub fn introspection(mut self, answers: bool) -> Self {
        self.introspection = answers;
        self
    }

    /// Puts a middleware around its requests, inside of those that are there already: see [`ServerMiddleware`].
    pub fn middleware(mut self, middleware: impl ServerMiddleware) -> Self {
        self.middleware.push(Arc::new(middleware));
        self
    }

    /// Whether callers are told where a handler panicked: with its text and backtrace, at most
    /// [`MAX_TRACEBACK`](crate::MAX_TRACEBACK) bytes. They find it in [`RpcError::traceback`](crate::RpcError::traceback); of at
    /// most ten panics a second it has the backtrace. Default: it stays in the server's log, since it tells what the server is
    /// made of.
    pub fn tracebacks(mut self, are_told: bool) -> Self {
        self.tracebacks = are_told;
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    ///
    /// [`StartError::Target`] without a topic or server name, or when the transport has a server of that name already;
    /// [`StartError::Endpoints`] when there is none, two of them have the same method, or a limit or the access policy is for a
    /// method that none has; [`StartError::Listen`] when the transport cannot listen.
    pub async fn start(mut self) -> Result<Server, StartError> {
        if self.endpoints.is_empty() {
            return Err(StartError::Endpoints(
                "it has no endpoint: `.endpoint(ComputeDispatcher::new(…))`".into(),
            ));
        }
        let topic = self
            .endpoints
            .first()
            .and_then(|endpoint| endpoint.api().topic());
        let target = self.target.or_topic(topic);
        if target.topic_name().is_empty() {
            return Err(StartError::Target(
                "a server needs a topic: `Target::topic(\"…\")`".into(),
            ));
        }
        if target.server_name().is_none_or(str::is_empty) {
            return Err(StartError::Target(format!(
                "the server on topic {} needs a name: `Target::topic(\"…\").server(\"…\")`",
                target.topic_name()
            )));
        }
        let reserved =
            |endpoint: &&Arc<dyn Endpoint>| endpoint.api().is_in(Some(introspection::NAMESPACE));
        if let Some(endpoint) = self.endpoints.iter().find(reserved) {
            return Err(StartError::Endpoints(format!(
                "`{}` is in the namespace `{}`, which belongs to what every server answers: give it another",
                endpoint.api().name(),
                introspection::NAMESPACE
            )));
        }
        if self.introspection {
            let own = introspection::endpoint(&target, &self.endpoints, self.access.clone());
            self.endpoints.push(own);
        }
        let service = Service::new(target, self.endpoints, self.access, &self.limits)?
            .with_tracebacks(self.tracebacks)
            .with_middleware(self.middleware);
        let service = Arc::new(service);
        let driver = Arc::clone(&self.transport.0);
        driver.listen(Arc::clone(&service), self.listen).await?;
        tracing::info!(name: "rpc.server.started", target = %service.target(), "server started");
        Ok(Server::new(service, self.transport))
    }
}

impl fmt::Debug for ServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerBuilder")
            .field("target", &self.target)
            .field("endpoints", &self.endpoints.len())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// A server could not be started.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The target is incomplete or taken.
    Target(String),
    /// The endpoints do not go together.
    Endpoints(String),
    /// The transport cannot listen.
    Listen(String),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Target(text) | Self::Endpoints(text) | Self::Listen(text)) = self;
        write!(f, "the server can't be started: {text}")
    }
}

impl std::error::Error for StartError {}
