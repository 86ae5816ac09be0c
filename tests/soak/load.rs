//! Clients that send everything that can be sent, in every way.

use crate::api::{Failed, How, SoakClient};
use crate::nodes;
use crate::oracle::{Kind, NODES, Oracle, Told};
use fastrand::Rng;
use futures_util::StreamExt;
use rpc_core::{CallError, Context, FanoutError};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// After its limit and this, a future is taken to hang.
const HANGS: Duration = Duration::from_secs(20);

/// Sends one request after another, until there have been enough.
pub(crate) async fn send(client: SoakClient, oracle: Arc<Oracle>, mut rng: Rng) {
    while let Some(id) = oracle.next() {
        let limit = Duration::from_millis(match rng.u8(0..10) {
            0..3 => rng.u64(30..80),
            3..9 => rng.u64(200..500),
            _ => rng.u64(1000..2000),
        });
        let named = rng.u8(0..10) < 3;
        let node = rng.usize(0..NODES);
        let client = client.prepare(|call| {
            let call = call.timeout(limit);
            if named {
                call.server(nodes::name(node))
            } else {
                call
            }
        });
        let kind = match rng.u8(0..20) {
            0..11 => Kind::Call,
            11..15 => Kind::Cast,
            15 => Kind::Fanout,
            _ => Kind::Multicall,
        };
        let mut request = Request {
            client: &client,
            oracle: &oracle,
            id,
            kind,
            limit,
            how: how(&mut rng),
            // some lose interest
            patience: (rng.u8(0..20) == 0).then(|| Duration::from_millis(rng.u64(0..60))),
        };
        match kind {
            Kind::Call => request.call().await,
            Kind::Cast => request.cast().await,
            Kind::Fanout => request.fanout().await,
            Kind::Multicall => request.multicall(&mut rng).await,
        }
    }
}

fn how(rng: &mut Rng) -> How {
    match rng.u8(0..100) {
        0..65 => How::AtOnce,
        65..80 => How::Late(rng.u32(1..60)),
        // longer than anybody waits
        80..81 => How::Late(rng.u32(2500..3500)),
        81..90 => How::Fail,
        90..92 => How::Panic,
        92..95 => How::Block,
        95..96 => How::BlockAside,
        _ => How::Stubborn(rng.u32(1..600)),
    }
}

struct Request<'a> {
    client: &'a SoakClient,
    oracle: &'a Oracle,
    id: u32,
    kind: Kind,
    limit: Duration,
    how: How,
    patience: Option<Duration>,
}

impl Request<'_> {
    /// What comes of a future, and whether it came in time. `None` if it was dropped before.
    async fn wait<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let began = Instant::now();
        let ended = timeout(self.patience.unwrap_or(self.limit + HANGS), future).await;
        self.oracle.waited(self.id, self.kind, began, self.limit);
        ended.ok()
    }

    fn told(&self, outcome: &'static str, told: Told) {
        self.oracle.told(self.id, self.kind, outcome, told);
    }

    fn dropped(&self) {
        self.told("dropped", Told::MayHaveRun);
    }

    fn wrong(&self, what: &str) {
        let Self { id, kind, how, .. } = self;
        self.oracle
            .problem(|| format!("{kind:?} {id}, {how:?}: {what}"));
    }

    /// The method's own error, or another.
    fn failed(&self, error: CallError<Failed>) {
        match error {
            CallError::Method(Failed(id)) => {
                if id != self.id || self.how != How::Fail {
                    self.wrong("the error of another");
                }
                self.told("method error", Told::Ran);
            }
            CallError::Rpc(error) => self.oracle.failed(self.id, self.kind, &error),
        }
    }

    async fn call(&self) {
        let ctx = Context::new();
        let call = match self.how {
            How::BlockAside => self.client.ask_aside(&ctx, self.id),
            How::Stubborn(_) => self.client.ask_to_the_end(&ctx, self.id, self.how),
            how => self.client.ask(&ctx, self.id, how),
        };
        match self.wait(call).await {
            Some(Ok(id)) => {
                if id != self.id || self.how == How::Fail {
                    self.wrong("the answer of another");
                }
                self.told("ok", Told::Ran);
            }
            Some(Err(error)) => self.failed(error),
            None => self.dropped(),
        }
    }

    async fn cast(&self) {
        let cast = self.client.tell(&Context::new(), self.id, self.how);
        match self.wait(cast).await {
            Some(Ok(())) => self.told("ok", Told::Accepted),
            Some(Err(error)) => self.oracle.failed(self.id, self.kind, &error),
            None => self.dropped(),
        }
    }

    async fn fanout(&mut self) {
        // of one that is dropped, nobody knows where it is
        self.patience = None;
        let fanout = self.client.tell_all(&Context::new(), self.id, self.how);
        match self.wait(fanout).await {
            Some(Ok(fanout)) => self.fanned_out("ok", &fanout.accepted, &[]),
            Some(Err(FanoutError::Incomplete(incomplete))) => {
                let refused = incomplete.refused.iter();
                let refused: Vec<_> = refused.map(|(server, _)| server.clone()).collect();
                self.fanned_out("incomplete", &incomplete.accepted, &refused);
            }
            Some(Err(FanoutError::Rpc(error))) => {
                self.oracle.failed(self.id, self.kind, &error);
            }
            None => self.dropped(),
        }
    }

    fn fanned_out(&self, outcome: &'static str, accepted: &[String], refused: &[String]) {
        let mask = |names: &[String]| {
            (0..NODES)
                .filter(|node| names.contains(&nodes::name(*node)))
                .fold(0, |mask, node| mask | 1 << node)
        };
        let told = Told::Fanout {
            accepted: mask(accepted),
            refused: mask(refused),
        };
        self.told(outcome, told);
    }

    async fn multicall(&self, rng: &mut Rng) {
        let items = match rng.u8(0..4) {
            0 => 0,
            1 => rng.u32(1..5),
            2 => rng.u32(5..100),
            _ => rng.u32(100..400),
        };
        let mut stream = self.client.list(&Context::new(), self.id, self.how, items);
        let mut expected = 0;
        loop {
            match self.wait(stream.next()).await {
                Some(Some(Ok((number, (id, item))))) => {
                    if number != expected || id != self.id || u64::from(item) != expected {
                        self.wrong("an item that is not the next");
                    }
                    expected += 1;
                }
                Some(Some(Err(error))) => return self.failed(error),
                Some(None) => {
                    if expected != u64::from(items) || self.how == How::Fail {
                        self.wrong("a stream that ended before its end");
                    }
                    return self.told("ok", Told::Ran);
                }
                None => return self.dropped(),
            }
            // some read slowly, and some lose interest in the middle
            match rng.u16(0..1000) {
                0..5 => tokio::time::sleep(Duration::from_millis(rng.u64(1..50))).await,
                5..7 => return self.dropped(),
                _ => {}
            }
        }
    }
}
