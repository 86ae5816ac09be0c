//! What every server answers about itself: that it is there, and what it can do.

use crate::server::{Access, Endpoint};
use crate::{
    ApiInfo, CallError, Client, Context, MethodInfo, Never, Peer, RpcError, Target, Version,
    rpc_api,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The namespace of what every server answers. No other API can have it.
pub(crate) const NAMESPACE: &str = "rpc";

/// What every server answers, unless it was built
/// [without](crate::ServerBuilder::introspection).
#[rpc_api(version = "1.0", namespace = "rpc", crate = "crate")]
trait Introspection {
    /// Answers at once.
    #[rpc(timeout = "10s")]
    async fn ping(&self, ctx: &Context) -> Result<Pong, Never>;

    /// Says what the server has, as far as this client may call it.
    async fn describe(&self, ctx: &Context) -> Result<Description, Never>;
}

/// The answer to [`Client::ping`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pong {
    /// The name of the server that answered.
    pub server: String,
}

/// What a server says about itself: see [`Client::describe`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Description {
    /// The server's name.
    pub server: String,
    /// The topic that it is on.
    pub topic: String,
    /// What it implements.
    pub apis: Vec<ApiDescription>,
}

/// An API that a server implements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ApiDescription {
    /// The trait's name.
    pub name: String,
    /// Its namespace.
    pub namespace: Option<String>,
    /// The namespaces in which it is served besides; `None` is having no namespace.
    #[serde(default)]
    pub legacy_namespaces: Vec<Option<String>>,
    /// The end of each major version that it speaks, the newest first.
    pub versions: Vec<String>,
    /// What is written above the trait.
    pub docs: String,
    /// Those of its methods that this client may call, in the order of the trait.
    pub methods: Vec<MethodDescription>,
}

/// A method of an API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MethodDescription {
    /// The name on the wire.
    pub name: String,
    /// `call`, `cast`, `fanout`, `multicall` or `gather`.
    pub kind: String,
    /// The version that it came with.
    pub since: String,
    /// The version from which on it does not exist any more.
    pub until: Option<String>,
    /// The arguments of the newest version.
    pub args: Vec<ArgDescription>,
    /// The type of the answer, as it is written in the trait.
    pub answer: String,
    /// What is written above the method.
    pub docs: String,
}

/// An argument of a method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ArgDescription {
    /// The name on the wire.
    pub name: String,
    /// The type, as it is written in the trait.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The version that it came with, if that is later than the method's.
    pub since: Option<String>,
}

/// The endpoint that answers for a server.
pub(crate) fn endpoint(
    target: &Target,
    endpoints: &[Arc<dyn Endpoint>],
    access: Access,
) -> Arc<dyn Endpoint> {
    Arc::new(IntrospectionDispatcher::new(Myself {
        server: target.server_name().unwrap_or_default().into(),
        topic: target.topic_name().into(),
        apis: endpoints.iter().map(|endpoint| endpoint.api()).collect(),
        access,
    }))
}

/// A server, as it sees itself.
struct Myself {
    server: String,
    topic: String,
    apis: Vec<&'static ApiInfo>,
    access: Access,
}

impl Introspection for Myself {
    async fn ping(&self, _: &Context) -> Result<Pong, Never> {
        Ok(Pong {
            server: self.server.clone(),
        })
    }

    async fn describe(&self, ctx: &Context) -> Result<Description, Never> {
        let mut apis = Vec::new();
        // whoever casts it gets no answer
        if let Some(peer) = ctx.peer() {
            apis.extend(self.apis.iter().filter_map(|api| self.api(api, peer)));
        }
        Ok(Description {
            server: self.server.clone(),
            topic: self.topic.clone(),
            apis,
        })
    }
}

impl Myself {
    /// An API, as far as a client may call it. One that it may not call at all is still announced, but not described.
    fn api(&self, api: &ApiInfo, peer: &Peer) -> Option<ApiDescription> {
        let methods: Vec<_> = api
            .methods()
            .iter()
            .filter(|method| self.access.allows(peer, api, method))
            .map(|method| method_description(api, method))
            .collect();
        if methods.is_empty() && !api.methods().is_empty() {
            return None;
        }
        Some(ApiDescription {
            name: api.name().into(),
            namespace: api.namespace().map(Into::into),
            legacy_namespaces: api
                .namespaces()
                .skip(1)
                .map(|namespace| namespace.map(Into::into))
                .collect(),
            versions: api.spoken().map(|version| version.to_string()).collect(),
            docs: api.docs().into(),
            methods,
        })
    }
}

fn method_description(api: &ApiInfo, method: &MethodInfo) -> MethodDescription {
    MethodDescription {
        name: method.name().into(),
        kind: method.kind().name().into(),
        since: method.since().to_string(),
        until: method.until().map(|until| until.to_string()),
        args: method
            .args()
            .iter()
            .filter(|arg| arg.is_in(newest(api, method.until())))
            .map(|arg| ArgDescription {
                name: arg.name().into(),
                type_name: arg.type_name().into(),
                since: arg.since().map(|since| since.to_string()),
            })
            .collect(),
        answer: method.answer().into(),
        docs: method.docs().into(),
    }
}

/// The newest version that has a method.
fn newest(api: &ApiInfo, until: Option<Version>) -> Version {
    let ends = |end: &Version| until.is_none_or(|until| *end < until);
    api.spoken().find(ends).unwrap_or(api.version())
}

impl Client {
    /// Asks a server of the topic, or the one that the client is prepared for, whether it is there.
    ///
    /// # Errors
    ///
    /// As of any call; `UnsupportedVersion` from a server that was built without it.
    pub async fn ping(&self, ctx: &Context) -> Result<Pong, RpcError> {
        let client = IntrospectionClient::of(self);
        client.ping(ctx).await.map_err(without_own)
    }

    /// Asks a server of the topic, or the one that the client is prepared for, what it can do.
    ///
    /// # Errors
    ///
    /// As of any call; `UnsupportedVersion` from a server that was built without it.
    pub async fn describe(&self, ctx: &Context) -> Result<Description, RpcError> {
        let client = IntrospectionClient::of(self);
        client.describe(ctx).await.map_err(without_own)
    }
}

impl IntrospectionClient {
    /// Sends to where another client does.
    fn of(client: &Client) -> Self {
        let own = Self::new(client.transport().clone());
        own.prepare(|call| call.like(client))
    }
}

fn without_own(error: CallError<Never>) -> RpcError {
    match error {
        CallError::Rpc(error) => error,
        CallError::Method(never) => match never {},
    }
}
