//! The addresses of a name: one node for each.

use super::{Dialler, Listed, Listing, MOST_NODES, PATIENCE, jittered};
use crate::address::Address;
use crate::backoff::Backoff;
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig,
};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, Record};
use rpc_core::transport::{ParseUrlError, TransportUrl};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

/// How long an answer is believed at least, whatever its TTL, also when a link is lost.
const SHORTEST: Duration = Duration::from_secs(1);

/// How long an answer is believed at most, whatever its TTL.
const LONGEST: Duration = Duration::from_secs(30);

/// How many hosts of a service are looked up at a time.
const AT_A_TIME: usize = 8;

/// A name in the DNS that leads to nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DnsName {
    name: String,
    /// The port of all its addresses. Without: it is a service, whose SRV records say the ports.
    port: Option<u16>,
    /// Who is asked, instead of whom the system would ask.
    resolver: Option<SocketAddr>,
}

/// Who is asked for addresses of IPv4, and of IPv6.
type Resolvers = [TokioResolver; 2];

/// What the DNS says.
#[derive(Debug)]
struct Answer {
    listing: Listing,
    /// Whether all that the name leads to could be looked up.
    complete: bool,
    ttl: Duration,
}

impl DnsName {
    pub(super) fn parse(url: &TransportUrl) -> Result<Self, ParseUrlError> {
        let rest = url.rest().trim_end_matches('/');
        let resolver = url
            .option("resolver")
            .map(|text| {
                text.parse().map_err(|_| {
                    ParseUrlError::new("`resolver` is `ip:port`, as in `resolver=127.0.0.1:53`")
                })
            })
            .transpose()?;
        let is_service = |name: &str| {
            let mut labels = name.split('.');
            let named = |label: Option<&str>| {
                label.is_some_and(|label| label.len() > 1 && label.starts_with('_'))
            };
            named(labels.next()) && named(labels.next()) && labels.next().is_some()
        };
        if is_service(rest) && !rest.contains([':', ',']) {
            return Ok(Self {
                name: rest.to_owned(),
                port: None,
                resolver,
            });
        }
        if !rest.contains(':') {
            return Err(ParseUrlError::new(
                "`zmq+dns://` has a name and a port, or a service: write `zmq+dns://compute.svc:5555` or `zmq+dns://_rpc._tcp.compute.svc`",
            ));
        }
        match Address::tcp(rest)? {
            Address::Tcp { host, port } => Ok(Self {
                name: host,
                port: Some(port),
                resolver,
            }),
            Address::Ipc(_) => Err(ParseUrlError::new("a name in the DNS is no path")),
        }
    }

    /// For each kind of address one, so that what is wrong with one kind is told from what there is of the other.
    fn resolvers(&self) -> Result<Resolvers, NetError> {
        use LookupIpStrategy::{Ipv4Only, Ipv6Only};
        Ok([self.resolver(Ipv4Only)?, self.resolver(Ipv6Only)?])
    }

    fn resolver(&self, kind: LookupIpStrategy) -> Result<TokioResolver, NetError> {
        let mut builder = match self.resolver {
            None => TokioResolver::builder_tokio()?,
            Some(address) => {
                let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
                let connections = connections.map(|mut connection| {
                    connection.port = address.port();
                    connection
                });
                let server = NameServerConfig::new(address.ip(), true, connections.into());
                TokioResolver::builder_with_config(
                    ResolverConfig::from_name_servers(vec![server]),
                    TokioRuntimeProvider::default(),
                )
            }
        };
        let options = builder.options_mut();
        // the TTL says when it is asked again, and a lost link that it is asked before that
        options.cache_size = 0;
        options.ip_strategy = kind;
        options.timeout = PATIENCE;
        // it is asked again in any case, and one that is silent must not keep the answers of others back
        options.attempts = 0;
        builder.build()
    }

    async fn ask(&self, resolvers: &Resolvers) -> Result<Answer, NetError> {
        match self.port {
            Some(port) => addresses(resolvers, &self.name, port).await,
            None => self.ask_for_service(resolvers).await,
        }
    }

    async fn ask_for_service(&self, resolvers: &Resolvers) -> Result<Answer, NetError> {
        let found = resolvers[0].srv_lookup(self.name.as_str()).await?;
        let mut answer = Answer {
            listing: Listing::new(),
            complete: true,
            ttl: ttl(found.answers()),
        };
        let hosts: Vec<(String, u16)> = found
            .answers()
            .iter()
            .filter_map(|record| match &record.data {
                RData::SRV(service) => Some((service.target.to_utf8(), service.port)),
                _ => None,
            })
            .take(MOST_NODES)
            .collect();
        let mut found = stream::iter(hosts)
            .map(|(host, port)| async move { addresses(resolvers, &host, port).await })
            .buffer_unordered(AT_A_TIME);
        let until = Instant::now() + PATIENCE;
        loop {
            match timeout_at(until, found.next()).await {
                Ok(None) => return Ok(answer),
                Ok(Some(Ok(host))) => {
                    answer.listing.extend(host.listing);
                    answer.complete &= host.complete;
                    answer.ttl = answer.ttl.min(host.ttl);
                }
                Ok(Some(Err(error))) if error.is_no_records_found() => {}
                // what is known of it stays
                Ok(Some(Err(_))) => answer.complete = false,
                Err(_elapsed) => {
                    answer.complete = false;
                    return Ok(answer);
                }
            }
        }
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "dns://{}:{port}", self.name),
            None => write!(f, "dns://{}", self.name),
        }
    }
}

/// The addresses of a host, of both kinds. An error is that of a kind that has none because something is wrong, if there is one.
async fn addresses(resolvers: &Resolvers, host: &str, port: u16) -> Result<Answer, NetError> {
    let mut answer = Answer {
        listing: Listing::new(),
        complete: true,
        ttl: LONGEST,
    };
    let mut trouble: Option<NetError> = None;
    let asked = resolvers.each_ref().map(|kind| kind.lookup_ip(host));
    for found in join_all(asked).await {
        match found {
            Ok(found) => {
                let at = |ip: IpAddr| Address::Tcp {
                    host: ip.to_string(),
                    port,
                };
                let listed = found.iter().map(|ip| (at(ip), Listed::default()));
                answer.listing.extend(listed);
                answer.ttl = answer.ttl.min(ttl(found.as_lookup().answers()));
            }
            Err(error) => {
                let is_empty = error.is_no_records_found();
                answer.complete &= is_empty;
                if !is_empty || trouble.is_none() {
                    trouble = Some(error);
                }
            }
        }
    }
    match trouble {
        Some(error) if answer.listing.is_empty() => Err(error),
        _ => Ok(answer),
    }
}

fn ttl(records: &[Record]) -> Duration {
    let shortest = records.iter().map(|record| record.ttl).min();
    Duration::from_secs(shortest.unwrap_or(0).into())
}

/// Lists the addresses of a name again and again: when the answer is not to be believed any more, and when a link is lost.
pub(super) async fn follow(dialler: &Arc<Dialler>, name: &DnsName) {
    let outbound = &dialler.outbound;
    let mut backoff = Backoff::new();
    let mut resolvers = None;
    loop {
        let asked = Instant::now();
        let answer = async {
            let resolvers = match &mut resolvers {
                Some(resolvers) => resolvers,
                none => none.insert(name.resolvers()?),
            };
            name.ask(resolvers).await
        };
        let pause = match timeout(PATIENCE * 3, answer).await {
            Ok(Ok(answer)) => {
                backoff.reset();
                dialler.list(dialler.bounded(answer.listing), answer.complete);
                outbound.directory_answered(&[]);
                jittered(answer.ttl).clamp(SHORTEST, LONGEST)
            }
            Ok(Err(error)) => {
                if error.is_no_records_found() {
                    dialler.list(Listing::new(), true);
                } else {
                    // the system may ask somebody else by now
                    resolvers = None;
                }
                outbound.directory_failed(&reason(&error));
                backoff.next()
            }
            Err(_elapsed) => {
                resolvers = None;
                outbound.directory_failed("no answer in time");
                backoff.next()
            }
        };
        tokio::select! {
            () = sleep(pause) => {}
            () = dialler.link_lost() => sleep_until(asked + SHORTEST).await,
        }
    }
}

fn reason(error: &NetError) -> String {
    match error {
        error if error.is_nx_domain() => "there is no such name".into(),
        error if error.is_no_records_found() => "the name has no addresses".into(),
        error => error.to_string(),
    }
}
