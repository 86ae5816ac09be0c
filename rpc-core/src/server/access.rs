//! Who may call which method.

use super::panics;
use crate::{ApiInfo, MethodInfo, Peer};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Decides which methods a client may call: see [`ServerBuilder::access`](crate::ServerBuilder::access).
///
/// A method that a client may not call does not exist for it: the answer is the same, byte by byte, and
/// [`describe`](crate::Client::describe) leaves it out. `ping` and `describe`, in the namespace `rpc`, are asked for like any other.
///
/// There are [`AllMethods`], [`PublicMethods`] and [`OnlyMethods`]; a function is a policy as well. It is asked for every request
/// before that is accepted, on the task that reads from the client: it must be quick, and must not wait. If it panics, the answer is
/// no.
///
/// ```
/// # use rpc_core::{ApiInfo, Context, MethodInfo, Peer, Server, Target, rpc_api, transport};
/// # #[rpc_api(version = "1.0")]
/// # trait Greeter { async fn greet(&self, ctx: &Context, name: &str) -> String; #[rpc(cast)] async fn forget(&self, ctx: &Context); }
/// # struct Polite;
/// # impl Greeter for Polite {
/// #     async fn greet(&self, _: &Context, name: &str) -> String { format!("Hello {name}") }
/// #     async fn forget(&self, _: &Context) {}
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let in_process = |peer: &Peer, _: &ApiInfo, method: &MethodInfo| {
///     method.name() != "forget" || peer.transport() == "memory"
/// };
/// # let transport = transport::memory("doc-access");
/// let server = Server::builder(transport)
///     .target(Target::new().server("node-1"))
///     .endpoint(GreeterDispatcher::new(Polite))
///     .access(in_process)
///     .start()
///     .await?;
/// # Ok(()) }
/// ```
pub trait AccessPolicy: Send + Sync + 'static {
    /// Whether this client may call this method of this API.
    fn allows(&self, peer: &Peer, api: &ApiInfo, method: &MethodInfo) -> bool;

    /// Names of methods that it goes by: a server does not start if one of them exists nowhere.
    fn names(&self) -> Vec<&str> {
        Vec::new()
    }
}

impl<F> AccessPolicy for F
where
    F: Fn(&Peer, &ApiInfo, &MethodInfo) -> bool + Send + Sync + 'static,
{
    fn allows(&self, peer: &Peer, api: &ApiInfo, method: &MethodInfo) -> bool {
        self(peer, api, method)
    }
}

/// Every method may be called. So it is without a policy.
#[derive(Clone, Copy, Debug, Default)]
pub struct AllMethods;

impl AccessPolicy for AllMethods {
    fn allows(&self, _: &Peer, _: &ApiInfo, _: &MethodInfo) -> bool {
        true
    }
}

/// Methods whose name on the wire begins with an underscore can't be called: those of the trait that do, and those that were given
/// such a name by `#[rpc(name = "_reset")]`. It is what oslo.messaging does by default.
#[derive(Clone, Copy, Debug, Default)]
pub struct PublicMethods;

impl AccessPolicy for PublicMethods {
    fn allows(&self, _: &Peer, _: &ApiInfo, method: &MethodInfo) -> bool {
        !method.name().starts_with('_')
    }
}

/// Only methods of these names on the wire can be called: `ping` and `describe`, too, only if they are among them.
#[derive(Clone, Debug)]
pub struct OnlyMethods(BTreeSet<String>);

impl OnlyMethods {
    /// Methods of these names, of any API of the server.
    pub fn new<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }
}

impl AccessPolicy for OnlyMethods {
    fn allows(&self, _: &Peer, _: &ApiInfo, method: &MethodInfo) -> bool {
        self.0.contains(method.name())
    }

    fn names(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }
}

/// The policy of a server, if it has one.
#[derive(Clone, Default)]
pub(crate) struct Access(Option<Arc<dyn AccessPolicy>>);

impl Access {
    pub(super) fn by(policy: impl AccessPolicy) -> Self {
        Self(Some(Arc::new(policy)))
    }

    pub(crate) fn allows(&self, peer: &Peer, api: &ApiInfo, method: &MethodInfo) -> bool {
        let Some(policy) = &self.0 else {
            return true;
        };
        let allowed = panics::catch(|| policy.allows(peer, api, method));
        allowed.unwrap_or_else(|panic| {
            panic.log("the access policy", None, false);
            false
        })
    }

    /// The names of methods that the policy goes by.
    pub(super) fn names(&self) -> Vec<&str> {
        self.0.as_ref().map_or(Vec::new(), |policy| policy.names())
    }
}
