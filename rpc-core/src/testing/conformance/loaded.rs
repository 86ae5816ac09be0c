//! Nodes that tell how busy they are, and what a gather collects of them.

use crate::testing::probe::Seen;
use crate::testing::world::World;
use futures_util::StreamExt;
use rpc_core::{CallError, Context, ErrorKind, Server, Stream, rpc_api};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a server is asked for in 2.4.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Load {
    pub(crate) percent: u64,
}

impl From<u64> for Load {
    fn from(percent: u64) -> Self {
        Self { percent }
    }
}

impl From<&Load> for u64 {
    fn from(load: &Load) -> Self {
        load.percent
    }
}

#[rpc_api(version = "2.5", topic = "probe")]
pub(crate) trait Loaded {
    #[rpc(gather, returned(type = u64, until = "2.4"))]
    async fn load(
        &self,
        ctx: &Context,
        times: u64,
        #[rpc(since = "2.2")] and: Option<u64>,
    ) -> Result<Load, String>;

    /// Runs until it is released, unless it is on `node`.
    #[rpc(gather)]
    async fn hold(&self, ctx: &Context, node: &str) -> String;

    #[rpc(gather, since = "2.5")]
    async fn newest(&self, ctx: &Context) -> bool;
}

pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) seen: Arc<Seen>,
}

/// Tells that it was dropped.
struct Held<'a>(&'a Seen);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.dropped.add_permits(1);
    }
}

impl Loaded for Node {
    async fn load(&self, _: &Context, times: u64, and: Option<u64>) -> Result<Load, String> {
        match self.name.as_str() {
            "failing" => Err("no meter".into()),
            "panicking" => panic!("no meter"),
            name => Ok(Load {
                percent: name.len() as u64 * times + and.unwrap_or_default(),
            }),
        }
    }

    async fn hold(&self, _: &Context, node: &str) -> String {
        if self.name != node {
            let _held = Held(&self.seen);
            self.seen.held.add_permits(1);
            std::future::pending::<()>().await;
        }
        self.name.clone()
    }

    async fn newest(&self, _: &Context) -> bool {
        true
    }
}

pub(crate) async fn serve(world: &mut World, name: &str) -> (Server, Arc<Seen>) {
    let seen = Arc::new(Seen::default());
    let node = Node {
        name: name.into(),
        seen: Arc::clone(&seen),
    };
    let server = world
        .serve_endpoint(name, LoadedDispatcher::new(node))
        .await;
    (server.unwrap(), seen)
}

pub(crate) async fn client(world: &World) -> LoadedClient {
    LoadedClient::new(world.client_transport().await)
}

pub(crate) type Answers<T, E> = BTreeMap<String, Result<T, Problem<E>>>;

#[derive(Debug, PartialEq)]
pub(crate) enum Problem<E> {
    Method(E),
    Rpc(ErrorKind),
}

/// All answers by server, each of which is there once.
pub(crate) async fn all<T, E>(
    mut gather: impl Stream<Item = (String, Result<T, CallError<E>>)> + Unpin,
) -> Answers<T, E> {
    let mut answers = BTreeMap::new();
    while let Some((server, answer)) = gather.next().await {
        let answer = answer.map_err(|error| match error {
            CallError::Method(error) => Problem::Method(error),
            CallError::Rpc(error) => Problem::Rpc(error.kind()),
        });
        assert!(
            answers.insert(server, answer).is_none(),
            "it answered twice"
        );
    }
    assert!(gather.next().await.is_none());
    answers
}

pub(crate) fn load<E>(percent: u64) -> Result<Load, Problem<E>> {
    Ok(Load { percent })
}
