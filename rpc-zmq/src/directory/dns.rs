//! The addresses of a name: one node for each.

use super::{Dialler, Listed, Listing, MOST_NODES, PATIENCE, jittered};
use crate::address::Address;
use crate::backoff::Backoff;
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
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until, timeout};

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

    fn resolver(&self) -> Result<TokioResolver, NetError> {
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
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        options.timeout = PATIENCE;
        // it is asked again in any case, and one that is silent must not keep the answers of others back
        options.attempts = 0;
        builder.build()
    }

    async fn ask(&self, resolver: &TokioResolver) -> Result<Answer, NetError> {
        match self.port {
            Some(port) => addresses(resolver, &self.name, port).await,
            None => self.ask_for_service(resolver).await,
        }
    }

    async fn ask_for_service(&self, resolver: &TokioResolver) -> Result<Answer, NetError> {
        let found = resolver.srv_lookup(self.name.as_str()).await?;
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
            .map(|(host, port)| async move { addresses(resolver, &host, port).await })
            .buffer_unordered(AT_A_TIME);
        while let Some(host) = found.next().await {
            match host {
                Ok(host) => {
                    answer.listing.extend(host.listing);
                    answer.ttl = answer.ttl.min(host.ttl);
                }
                Err(error) if error.is_no_records_found() => {}
                // what is known of it stays
                Err(_) => answer.complete = false,
            }
        }
        Ok(answer)
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

async fn addresses(resolver: &TokioResolver, host: &str, port: u16) -> Result<Answer, NetError> {
    let found = resolver.lookup_ip(host).await?;
    let listing = found
        .iter()
        .map(|ip| {
            let host = ip.to_string();
            (Address::Tcp { host, port }, Listed::default())
        })
        .collect();
    Ok(Answer {
        listing,
        complete: true,
        ttl: ttl(found.as_lookup().answers()),
    })
}

fn ttl(records: &[Record]) -> Duration {
    let shortest = records.iter().map(|record| record.ttl).min();
    Duration::from_secs(shortest.unwrap_or(0).into())
}

/// Lists the addresses of a name again and again: when the answer is not to be believed any more, and when a link is lost.
pub(super) async fn follow(dialler: &Arc<Dialler>, name: &DnsName) {
    let outbound = &dialler.outbound;
    let mut backoff = Backoff::new();
    let mut resolver = None;
    loop {
        let asked = Instant::now();
        let answer = async {
            let resolver = match &mut resolver {
                Some(resolver) => resolver,
                none => none.insert(name.resolver()?),
            };
            name.ask(resolver).await
        };
        let pause = match timeout(PATIENCE * 2, answer).await {
            Ok(Ok(answer)) => {
                backoff.reset();
                dialler.list(dialler.bounded(answer.listing), answer.complete);
                outbound.directory_answered(&[]);
                jittered(answer.ttl).clamp(SHORTEST, LONGEST)
            }
            Ok(Err(error)) => {
                if error.is_no_records_found() {
                    dialler.list(Listing::new(), true);
                }
                outbound.directory_failed(&reason(&error));
                backoff.next()
            }
            Err(_elapsed) => {
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
