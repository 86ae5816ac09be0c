//! ZMTP 3.1 and 3.0, [RFC 37](https://rfc.zeromq.org/spec/37/) and [23](https://rfc.zeromq.org/spec/23/), as far as this crate
//! needs it: DEALER and ROUTER, the mechanisms NULL and CURVE, over TCP and Unix sockets.
//!
//! | file | what it is about |
//! |---|---|
//! | `greeting` | the first 64 bytes |
//! | `head` | what stands in front of each frame |
//! | `command` | READY, ERROR, PING and PONG |
//! | `handshake` | from the first byte to the first message |
//! | `mechanism` | what is said in it: NULL and CURVE |
//! | `intake` | from bytes to frames, and the limits on them |
//! | `outlet` | from frames to bytes |
//! | `socket` | TCP and Unix sockets |
//! | `connection` | the tasks that read and write, heartbeats, and the end |
//! | `listener` | connections that come in, and how many may |
//! | `guests` | whose they are, and how many of one peer may |
//!
//! What a peer may do to this side is bounded here: how long a handshake takes, how large messages are, for how long nothing is
//! heard and nothing is read. No length that a peer announces is reserved. The first six files and `outlet` do no I/O.

mod command;
mod connection;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod greeting;
mod guests;
mod handshake;
mod head;
mod intake;
mod listener;
mod mechanism;
mod outlet;
mod socket;

#[cfg(test)]
mod sealed;
#[cfg(test)]
mod tests;

pub(crate) use connection::{Connection, Unread};
pub(crate) use listener::Listener;

use crate::address::Address;
use crate::engine::{Ended, NoLink};
use crate::keyring::{Holder, Keyring};
use crate::security;
use handshake::Role;
use intake::MessageLimits;
use mechanism::Security;
use rpc_core::transport::{ParseUrlError, TransportUrl};
use socket::Socket;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long it may take until a connection is made, before the handshake.
const CONNECT: Duration = Duration::from_secs(2);

/// How many frames a message may have.
const FRAMES: usize = 1024;

/// How large a message may be, in bytes, unless the URL says otherwise.
const MAX_MESSAGE: usize = 8 * 1024 * 1024;

/// How small that may be: an announcement must fit.
const LEAST_MESSAGE: usize = 64 * 1024;

/// How long nothing may be heard of a peer, unless the URL says otherwise; and the bounds of what it may say.
const HEARTBEAT: Duration = Duration::from_secs(5);
const SHORTEST_HEARTBEAT: Duration = Duration::from_millis(100);
const LONGEST_HEARTBEAT: Duration = Duration::from_secs(24 * 3600);

/// How many connections a node may have, unless the URL says otherwise.
const CONNECTIONS: usize = 4096;

/// How many of these may be of one address, unless the URL says otherwise.
const PEER_CONNECTIONS: usize = 2048;

/// How many connections one address may make in a second, unless the URL says otherwise.
const HANDSHAKES: u32 = 256;

/// What a URL says of connections.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) max_message: usize,
    /// How long nothing may be heard of a peer. `None`: for ever.
    silence: Option<Duration>,
    connections: usize,
    /// With it, the mechanism is CURVE.
    keyring: Option<Arc<Keyring>>,
    peer_connections: usize,
    handshakes: u32,
}

impl Options {
    /// The names that they have in a URL.
    pub(crate) const NAMES: [&str; 5] = [
        "max_message",
        "heartbeat",
        "connections",
        "peer_connections",
        "handshakes",
    ];

    pub(crate) fn parse(
        url: &TransportUrl,
        security: &security::Security,
    ) -> Result<Self, ParseUrlError> {
        let at_least = |key, least, default| match url.number(key)? {
            Some(number) if number < least => {
                Err(ParseUrlError::new(format!("`{key}` is at least {least}")))
            }
            Some(number) => Ok(number),
            None => Ok(default),
        };
        let asked = url.number("heartbeat")?.map(Duration::from_millis);
        let silence = match asked.unwrap_or(HEARTBEAT) {
            Duration::ZERO => None,
            short if short < SHORTEST_HEARTBEAT => {
                return Err(ParseUrlError::new(format!(
                    "`heartbeat={}`: it is in milliseconds, at least {}, or 0 for none",
                    short.as_millis(),
                    SHORTEST_HEARTBEAT.as_millis()
                )));
            }
            silence => Some(silence.min(LONGEST_HEARTBEAT)),
        };
        Ok(Self {
            max_message: at_least("max_message", LEAST_MESSAGE, MAX_MESSAGE)?,
            silence,
            connections: at_least("connections", 1, CONNECTIONS)?,
            keyring: security.keyring.clone(),
            peer_connections: at_least("peer_connections", 1, PEER_CONNECTIONS)?,
            handshakes: url.number("handshakes")?.unwrap_or(HANDSHAKES).max(1),
        })
    }

    fn message_limits(&self) -> MessageLimits {
        MessageLimits {
            bytes: self.max_message,
            frames: FRAMES,
        }
    }
}

/// Connects to a node; with CURVE, to one that has a key that is listed for this address.
pub(crate) async fn connect(
    address: &Address,
    options: &Options,
) -> Result<Box<Connection>, NoLink> {
    let Some(keyring) = &options.keyring else {
        let socket = reach(address).await?;
        let established = Connection::establish(socket, Security::Null(Role::Dealer), options);
        return established.await.map_err(no_link);
    };
    // a client has to know the key before it says anything
    let mut why = "no key is listed for a node at this address".to_owned();
    for key in keyring.listed().expected_at(address) {
        let node = Holder::node(Arc::clone(keyring), *key, address.clone());
        let socket = reach(address).await?;
        match Connection::establish(socket, Security::CurveClient(node), options).await {
            Ok(connection) => return Ok(connection),
            // it does so when it has another key
            Err(Ended::Closed(reason)) => {
                why = format!("{reason}: perhaps its key is another than {}…", key.short());
            }
            Err(ended) => return Err(no_link(ended)),
        }
    }
    Err(NoLink::Refused(why))
}

/// Whoever is gone, or silent, refuses nothing.
fn no_link(ended: Ended) -> NoLink {
    match ended {
        Ended::Dropped(reason) => NoLink::Refused(reason),
        other => NoLink::Unreached(other.reason().to_owned()),
    }
}

async fn reach(address: &Address) -> Result<Socket, NoLink> {
    let reached = timeout(CONNECT, socket::connect(address)).await;
    reached
        .map_err(|_| NoLink::Unreached("it did not answer in time".into()))?
        .map_err(|error| {
            NoLink::Unreached(match error.kind() {
                std::io::ErrorKind::ConnectionRefused => "nobody listens there".into(),
                _ => error.to_string(),
            })
        })
}

/// What a peer calls something, fit to be shown.
fn text(bytes: &[u8]) -> String {
    const SHOWN: usize = 64;
    let shown = bytes.get(..SHOWN).unwrap_or(bytes);
    format!("`{}`", shown.escape_ascii())
}
