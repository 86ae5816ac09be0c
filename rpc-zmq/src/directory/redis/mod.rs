//! Nodes that register themselves in Redis, under a lease, found by the topics that they serve.
//!
//! What is kept there is written down in `docs/redis-directory.md`, so that others can read and write it too.
//!
//! | file | what it is about |
//! |---|---|
//! | `keys` | the names of the keys |
//! | `record` | what a node says about itself |
//! | `connection` | commands and answers, within a time and a size |
//! | `reader` | the client's side: which nodes serve the topics that are used |
//! | `warnings` | what is wrong with what it holds, logged now and then |
//! | `registrar` | the node's side: its record and its topics, as long as it lives |

mod connection;
mod keys;
mod reader;
mod record;
mod registrar;
mod warnings;

pub(super) use reader::follow;
pub(crate) use registrar::Registrar;

use ::redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};
use rpc_core::transport::{ParseUrlError, TransportUrl};
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

/// How long a node is believed to live after it said so, unless its URL says otherwise.
const LEASE: Duration = Duration::from_secs(15);
const SHORTEST_LEASE: Duration = Duration::from_secs(1);
const LONGEST_LEASE: Duration = Duration::from_secs(60 * 60);

/// How often a client asks for changes, unless its URL says otherwise.
const POLL: Duration = Duration::from_secs(1);
const SHORTEST_POLL: Duration = Duration::from_millis(50);
const LONGEST_POLL: Duration = Duration::from_secs(60);

/// A Redis server, and how it is used.
#[derive(Clone)]
pub(crate) struct RedisServer {
    /// Holds the password.
    info: ConnectionInfo,
    host: String,
    port: u16,
    /// How long a node is believed to live after it said so.
    lease: Duration,
    /// How often it is asked for changes.
    poll: Duration,
}

impl RedisServer {
    pub(super) fn parse(url: &TransportUrl) -> Result<Self, ParseUrlError> {
        // what is wrong may be the password: it is not shown
        let wrong = || {
            ParseUrlError::new(
                "this is no Redis server: write `zmq+redis://host:6379/0`, or `zmq+redis://user:password@host:6379/0` with `%` and two hexadecimal digits for special characters",
            )
        };
        if url.rest().is_empty() {
            return Err(wrong());
        }
        let info = format!("redis://{}", url.rest())
            .into_connection_info()
            .map_err(|_| wrong())?;
        let ConnectionAddr::Tcp(host, port) = info.addr() else {
            return Err(wrong());
        };
        let (host, port) = (host.clone(), *port);
        let settings = info.redis_settings().clone().set_skip_set_lib_name();
        Ok(Self {
            info: info.set_redis_settings(settings),
            host,
            port,
            lease: time(url, "lease", LEASE, SHORTEST_LEASE..=LONGEST_LEASE)?,
            poll: time(url, "poll", POLL, SHORTEST_POLL..=LONGEST_POLL)?,
        })
    }
}

fn time(
    url: &TransportUrl,
    key: &str,
    default: Duration,
    range: RangeInclusive<Duration>,
) -> Result<Duration, ParseUrlError> {
    let time = url.number(key)?.map_or(default, Duration::from_millis);
    if !range.contains(&time) {
        return Err(ParseUrlError::new(format!(
            "`{key}` is {} to {} milliseconds",
            range.start().as_millis(),
            range.end().as_millis()
        )));
    }
    Ok(time)
}

impl PartialEq for RedisServer {
    fn eq(&self, other: &Self) -> bool {
        let of = |server: &Self| (server.host.clone(), server.port, server.lease, server.poll);
        of(self) == of(other)
    }
}

impl fmt::Display for RedisServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "redis://[{}]:{}", self.host, self.port),
            false => write!(f, "redis://{}:{}", self.host, self.port),
        }
    }
}

impl fmt::Debug for RedisServer {
    /// Leaves out user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisServer({self})")
    }
}
