//! What the load is made of: kinds of requests, and how each is sent.

use super::api::{Build, LIMIT, mark, new, old};
use rpc_core::{CallError, Context, Never, RpcError, Transport};
use std::time::Duration;

/// A request that is not answered by then has failed: no wait is without an end.
const TIMEOUT: Duration = Duration::from_secs(15);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Put,
    Note,
    /// A newer argument, which is an `Option`.
    Weighed,
    /// A newer argument, which has a default.
    Limited,
    /// A newer argument, which old servers do without.
    Hinted,
    /// A cast with a newer argument.
    Urgent,
    /// A newer method.
    Take,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] = [
        Self::Put,
        Self::Note,
        Self::Weighed,
        Self::Limited,
        Self::Hinted,
        Self::Urgent,
        Self::Take,
    ];

    /// Every so many requests, all kinds have had their turn.
    pub(crate) const CYCLE: u64 = 16;

    /// What the request of a number is.
    pub(crate) fn of(build: Build, number: u64) -> Self {
        let turn = number % Self::CYCLE;
        match (turn, build) {
            (1 | 6 | 11 | 14, _) => Self::Note,
            (2, Build::New) => Self::Weighed,
            (4, Build::New) => Self::Limited,
            (7 | 12, Build::New) => Self::Hinted,
            (9, Build::New) => Self::Urgent,
            (13, Build::New) => Self::Take,
            _ => Self::Put,
        }
    }

    pub(crate) fn is_cast(self) -> bool {
        matches!(self, Self::Note | Self::Urgent)
    }

    /// Whether old servers can't serve it.
    pub(crate) fn needs_new(self) -> bool {
        matches!(
            self,
            Self::Weighed | Self::Limited | Self::Urgent | Self::Take
        )
    }
}

/// How a request ended that was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Served {
    AsSent,
    /// An old server ran it, without its hint.
    WithoutHint,
}

/// Why a request was not served as it should be.
pub(crate) enum Trouble {
    Rpc(RpcError),
    Wrong(String),
}

impl From<RpcError> for Trouble {
    fn from(error: RpcError) -> Self {
        Self::Rpc(error)
    }
}

impl From<CallError<Never>> for Trouble {
    fn from(error: CallError<Never>) -> Self {
        match error {
            CallError::Rpc(error) => Self::Rpc(error),
            CallError::Method(never) => match never {},
        }
    }
}

/// A client of either build.
#[derive(Clone)]
pub(crate) enum Client {
    Old(old::FleetClient),
    New(new::FleetClient),
}

impl Client {
    pub(crate) fn new(build: Build, transport: Transport) -> Self {
        match build {
            Build::Old => {
                let client = old::FleetClient::new(transport);
                Self::Old(client.prepare(|call| call.timeout(TIMEOUT)))
            }
            Build::New => {
                let client = new::FleetClient::new(transport);
                Self::New(client.prepare(|call| call.timeout(TIMEOUT)))
            }
        }
    }

    pub(crate) fn rpc(&self) -> &rpc_core::Client {
        match self {
            Self::Old(client) => client.rpc(),
            Self::New(client) => client.rpc(),
        }
    }

    pub(crate) async fn send(&self, id: u64, kind: Kind) -> Result<Served, Trouble> {
        let ctx = Context::new();
        let (weight, hint) = ((id & 0xff) as u32, (id & 0x7f) as u8);
        let plain = mark(None, LIMIT, None);
        let (answer, sent) = match (self, kind) {
            (Self::Old(client), Kind::Note) => {
                client.note(&ctx, id).await?;
                return Ok(Served::AsSent);
            }
            (Self::New(client), Kind::Note) => {
                client.note(&ctx, id).await?;
                return Ok(Served::AsSent);
            }
            (Self::New(client), Kind::Urgent) => {
                client.note(&ctx, id).urgent(true).await?;
                return Ok(Served::AsSent);
            }
            (Self::Old(client), _) => (client.put(&ctx, id).await?, plain),
            (Self::New(client), Kind::Put) => (client.put(&ctx, id).await?, plain),
            (Self::New(client), Kind::Weighed) => (
                client.put(&ctx, id).weight(weight).await?,
                mark(Some(weight), LIMIT, None),
            ),
            (Self::New(client), Kind::Limited) => (
                client.put(&ctx, id).limit(LIMIT + 1 + weight).await?,
                mark(None, LIMIT + 1 + weight, None),
            ),
            (Self::New(client), Kind::Hinted) => (
                client.put(&ctx, id).hint(hint).await?,
                mark(None, LIMIT, Some(hint)),
            ),
            (Self::New(client), Kind::Take) => (client.take(&ctx, id).await?, plain),
        };
        if answer == (id, sent) {
            Ok(Served::AsSent)
        } else if answer == (id, plain) && kind == Kind::Hinted {
            Ok(Served::WithoutHint)
        } else {
            Err(Trouble::Wrong(format!(
                "{kind:?} {id:#x} was answered {answer:x?}, not {:x?}",
                (id, sent)
            )))
        }
    }
}
