//! Caps that find themselves: what the servers of a topic speak, all of them.

use super::Client;
use crate::transport::{BoxFuture, Parts, Survey, Surveyed};
use crate::{Context, DEFAULT_TIMEOUT, ErrorKind, RpcError, Version, text};
use std::fmt;
use tokio::time::Instant;

impl Client {
    /// Finds out which version all servers of the topic speak, and caps this client at it: at the highest major that all speak,
    /// and the lowest minor of it.
    ///
    /// The cap holds for this client and for all that were cloned or prepared from the same one, unless for another topic. It
    /// never raises a cap that was configured: the lowest counts. Ask again when the fleet has moved: the cap then goes down or
    /// up, whichever it takes.
    ///
    /// It waits until every node that the transport's URL lists has announced its servers or could not be reached, at most for
    /// the client's timeout.
    ///
    /// ```
    /// # use rpc_core::{Context, Server, Target, rpc_api, transport, version};
    /// # #[rpc_api(version = "1.3")]
    /// # trait Greeter { async fn greet(&self, ctx: &Context, name: &str) -> String; }
    /// # struct Polite;
    /// # impl Greeter for Polite { async fn greet(&self, _: &Context, name: &str) -> String { format!("Hello {name}") } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let transport = transport::memory("doc-negotiate");
    /// # let server = Server::builder(transport.clone()).target(Target::new().server("node-1")).endpoint(GreeterDispatcher::new(Polite)).start().await?;
    /// let client = GreeterClient::new(transport);
    /// let found = client.rpc().negotiate().await?;
    /// assert_eq!(found.cap, version!("1.3"));
    /// assert!(!client.rpc().can_send_version("1.4"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `Undeliverable` if no server is there, or a listed node could not be reached (unless that is
    /// [allowed](Negotiate::allow_unreached)); `UnsupportedVersion` if there is no major that all speak. Then the cap stays as it was.
    pub fn negotiate(&self) -> Negotiate {
        Negotiate {
            client: self.clone(),
            unreached_allowed: false,
        }
    }
}

/// A question that a client asks when it is awaited: see [`Client::negotiate`].
///
/// Cancel safe: the cap is set at the very end.
#[derive(Debug)]
#[must_use = "nobody is asked before it is awaited"]
pub struct Negotiate {
    client: Client,
    unreached_allowed: bool,
}

impl Negotiate {
    /// Goes by those that answered, although a listed node could not be reached. If it comes back with an older version, messages
    /// to it may be refused.
    pub fn allow_unreached(mut self) -> Self {
        self.unreached_allowed = true;
        self
    }
}

impl IntoFuture for Negotiate {
    type Output = Result<Negotiated, RpcError>;
    type IntoFuture = BoxFuture<Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let options = &self.client.options;
            let now = Instant::now();
            let timeout = options.timeout.unwrap_or(DEFAULT_TIMEOUT);
            let deadline = Parts::deadline(now, timeout, &Context::new());
            let driver = &*self.client.transport.0;
            let survey = driver.survey(options.target.clone(), deadline).await;
            self.settle(survey).map_err(|error| {
                error.of_message("negotiate", &options.target, Some(now.elapsed()))
            })
        })
    }
}

impl Negotiate {
    fn settle(&self, survey: Survey) -> Result<Negotiated, RpcError> {
        let api = self.client.spoken();
        // a server of another API on the topic gets no message of this one
        let servers: Vec<(String, Vec<Version>)> = survey
            .servers
            .into_iter()
            .map(|Surveyed { name, versions }| {
                let of_namespace = versions
                    .into_iter()
                    .filter(|(namespace, _)| namespace.as_deref() == api.namespace());
                (name, of_namespace.map(|(_, version)| version).collect())
            })
            .filter(|(_, versions): &(_, Vec<_>)| !versions.is_empty())
            .collect();
        if !survey.unreached.is_empty() && !self.unreached_allowed {
            return Err(RpcError::new(
                ErrorKind::Undeliverable,
                format!(
                    "nodes that are listed could not be reached: {}",
                    few(survey
                        .unreached
                        .iter()
                        .map(|(address, why)| format!("{address} ({why})")))
                ),
            ));
        }
        if servers.is_empty() {
            return Err(RpcError::new(ErrorKind::Undeliverable, survey.absence));
        }
        let lowest = |end: Version| {
            let newest = |versions: &[Version]| {
                let of_major = versions
                    .iter()
                    .filter(|version| version.major() == end.major());
                of_major.max().copied()
            };
            servers
                .iter()
                .map(|(_, versions)| newest(versions))
                .try_fold(end, |lowest, newest| Some(lowest.min(newest?)))
        };
        let Some(found) = api.ends().find_map(lowest) else {
            return Err(RpcError::new(
                ErrorKind::UnsupportedVersion,
                format!(
                    "there is no major version that all speak: this client {}, {}",
                    list(&api.ends().collect::<Vec<_>>()),
                    few(servers
                        .iter()
                        .map(|(name, versions)| format!("{name} {}", list(versions))))
                ),
            ));
        };
        self.client.options.negotiated.set(found);
        let (cap, _) = self.client.options.versions()?;
        tracing::info!(name: "rpc.client.negotiated", api = self.client.api.name(), cap = %found, servers = servers.len(), "negotiated a version cap");
        Ok(Negotiated {
            cap: cap.map_or(found, |cap| cap.version),
            servers,
            unreached: survey.unreached,
        })
    }
}

fn list(versions: &[Version]) -> String {
    let versions: Vec<String> = versions.iter().map(ToString::to_string).collect();
    versions.join(" and ")
}

/// As many as a line can name.
fn few(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.take(8).map(|name| text::shown(&name)).collect();
    names.join(", ")
}

/// What the servers of a topic speak.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Negotiated {
    /// The cap that holds now: what was found, or what is configured if that is lower.
    pub cap: Version,
    /// Each server that has the API, with the end of each major version that it speaks.
    pub servers: Vec<(String, Vec<Version>)>,
    /// The addresses of nodes that could not be reached, and why.
    pub unreached: Vec<(String, String)>,
}

impl fmt::Display for Negotiated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (", self.cap)?;
        for (at, (name, versions)) in self.servers.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{} {}", text::shown(name), list(versions))?;
        }
        f.write_str(")")
    }
}
