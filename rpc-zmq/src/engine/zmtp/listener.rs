//! Connections that come in, and how many may.

use super::Options;
use super::connection::Connection;
use super::guests::{Guests, Origin, Pending, Presence, first_to_go};
use super::handshake::Role;
use super::mechanism::Security;
use super::socket::{Listening, Socket};
use crate::address::Address;
use crate::engine::{Client, Closing, Ended};
use rpc_core::Peer;
use rpc_core::exchange::Inbound;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

/// How many connections may be in their handshake. With more, the oldest of whoever has begun most is given up, of the network that
/// has begun most: so those that never finish keep nobody out.
const PENDING: usize = 256;

/// How long nothing is accepted when that failed: there are no descriptors or no memory left.
const PAUSE: Duration = Duration::from_millis(100);

/// A node's listening socket.
pub(crate) struct Listener {
    socket: Listening,
    address: Address,
    options: Options,
}

impl Listener {
    /// Listens at an address; says where, with the port that it got.
    pub(crate) async fn bind(
        address: &Address,
        options: &Options,
    ) -> Result<(Self, Address), String> {
        let (socket, bound) = Listening::bind(address)
            .await
            .map_err(|error| format!("{address}: {error}"))?;
        let listener = Self {
            socket,
            address: bound.clone(),
            options: options.clone(),
        };
        Ok((listener, bound))
    }

    /// Takes in clients until the transport is closed, and waits for their links to end.
    pub(crate) async fn serve(self, inbound: Arc<Inbound>, closing: Closing) {
        let mut doorway = Doorway {
            guests: Guests::new(&self.options),
            options: self.options,
            address: self.address,
            inbound,
            accepted: 0,
            pending: JoinSet::new(),
            order: VecDeque::new(),
            open: JoinSet::new(),
        };
        loop {
            tokio::select! {
                accepted = self.socket.accept() => match accepted {
                    Ok((socket, address)) => doorway.accepted(socket, address),
                    Err(error) if is_of_one_connection(&error) => {}
                    Err(error) => {
                        doorway.inbound.accept_failed(&error.to_string());
                        tokio::time::sleep(PAUSE).await;
                    }
                },
                Some(shaken) = doorway.pending.join_next() => {
                    // one that was given up has been told of
                    if let Ok((peer, presence, established)) = shaken {
                        doorway.established(peer, presence, established);
                    }
                }
                Some(_) = doorway.open.join_next() => {}
                () = closing.wait() => break,
            }
        }
        drop(self.socket);
        doorway.pending.abort_all();
        while doorway.open.join_next().await.is_some() {}
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

/// The connections that have been accepted.
struct Doorway {
    guests: Guests,
    options: Options,
    address: Address,
    inbound: Arc<Inbound>,
    /// How many there have been.
    accepted: u64,
    /// Those that shake hands.
    pending: JoinSet<(Peer, Presence, Result<Box<Connection>, Ended>)>,
    /// The same, by age.
    order: VecDeque<(Peer, Pending, AbortHandle)>,
    /// Those that carry frames.
    open: JoinSet<()>,
}

impl Doorway {
    fn accepted(&mut self, socket: Socket, address: Option<SocketAddr>) {
        self.accepted += 1;
        let name = address.map_or_else(
            || format!("{}#{}", self.address, self.accepted),
            |address| address.to_string(),
        );
        let peer = Peer::new("zmq", &name);
        if self.open.len() >= self.options.connections {
            self.inbound
                .dropped(&peer, "there are as many connections as the node may have");
            return;
        }
        let origin = Origin::of(address);
        let account = || self.inbound.account();
        let presence = match self.guests.admit(origin, account, Instant::now()) {
            Ok(presence) => presence,
            Err(reason) => return self.inbound.dropped(&peer, reason),
        };
        if self.order.len() >= PENDING {
            self.order.retain(|(_, _, task)| !task.is_finished());
        }
        if self.order.len() >= PENDING {
            self.give_one_up();
        }
        let count = presence.counter();
        let name = peer.clone();
        let options = self.options.clone();
        let security = match &options.keyring {
            None => Security::Null(Role::Router),
            Some(keyring) => Security::CurveNode(Arc::clone(keyring)),
        };
        let shaking = self.pending.spawn(async move {
            let established = Connection::establish(socket, security, &options).await;
            (peer, presence, established)
        });
        self.order.push_back((name, count, shaking));
    }

    /// Gives up the handshake that another one has to make room for.
    fn give_one_up(&mut self) {
        let at = first_to_go(self.order.iter().map(|(_, pending, _)| pending));
        if let Some((peer, _, task)) = at.and_then(|at| self.order.remove(at)) {
            task.abort();
            self.inbound.dropped(
                &peer,
                "it did not finish the handshake, and as many others have begun one as may",
            );
        }
    }

    fn established(
        &mut self,
        peer: Peer,
        mut presence: Presence,
        established: Result<Box<Connection>, Ended>,
    ) {
        presence.settled();
        let connection = match established {
            Ok(connection) => connection,
            // it dials again and again, and is warned of once
            Err(Ended::Dropped(reason)) if !presence.is_refused(&reason) => {
                return self.inbound.dropped_again(&peer, &reason);
            }
            Err(ended) => return say(&self.inbound, &peer, &ended),
        };
        presence.is_let_in();
        if self.open.len() >= self.options.connections {
            let full = "there are as many connections as the node may have";
            return self.inbound.dropped(&peer, full);
        }
        let inbound = Arc::clone(&self.inbound);
        let holder = connection.holder().cloned();
        let mut named = peer;
        if let Some(holder) = &holder {
            named = holder.named(&named);
            let key = *holder.key().as_bytes();
            let account = || inbound.account();
            match self.guests.identified(key, account, Instant::now()) {
                Ok(known) => presence = known,
                Err(reason) => return inbound.dropped(&named, reason),
            }
        }
        self.open.spawn(async move {
            let client = Client::new(&inbound, named.clone(), holder, presence.account());
            let ended = connection.carry(client.end()).await;
            drop(client);
            say(&inbound, &named, &ended);
            ended.linger().await;
            drop(presence);
        });
    }
}

/// Says why a connection ended. One that looks whether somebody listens, and closes, is no trouble.
fn say(inbound: &Inbound, peer: &Peer, ended: &Ended) {
    match ended {
        Ended::Dropped(_) | Ended::Silent => inbound.dropped(peer, ended.reason()),
        other => {
            tracing::debug!(name: "rpc.client.gone", %peer, reason = other.reason(), "a client is gone");
        }
    }
}
