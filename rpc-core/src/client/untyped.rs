//! Messages to methods that are known only at run time.

use super::request::Request;
use super::{Call, CallOptions, Cast, Client, FanoutCast, Gather, IntoVersion, Multicall, Setting};
use crate::{ApiInfo, Context, Target, Transport, Version};
use serde::Serialize;
use std::fmt;
use std::sync::Arc;

/// What a client without an API speaks: messages that say no version are of this one.
static NO_API: ApiInfo = ApiInfo::new("untyped", Version::new(1, 0));

/// A client that names methods at run time, for tools and gateways. Cheap to clone.
///
/// Arguments are anything that serializes to a map by name, and `R` is what the method returns, as its trait says: `u64`, or
/// `Result<Guest, ComputeError>`. Any type that can be deserialized will do for a value or an error, such as
/// `Result<serde_json::Value, serde_json::Value>`.
///
/// Nothing of a message is adapted: it is of the version that is [chosen](Self::version), it holds what is given for it, and goes only to servers that take this version.
/// A server checks it as any other message.
///
/// ```
/// use rpc_core::UntypedClient;
/// # use rpc_core::{Context, Never, Server, Target, rpc_api, transport};
/// # #[rpc_api(version = "1.3")]
/// # trait Greeter { async fn greet(&self, ctx: &Context, name: &str) -> String; }
/// # struct Polite;
/// # impl Greeter for Polite { async fn greet(&self, _: &Context, name: &str) -> String { format!("Hello {name}") } }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let transport = transport::memory("doc-untyped");
/// # let server = Server::builder(transport.clone()).target(Target::new().server("node-1")).endpoint(GreeterDispatcher::new(Polite)).start().await?;
/// let client = UntypedClient::new(transport, Target::topic("greeter")).version("1.3");
/// let args = serde_json::json!({ "name": "Ada" });
/// let answer = client.call::<Result<serde_json::Value, Never>>(&Context::new(), "greet", &args).await?;
/// assert_eq!(answer, "Hello Ada");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct UntypedClient {
    client: Client,
}

impl UntypedClient {
    /// A client that sends to this target, in no namespace.
    #[must_use]
    pub fn new(transport: Transport, target: Target) -> Self {
        let client = Client::new(transport, &NO_API);
        Self {
            client: client.prepare(|call| call.target(target)),
        }
    }

    /// The version of what is sent. Default: 1.0, or that of the API that the client is made from; but under a version cap, a
    /// message that says no version fails with [`VersionCap`](crate::ErrorKind::VersionCap).
    #[must_use]
    pub fn version(&self, version: impl IntoVersion) -> Self {
        self.prepare(|call| call.version(version))
    }

    /// The namespace of the API. Default: none, or that of the API that the client is made from.
    #[must_use]
    pub fn namespace(&self, namespace: impl Setting<Arc<str>>) -> Self {
        self.prepare(|call| call.namespace(namespace))
    }

    /// A client with other options, such as a server or a timeout.
    #[must_use]
    pub fn prepare(&self, set: impl FnOnce(CallOptions) -> CallOptions) -> Self {
        Self {
            client: self.client.prepare(set),
        }
    }

    /// Runs a method on a server, and gets its answer.
    pub fn call<R>(
        &self,
        ctx: &Context,
        method: &str,
        args: &(impl Serialize + ?Sized),
    ) -> Call<R> {
        self.request(ctx, method, args).call()
    }

    /// Has a server run a method, with no reply.
    pub fn cast(&self, ctx: &Context, method: &str, args: &(impl Serialize + ?Sized)) -> Cast {
        self.request(ctx, method, args).cast()
    }

    /// Has every server run a method, with no reply.
    pub fn fanout(
        &self,
        ctx: &Context,
        method: &str,
        args: &(impl Serialize + ?Sized),
    ) -> FanoutCast {
        self.request(ctx, method, args).fanout()
    }

    /// Runs a method on a server, which answers item by item.
    pub fn multicall<R>(
        &self,
        ctx: &Context,
        method: &str,
        args: &(impl Serialize + ?Sized),
    ) -> Multicall<R> {
        self.request(ctx, method, args).multicall()
    }

    /// Runs a method on every server, and gets their answers.
    pub fn gather<R>(
        &self,
        ctx: &Context,
        method: &str,
        args: &(impl Serialize + ?Sized),
    ) -> Gather<R> {
        self.request(ctx, method, args).gather()
    }

    fn request(&self, ctx: &Context, method: &str, args: &(impl Serialize + ?Sized)) -> Request {
        Request::untyped(&self.client, method, ctx, args)
    }
}

impl Client {
    /// A client that sends to where this one does, with its options, and names methods at run time.
    #[must_use]
    pub fn untyped(&self) -> UntypedClient {
        UntypedClient {
            client: self.clone(),
        }
    }
}

impl fmt::Debug for UntypedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UntypedClient")
            .field("options", &self.client.options)
            .finish_non_exhaustive()
    }
}
