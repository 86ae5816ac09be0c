//! The service that is called, whose handlers do everything that handlers should and should not do.

use crate::oracle::Oracle;
use futures_util::stream;
use rpc_core::{Context, Stream, rpc_api};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// What a handler is to do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum How {
    AtOnce,
    /// After so many milliseconds: within the caller's deadline or after it.
    Late(u32),
    Fail,
    Panic,
    /// Blocks the thread of everybody.
    Block,
    /// Blocks a thread that is there for that: in a call by its method, elsewhere by itself.
    BlockAside,
    /// Does not end when it is cancelled: what it has spawned goes on, and in a call the handler as well.
    Stubborn(u32),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Failed(pub(crate) u32);

#[rpc_api(version = "1.0", topic = "soak")]
pub(crate) trait Soak {
    async fn ask(&self, ctx: &Context, id: u32, how: How) -> Result<u32, Failed>;

    #[rpc(blocking)]
    async fn ask_aside(&self, ctx: &Context, id: u32) -> Result<u32, Failed>;

    #[rpc(no_cancel)]
    async fn ask_to_the_end(&self, ctx: &Context, id: u32, how: How) -> Result<u32, Failed>;

    #[rpc(cast)]
    async fn tell(&self, ctx: &Context, id: u32, how: How);

    #[rpc(cast, fanout)]
    async fn tell_all(&self, ctx: &Context, id: u32, how: How);

    #[rpc(multicall)]
    fn list(
        &self,
        ctx: &Context,
        id: u32,
        how: How,
        items: u32,
    ) -> impl Stream<Item = Result<(u32, u32), Failed>> + Send;
}

/// How long a thread is blocked. It is real time: the clock of the tests stands still meanwhile.
const BLOCKED: Duration = Duration::from_micros(20);

pub(crate) struct Worker {
    pub(crate) node: usize,
    pub(crate) oracle: Arc<Oracle>,
}

impl Worker {
    async fn run(&self, id: u32, how: How) -> Result<u32, Failed> {
        self.oracle.ran(id, self.node);
        act(how).await;
        match how {
            How::Fail => Err(Failed(id)),
            _ => Ok(id),
        }
    }
}

/// What handlers panic with.
pub(crate) const PANIC: &str = "as it was told to";

async fn act(how: How) {
    let sleep = |ms: u32| tokio::time::sleep(Duration::from_millis(ms.into()));
    match how {
        How::AtOnce | How::Fail => {}
        How::Late(ms) => sleep(ms).await,
        How::Panic => panic!("{PANIC}"),
        How::Block => std::thread::sleep(BLOCKED),
        How::BlockAside => {
            let blocked = tokio::task::spawn_blocking(|| std::thread::sleep(BLOCKED));
            blocked.await.expect("it does not panic");
        }
        How::Stubborn(ms) => tokio::spawn(sleep(ms)).await.expect("it does not panic"),
    }
}

impl Soak for Worker {
    async fn ask(&self, _: &Context, id: u32, how: How) -> Result<u32, Failed> {
        self.run(id, how).await
    }

    async fn ask_aside(&self, _: &Context, id: u32) -> Result<u32, Failed> {
        self.run(id, How::Block).await
    }

    async fn ask_to_the_end(&self, _: &Context, id: u32, how: How) -> Result<u32, Failed> {
        self.run(id, how).await
    }

    async fn tell(&self, _: &Context, id: u32, how: How) {
        let _ = self.run(id, how).await;
    }

    async fn tell_all(&self, _: &Context, id: u32, how: How) {
        let _ = self.run(id, how).await;
    }

    fn list(
        &self,
        _: &Context,
        id: u32,
        how: How,
        items: u32,
    ) -> impl Stream<Item = Result<(u32, u32), Failed>> + Send {
        self.oracle.ran(id, self.node);
        // what it is to do, it does in the middle
        stream::unfold(0, move |item| async move {
            if item == items / 2 {
                act(how).await;
            }
            match item {
                _ if item < items => Some((Ok((id, item)), item + 1)),
                _ if item == items && how == How::Fail => Some((Err(Failed(id)), item + 1)),
                _ => None,
            }
        })
    }
}
