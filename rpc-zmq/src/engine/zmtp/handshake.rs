//! From the first byte to the first message: greetings, then what the mechanism wants. No I/O: bytes in, bytes out.

use super::greeting::{self, Greeting};
use super::head::{self, Kind};
use super::mechanism::{Mechanism, Security, Session, Step};
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
    pub(super) fn socket_type(self) -> &'static str {
        match self {
            Self::Dealer => "DEALER",
            Self::Router => "ROUTER",
        }
    }

    pub(super) fn peer(self) -> &'static str {
        match self {
            Self::Dealer => "ROUTER",
            Self::Router => "DEALER",
        }
    }
}

/// A handshake that goes on.
pub(super) struct Handshake {
    security: Security,
    begun: Option<(Greeting, Mechanism)>,
    received: BytesMut,
}

/// How a handshake ended.
#[derive(Debug)]
pub(super) struct Agreed {
    /// Whether the peer answers PINGs.
    pub(super) pings: bool,
    /// Without one, messages are neither sealed nor is it known whose they are.
    pub(super) session: Option<Session>,
    /// What came after the handshake already.
    pub(super) rest: BytesMut,
}

impl Handshake {
    /// Begins, by writing this side's greeting to `out`.
    pub(super) fn new(security: Security, out: &mut Vec<u8>) -> Self {
        let as_server = matches!(security, Security::CurveNode(_));
        out.extend_from_slice(&greeting::ours(security.name(), as_server));
        Self {
            security,
            begun: None,
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
        let (greeted, mut mechanism) = match self.begun.take() {
            Some(begun) => begun,
            None => {
                let Some(greeted) = greeting::parse(&self.received, self.security.name())? else {
                    return Ok(None);
                };
                self.received.advance(greeting::LEN);
                (greeted, self.security.begin(out))
            }
        };
        while let Some(head) = head::parse(&self.received)? {
            if head.kind != Kind::Command {
                return Err("it sent a message before the handshake was done".into());
            }
            let len = usize::try_from(head.len)
                .ok()
                .filter(|len| *len <= LONGEST - head.size)
                .ok_or_else(|| format!("a command of {} bytes in a handshake", head.len))?;
            let Some(body) = self.received.get(head.size..head.size + len) else {
                break;
            };
            let step = mechanism.receive(body, out)?;
            self.received.advance(head.size + len);
            match step {
                Step::More(next) => mechanism = next,
                Step::Done(session) => {
                    return Ok(Some(Agreed {
                        pings: greeted.pings,
                        session,
                        rest: std::mem::take(&mut self.received),
                    }));
                }
            }
        }
        self.begun = Some((greeted, mechanism));
        Ok(None)
    }
}
