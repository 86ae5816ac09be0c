//! A client that sends one request after another, and writes down what it was told.

use crate::api::{Failed, FieldClient};
use crate::node::name;
use crate::weather::NODES;
use fastrand::Rng;
use futures_util::StreamExt;
use rpc_core::{CallError, Context, ErrorKind, FanoutError, RpcError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::timeout;

/// After its limit and this, a future is taken to hang.
const HANGS: Duration = Duration::from_secs(20);

/// How long a client thinks between two requests, in milliseconds: about so often does a shared machine bear it.
const THINKS: std::ops::Range<u64> = 10..60;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Call,
    Cast,
    Fanout,
    Multicall,
}

/// What a client was told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Told {
    /// It ran, and this is what came of it.
    Ran,
    /// A cast was accepted.
    Accepted,
    /// Of a fanout: which nodes accepted it, and which surely did not run it.
    Fanout {
        accepted: u8,
        refused: u8,
    },
    Failed {
        kind: ErrorKind,
        may_have_run: bool,
        /// Who is named by the error.
        by: Option<usize>,
        text: String,
    },
    /// Not what it should be.
    Wrong(String),
    Hangs,
}

/// A request, and what came of it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) id: u64,
    pub(crate) kind: Kind,
    /// The node that it was sent to by name.
    pub(crate) named: Option<usize>,
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
    pub(crate) limit: Duration,
    pub(crate) told: Told,
}

/// Sends until it is over. The ids begin at `first`.
pub(crate) async fn send(
    client: FieldClient,
    first: u64,
    mut rng: Rng,
    over: watch::Receiver<bool>,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    for id in first.. {
        if *over.borrow() {
            break;
        }
        let limit = Duration::from_millis(match rng.u8(0..10) {
            0..3 => rng.u64(200..1_000),
            3..9 => rng.u64(1_000..3_000),
            _ => rng.u64(4_000..8_000),
        });
        let named = (rng.u8(0..10) < 6).then(|| rng.usize(0..NODES));
        let client = client.prepare(|call| match named {
            Some(node) => call.timeout(limit).server(name(node)),
            None => call.timeout(limit),
        });
        let kind = match rng.u8(0..20) {
            0..10 => Kind::Call,
            10..16 => Kind::Cast,
            16 => Kind::Fanout,
            _ => Kind::Multicall,
        };
        let ms = match rng.u8(0..10) {
            0..6 => 0,
            6..9 => rng.u32(1..40),
            _ => rng.u32(1..400),
        };
        let began = Instant::now();
        let told = timeout(limit + HANGS, async {
            match kind {
                Kind::Call => call(&client, id, ms).await,
                Kind::Cast => match client.tell(&Context::new(), id, ms).await {
                    Ok(()) => Told::Accepted,
                    Err(error) => failed(&error),
                },
                Kind::Fanout => fanout(&client, id).await,
                Kind::Multicall => multicall(&client, id, rng.u32(0..300), limit).await,
            }
        });
        let told = told.await.unwrap_or(Told::Hangs);
        entries.push(Entry {
            id,
            kind,
            named,
            began,
            ended: Instant::now(),
            limit,
            told,
        });
        tokio::time::sleep(Duration::from_millis(rng.u64(THINKS))).await;
    }
    entries
}

async fn call(client: &FieldClient, id: u64, ms: u32) -> Told {
    match client.ask(&Context::new(), id, ms).await {
        Ok(answer) if answer == id && !id.is_multiple_of(16) => Told::Ran,
        Err(CallError::Method(Failed(of))) if of == id && id.is_multiple_of(16) => Told::Ran,
        Err(CallError::Rpc(error)) => failed(&error),
        other => Told::Wrong(format!("{other:?}")),
    }
}

async fn fanout(client: &FieldClient, id: u64) -> Told {
    let mask = |names: &[String]| {
        (0..NODES)
            .filter(|node| names.contains(&name(*node)))
            .fold(0, |mask, node| mask | 1 << node)
    };
    match client.tell_all(&Context::new(), id).await {
        Ok(fanout) => Told::Fanout {
            accepted: mask(&fanout.accepted),
            refused: 0,
        },
        Err(FanoutError::Incomplete(incomplete)) => {
            let refused = incomplete.refused.iter();
            let refused: Vec<_> = refused.map(|(server, _)| server.clone()).collect();
            Told::Fanout {
                accepted: mask(&incomplete.accepted),
                refused: mask(&refused),
            }
        }
        Err(FanoutError::Rpc(error)) => failed(&error),
    }
}

/// All of it has to be there within the limit.
async fn multicall(client: &FieldClient, id: u64, items: u32, limit: Duration) -> Told {
    let ctx = Context::new().deadline_in(limit);
    let mut stream = client.list(&ctx, id, items);
    let mut expected = 0;
    while let Some(item) = stream.next().await {
        match item {
            Ok((number, item)) if number == expected && u64::from(item) == expected => {
                expected += 1;
            }
            Ok(other) => return Told::Wrong(format!("{other:?} instead of item {expected}")),
            Err(CallError::Rpc(error)) => return failed(&error),
            Err(error) => return Told::Wrong(format!("{error:?}")),
        }
    }
    match expected == u64::from(items) {
        true => Told::Ran,
        false => Told::Wrong(format!("{expected} items of {items}")),
    }
}

fn failed(error: &RpcError) -> Told {
    let names = |node: &usize| {
        let server = error.server().unwrap_or_default();
        server.split('@').next() == Some(&name(*node))
    };
    Told::Failed {
        kind: error.kind(),
        may_have_run: error.may_have_run(),
        by: (0..NODES).find(names),
        text: error.to_string(),
    }
}
