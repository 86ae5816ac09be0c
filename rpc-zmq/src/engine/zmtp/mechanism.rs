//! What both ends say after their greetings: the mechanisms NULL and CURVE. No I/O.

use super::command::{self, Command};
use super::handshake::Role;
use super::head::{self, Kind};
use super::text;
use crate::curve::{Broken, Greeted, Greeting, Initiated, Initiating, Opener, Sealer};
use crate::keyring::{Holder, Keyring};
use crypto_box::aead::OsRng;
use std::sync::Arc;

/// By this status a key is refused (RFC 27). It says no more than that.
const REFUSED: &str = "400";

/// How this side shows who it is, and learns who is at the other end.
#[derive(Clone, Debug)]
pub(super) enum Security {
    /// Not at all.
    Null(Role),
    /// It connects, to the node that has this key.
    CurveClient(Arc<Holder>),
    /// It listens, for the clients that are listed.
    CurveNode(Arc<Keyring>),
}

/// What CURVE has agreed on.
#[derive(Debug)]
pub(super) struct Session {
    /// The peer, which has proved to own its key.
    pub(super) holder: Arc<Holder>,
    pub(super) sealer: Sealer,
    pub(super) opener: Opener,
}

/// How far a mechanism is: what it waits for.
pub(super) enum Mechanism {
    /// READY, and that is all.
    Null(Role),
    /// As a client: WELCOME.
    Hailed(Greeting, Arc<Holder>),
    /// As a client: READY.
    Shown(Initiating, Arc<Holder>),
    /// As a node: HELLO.
    Silent(Arc<Keyring>),
    /// As a node: INITIATE.
    Welcomed(Greeted, Arc<Keyring>),
}

/// What comes next.
pub(super) enum Step {
    /// Another command.
    More(Mechanism),
    /// Messages.
    Done(Option<Session>),
}

impl Security {
    /// What stands in the greeting.
    pub(super) fn name(&self) -> &'static [u8] {
        match self {
            Self::Null(_) => b"NULL",
            Self::CurveClient(_) | Self::CurveNode(_) => b"CURVE",
        }
    }

    /// Begins, after the peer's greeting.
    pub(super) fn begin(&self, out: &mut Vec<u8>) -> Mechanism {
        match self {
            Self::Null(role) => {
                command::put_ready(out, role.socket_type());
                Mechanism::Null(*role)
            }
            Self::CurveClient(node) => {
                let own = node.keyring().own().clone();
                let (greeting, hello) = Greeting::start(own, node.key(), &mut OsRng);
                put(out, &hello);
                Mechanism::Hailed(greeting, Arc::clone(node))
            }
            Self::CurveNode(keyring) => Mechanism::Silent(Arc::clone(keyring)),
        }
    }
}

impl Mechanism {
    /// Takes the body of the peer's next command. An error ends the connection, after what is in `out`.
    pub(super) fn receive(self, body: &[u8], out: &mut Vec<u8>) -> Result<Step, String> {
        let command = command::parse(body)?;
        match command {
            Command::Error(reason) if reason == REFUSED.as_bytes() => {
                return Err("it does not let the key of this side in".into());
            }
            Command::Error(reason) => {
                return Err(format!("it refused the handshake: {}", text(reason)));
            }
            _ => {}
        }
        let broken = |Broken(reason)| reason.to_owned();
        match self {
            Self::Null(role) => {
                let Command::Ready(properties) = command else {
                    return Err("it sent another command than READY".into());
                };
                check_socket_type(role, properties, out)?;
                Ok(Step::Done(None))
            }
            Self::Hailed(greeting, node) => {
                let metadata = command::socket_type(Role::Dealer.socket_type());
                let welcomed = greeting.welcomed(body, &metadata, &mut OsRng);
                let (initiating, initiate) = welcomed.map_err(broken)?;
                put(out, &initiate);
                Ok(Step::More(Self::Shown(initiating, node)))
            }
            Self::Shown(initiating, node) => {
                let (metadata, sealer, opener) = initiating.ready(body).map_err(broken)?;
                check_socket_type(Role::Dealer, &metadata, out)?;
                Ok(done(node, sealer, opener))
            }
            Self::Silent(keyring) => {
                let greeted = Greeted::start(keyring.own(), body, &mut OsRng);
                let (greeted, welcome) = greeted.map_err(broken)?;
                put(out, &welcome);
                Ok(Step::More(Self::Welcomed(greeted, keyring)))
            }
            Self::Welcomed(greeted, keyring) => {
                let Initiated {
                    client,
                    metadata,
                    accepting,
                } = greeted.initiated(body).map_err(broken)?;
                if !keyring.listed().has_client(&client) {
                    command::put_error(out, REFUSED);
                    return Err(format!(
                        "its key, {}…, is not listed as a client's",
                        client.short()
                    ));
                }
                check_socket_type(Role::Router, &metadata, out)?;
                let metadata = command::socket_type(Role::Router.socket_type());
                let (ready, sealer, opener) = accepting.ready(&metadata);
                put(out, &ready);
                Ok(done(Holder::client(keyring, client), sealer, opener))
            }
        }
    }
}

fn done(holder: Arc<Holder>, sealer: Sealer, opener: Opener) -> Step {
    Step::Done(Some(Session {
        holder,
        sealer,
        opener,
    }))
}

/// Adds a command of CURVE, as a frame.
fn put(out: &mut Vec<u8>, body: &[u8]) {
    head::put(out, Kind::Command, body.len());
    out.extend_from_slice(body);
}

/// An identity may be among the properties: peers are told apart by their connections.
fn check_socket_type(role: Role, properties: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    let socket_type = command::property(properties, "Socket-Type")?.unwrap_or_default();
    if socket_type == role.peer().as_bytes() {
        return Ok(());
    }
    let reason = format!(
        "its socket type is {}, and a {} talks to a {} only",
        text(socket_type),
        role.socket_type(),
        role.peer()
    );
    command::put_error(out, &reason);
    Err(reason)
}
