//! Waiting for a server.

use super::Client;
use crate::RpcError;
use crate::transport::FAR;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

impl Client {
    /// Waits until a server is there that takes whatever this client may send: it is on the target, is not stopping, has the API
    /// in the client's namespace, and speaks its version, or the version cap if that is lower. Of two majors that the client speaks, one is enough.
    ///
    /// It sends nothing. A server that was there may be gone when a message is sent: messages look for one themselves, within
    /// their deadline. This is for programs that want to know before they begin.
    ///
    /// ```
    /// # use rpc_core::{Context, Server, Target, rpc_api, transport};
    /// # use std::time::Duration;
    /// # #[rpc_api(version = "1.3")]
    /// # trait Greeter { async fn greet(&self, ctx: &Context, name: &str) -> String; }
    /// # struct Polite;
    /// # impl Greeter for Polite { async fn greet(&self, _: &Context, name: &str) -> String { format!("Hello {name}") } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let transport = transport::memory("doc-ready");
    /// # let server = Server::builder(transport.clone()).target(Target::new().server("node-1")).endpoint(GreeterDispatcher::new(Polite)).start().await?;
    /// let client = GreeterClient::new(transport);
    /// client.rpc().ready(Duration::from_secs(30)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// After `limit`: `Undeliverable` if nobody is there, with what is known of the nodes; `UnsupportedVersion` if those that are
    /// there do not speak the version, with what they speak. At once: `VersionCap` if the cap is of a major that the client does
    /// not speak, or no version.
    ///
    /// # Cancel safety
    ///
    /// It changes nothing.
    pub async fn ready(&self, limit: Duration) -> Result<(), RpcError> {
        let now = Instant::now();
        let deadline = now.checked_add(limit).unwrap_or(now + FAR);
        self.ready_by(deadline)
            .await
            .map_err(|error| error.of_message("ready", &self.options.target, Some(now.elapsed())))
    }

    async fn ready_by(&self, deadline: Instant) -> Result<(), RpcError> {
        let mut sought = self.spoken();
        if let (Some(cap), _) = self.options.versions()? {
            let end = sought.ends().find(|end| end.major() == cap.version.major());
            let end = end.ok_or_else(|| cap.other_major(self.api))?;
            (sought.newest, sought.also) = (end.min(cap.version), None);
        }
        let target = Arc::clone(&self.options.target);
        self.transport.0.ready(target, sought, deadline).await
    }
}
