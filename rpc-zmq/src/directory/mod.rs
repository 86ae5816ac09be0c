//! Where nodes are found, and where those of this process listen: what a URL says.
//!
//! A directory says which addresses there are, and that is all: it [lists](Listing) them to the [`Dialler`], which dials what is new. What it
//! says later only adds. A link ends when its connection does, whatever the directory says by then; and an address that an answer
//! does not list any more is not dialled again. So an answer that is empty, wrong, late or missing stops nothing that works.
//!
//! | file | what it is about |
//! |---|---|
//! | `dialler` | which addresses are dialled, and when again |
//! | `dns` | the addresses of a name |
//! | `redis` | nodes that register themselves, found by the topics that they serve |

mod dialler;
mod dns;
mod redis;

pub(crate) use dialler::{Dialled, Dialler, Listed, Listing};
pub(crate) use redis::Registrar;

use crate::address::Address;
use dns::DnsName;
use redis::RedisServer;
use rpc_core::StartError;
use rpc_core::exchange::Inbound;
use rpc_core::transport::{ParseUrlError, TransportUrl};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// How many nodes of a directory are dialled at most.
const MOST_NODES: usize = 4096;

/// How long a directory may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a client keeps a link that is of no use, unless its URL says otherwise.
const IDLE: Duration = Duration::from_secs(600);

/// The shortest that this may be.
const SHORTEST_IDLE: Duration = Duration::from_millis(100);

/// What a URL says: how nodes are found, and where a server listens.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Directory {
    source: Source,
    ipc: bool,
    listen: Option<Address>,
    pub(crate) advertise: Option<Address>,
    /// How long a client keeps a link that is of no use, if not for ever.
    pub(crate) idle: Option<Duration>,
}

/// Who knows which nodes there are.
#[derive(Clone, Debug, PartialEq)]
enum Source {
    List(Box<[Address]>),
    Dns(Box<DnsName>),
    Redis(Box<RedisServer>),
}

/// The options that URLs of a scheme have besides those of every transport over ZeroMQ.
pub(crate) fn options(scheme: &str) -> &'static [&'static str] {
    match scheme {
        "zmq+dns" => &["resolver"],
        "zmq+redis" => &["lease", "poll"],
        _ => &[],
    }
}

impl Directory {
    pub(crate) fn parse(url: &TransportUrl) -> Result<Self, ParseUrlError> {
        let ipc = url.scheme() == "zmq+ipc";
        if ipc && cfg!(not(unix)) {
            return Err(ParseUrlError::new("`zmq+ipc://` is for Unix"));
        }
        let address = |text: &str| Address::parse(text, ipc);
        let listen = url.option("listen").map(address).transpose()?;
        let source = match url.scheme() {
            "zmq+dns" => Source::Dns(Box::new(DnsName::parse(url)?)),
            "zmq+redis" => Source::Redis(Box::new(RedisServer::parse(url)?)),
            _ => Source::List(list(url, ipc, listen.is_some())?.into()),
        };
        Ok(Self {
            source,
            ipc,
            listen,
            advertise: url.option("advertise").map(address).transpose()?,
            idle: idle(url)?,
        })
    }

    /// Where a server listens, which may say so itself.
    pub(crate) fn listen(&self, own: Option<&str>) -> Result<Address, ParseUrlError> {
        match (own, &self.listen, &self.source) {
            (Some(own), _, _) => Address::parse(own, self.ipc),
            (None, Some(listen), _) => Ok(listen.clone()),
            (None, None, Source::List(nodes)) if nodes.len() == 1 => Ok(nodes[0].clone()),
            (None, None, Source::List(_)) => Err(ParseUrlError::new(
                "the URL names several nodes, so it must say where this one listens: add `?listen=host:port`",
            )),
            (None, None, _) => Err(ParseUrlError::new(
                "the URL must say where this node listens: add `?listen=host:port`",
            )),
        }
    }

    /// A node that tells a directory of itself needs an address that others can use.
    pub(crate) fn check_advertised(&self, listen: &Address) -> Result<(), StartError> {
        let everywhere = |host: &str| {
            host.parse::<IpAddr>()
                .is_ok_and(|address| address.is_unspecified())
        };
        match (&self.source, self.advertise.as_ref().unwrap_or(listen)) {
            (Source::Redis(_), Address::Tcp { host, .. }) if everywhere(host) => {
                Err(StartError::Listen(format!(
                    "clients cannot find a node at {host}: add `advertise=host:port` to the URL"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Who tells it about this node, if it wants to know.
    pub(crate) fn registrar(&self, inbound: &Arc<Inbound>) -> Option<Arc<Registrar>> {
        match &self.source {
            Source::Redis(server) => Some(Arc::new(Registrar::new((**server).clone(), inbound))),
            _ => None,
        }
    }

    /// Lists nodes to a dialler. Of a directory that has to be asked: again and again, in a task that is given back.
    pub(crate) fn follow(
        &self,
        dialler: &Arc<Dialler>,
    ) -> Option<impl Future<Output = ()> + Send + 'static + use<>> {
        let name = match &self.source {
            Source::List(nodes) => {
                let listed = nodes.iter().map(|node| (node.clone(), Listed::default()));
                dialler.list(listed.collect(), true);
                return None;
            }
            Source::Dns(name) => name.to_string(),
            Source::Redis(server) => server.to_string(),
        };
        dialler
            .outbound
            .set_directory(&name, matches!(self.source, Source::Redis(_)));
        let (source, dialler) = (self.source.clone(), Arc::clone(dialler));
        Some(async move {
            match source {
                Source::List(_) => {}
                Source::Dns(name) => dns::follow(&dialler, &name).await,
                Source::Redis(server) => redis::follow(&dialler, &server).await,
            }
        })
    }
}

fn idle(url: &TransportUrl) -> Result<Option<Duration>, ParseUrlError> {
    match url.number("idle")?.map(Duration::from_millis) {
        None => Ok(Some(IDLE)),
        Some(Duration::ZERO) => Ok(None),
        Some(idle) if idle < SHORTEST_IDLE => Err(ParseUrlError::new(
            "`idle` is at least 100 milliseconds, or 0 for links that are kept for ever",
        )),
        Some(idle) => Ok(Some(idle)),
    }
}

/// The nodes that a URL names.
fn list(url: &TransportUrl, ipc: bool, listens: bool) -> Result<Vec<Address>, ParseUrlError> {
    let nodes: Vec<Address> = url
        .rest()
        .split(',')
        .filter(|text| !text.is_empty())
        // a trailing slash, as URLs have it
        .map(|text| {
            let text = if ipc {
                text
            } else {
                text.trim_end_matches('/')
            };
            Address::parse(text, ipc)
        })
        .collect::<Result<_, _>>()?;
    if nodes.is_empty() && !listens {
        return Err(ParseUrlError::new(if ipc {
            "the URL names no node: write `zmq+ipc:///run/node.sock`"
        } else {
            "the URL names no node: write `zmq://host:port`, or `zmq://?listen=host:port` for a process that only serves"
        }));
    }
    if let Some(twice) = nodes
        .iter()
        .enumerate()
        .find_map(|(at, node)| nodes[..at].contains(node).then_some(node))
    {
        return Err(ParseUrlError::new(format!("the URL names {twice} twice")));
    }
    Ok(nodes)
}

/// A quarter shorter or longer by chance, so that a fleet does not ask all at once.
fn jittered(time: Duration) -> Duration {
    time.mul_f64(0.75 + fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests;
