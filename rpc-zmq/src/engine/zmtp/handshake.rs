//! From the first byte to the first message: greetings, then what the mechanism wants. No I/O: bytes in, bytes out.

use super::command::{self, Command};
use super::greeting::{self, Greeting};
use super::head::{self, Kind};
use super::text;
use bytes::{Buf, BytesMut};

/// How many bytes of a handshake are read before there is an end to it.
pub(super) const LONGEST: usize = 8 * 1024;

/// Which of the two socket types this side is. The other side is the other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Connects.
    Dealer,
    /// Listens.
    Router,
}

impl Role {
    fn socket_type(self) -> &'static str {
        match self {
            Self::Dealer => "DEALER",
            Self::Router => "ROUTER",
        }
    }

    fn peer(self) -> &'static str {
        match self {
            Self::Dealer => "ROUTER",
            Self::Router => "DEALER",
        }
    }
}

/// A handshake that goes on.
#[derive(Debug)]
pub(super) struct Handshake {
    mechanism: Null,
    greeted: Option<Greeting>,
    received: BytesMut,
}

/// How a handshake ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Agreed {
    /// Whether the peer answers PINGs.
    pub(super) pings: bool,
    /// What came after the handshake already.
    pub(super) rest: BytesMut,
}

impl Handshake {
    /// Begins, by writing this side's greeting to `out`.
    pub(super) fn new(role: Role, out: &mut Vec<u8>) -> Self {
        out.extend_from_slice(&greeting::ours(Null::NAME));
        Self {
            mechanism: Null { role },
            greeted: None,
            received: BytesMut::new(),
        }
    }

    /// Where bytes that arrive are put. It has [`LONGEST`] bytes at most.
    pub(super) fn received(&mut self) -> &mut BytesMut {
        &mut self.received
    }

    /// Goes on with what has been received: writes to `out` what is to be sent, and says when all is agreed. An error ends the
    /// connection, after what is in `out`.
    pub(super) fn advance(&mut self, out: &mut Vec<u8>) -> Result<Option<Agreed>, String> {
        let greeted = match self.greeted {
            Some(greeted) => greeted,
            None => {
                let Some(greeted) = greeting::parse(&self.received, Null::NAME)? else {
                    return Ok(None);
                };
                self.received.advance(greeting::LEN);
                self.mechanism.begin(out);
                *self.greeted.insert(greeted)
            }
        };
        while let Some(head) = head::parse(&self.received)? {
            if head.kind != Kind::Command {
                return Err("it sent a message before its READY".into());
            }
            let len = usize::try_from(head.len)
                .ok()
                .filter(|len| *len <= LONGEST - head.size)
                .ok_or_else(|| format!("a command of {} bytes in a handshake", head.len))?;
            let Some(body) = self.received.get(head.size..head.size + len) else {
                return Ok(None);
            };
            let agreed = self.mechanism.receive(command::parse(body)?, out)?;
            self.received.advance(head.size + len);
            if agreed {
                return Ok(Some(Agreed {
                    pings: greeted.pings,
                    rest: std::mem::take(&mut self.received),
                }));
            }
        }
        Ok(None)
    }
}

/// The mechanism NULL: each side says READY, and that is all.
#[derive(Debug)]
struct Null {
    role: Role,
}

impl Null {
    const NAME: &'static [u8] = greeting::NULL;

    fn begin(&self, out: &mut Vec<u8>) {
        command::put_ready(out, self.role.socket_type());
    }

    /// Takes the peer's next command. `true` once all is agreed.
    fn receive(&self, command: Command<'_>, out: &mut Vec<u8>) -> Result<bool, String> {
        match command {
            Command::Ready(properties) => {
                // an identity may be among them: peers are told apart by their connections
                let socket_type = command::property(properties, "Socket-Type")?.unwrap_or_default();
                if socket_type == self.role.peer().as_bytes() {
                    return Ok(true);
                }
                let reason = format!(
                    "its socket type is {}, and a {} talks to a {} only",
                    text(socket_type),
                    self.role.socket_type(),
                    self.role.peer()
                );
                command::put_error(out, &reason);
                Err(reason)
            }
            Command::Error(reason) => Err(format!("it refused the handshake: {}", text(reason))),
            _ => Err("it sent another command than READY".into()),
        }
    }
}
