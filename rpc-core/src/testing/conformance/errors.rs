//! What a caller learns of what went wrong.

use crate::testing::probe::Seen;
use crate::testing::world::{World, meet};
use rpc_core::{
    CallError, Context, ErrorKind, MAX_TRACEBACK, RemoteError, RequestId, Stream, rpc_api,
};
use serde::{Serialize, Serializer};
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// A cellar, as its server has it.
#[rpc_api(version = "1.0", topic = "probe")]
trait Cellar {
    async fn fetch(&self, ctx: &Context, what: u64) -> Result<(), CellarError>;
    #[rpc(multicall)]
    fn shelves(&self, ctx: &Context) -> impl Stream<Item = Result<u64, CellarError>> + Send;
}

#[derive(Debug, PartialEq, RemoteError)]
enum CellarError {
    Empty { shelf: u64, since: Option<String> },
    Locked(String),
    Flooded,
}

mod older {
    //! The cellar, before it could be locked or flooded.

    use rpc_core::{Context, RemoteError, Stream, rpc_api};

    #[rpc_api(version = "1.0", topic = "probe")]
    pub(super) trait Cellar {
        async fn fetch(&self, ctx: &Context, what: u64) -> Result<(), CellarError>;
        #[rpc(multicall)]
        fn shelves(&self, ctx: &Context) -> impl Stream<Item = Result<u64, CellarError>> + Send;
    }

    #[derive(Debug, PartialEq, RemoteError)]
    pub(super) enum CellarError {
        Empty {
            shelf: u64,
        },
        #[rpc(other)]
        Other {
            class: String,
            message: String,
        },
    }

    /// A client that takes no class that it does not know.
    #[rpc_api(version = "1.0", topic = "probe")]
    pub(super) trait Strict {
        async fn fetch(&self, ctx: &Context, what: u64) -> Result<(), StrictError>;
    }

    #[derive(Debug, PartialEq, RemoteError)]
    pub(super) enum StrictError {
        Empty,
    }

    impl std::fmt::Display for CellarError {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("no")
        }
    }

    impl std::fmt::Display for StrictError {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("no")
        }
    }
}

impl fmt::Display for CellarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty { shelf, .. } => write!(f, "shelf {shelf} is empty"),
            Self::Locked(by) => write!(f, "locked by {by}"),
            Self::Flooded => f.write_str("the cellar is flooded"),
        }
    }
}

struct Vault;

fn error(what: u64) -> CellarError {
    match what {
        0 => CellarError::Empty {
            shelf: 7,
            since: Some("May".into()),
        },
        1 => CellarError::Locked("ada".into()),
        _ => CellarError::Flooded,
    }
}

impl Cellar for Vault {
    async fn fetch(&self, _: &Context, what: u64) -> Result<(), CellarError> {
        Err(error(what))
    }

    fn shelves(&self, _: &Context) -> impl Stream<Item = Result<u64, CellarError>> + Send {
        futures_util::stream::iter([Ok(1), Err(error(2))])
    }
}

async fn cellar(world: &mut World) -> rpc_core::Server {
    let vault = CellarDispatcher::new(Vault);
    world.serve_endpoint("node-1", vault).await.unwrap()
}

pub(super) async fn a_methods_error_arrives_as_itself(mut world: World) {
    let _server = cellar(&mut world).await;
    let client = CellarClient::new(world.client_transport().await);
    for what in 0..3 {
        let failed = client.fetch(&Context::new(), what).await.unwrap_err();
        assert_eq!(failed.method(), Some(&error(what)));
    }
}

pub(super) async fn a_class_that_only_the_server_knows_is_other(mut world: World) {
    let _server = cellar(&mut world).await;
    let client = older::CellarClient::new(world.client_transport().await);
    let fetch = async |what| client.fetch(&Context::new(), what).await.unwrap_err();
    let empty = older::CellarError::Empty { shelf: 7 };
    assert_eq!(fetch(0).await.method(), Some(&empty));
    for (what, class) in [(1, "Locked"), (2, "Flooded")] {
        let other = older::CellarError::Other {
            class: class.into(),
            message: error(what).to_string(),
        };
        assert_eq!(fetch(what).await.method(), Some(&other));
    }
}

pub(super) async fn a_streams_error_is_other_too(mut world: World) {
    use futures_util::StreamExt;
    let _server = cellar(&mut world).await;
    let client = older::CellarClient::new(world.client_transport().await);
    let items: Vec<_> = client.shelves(&Context::new()).collect().await;
    assert!(matches!(items[0], Ok((0, 1))), "{items:?}");
    let Err(CallError::Method(older::CellarError::Other { class, .. })) = &items[1] else {
        panic!("{items:?}");
    };
    assert_eq!(class, "Flooded");
}

pub(super) async fn without_other_an_unknown_class_is_decode_reply_and_named(mut world: World) {
    let _server = cellar(&mut world).await;
    let client = older::StrictClient::new(world.client_transport().await);
    let error = client.fetch(&Context::new(), 1).await.unwrap_err();
    let error = error.rpc().unwrap();
    assert_eq!(error.kind(), ErrorKind::DecodeReply);
    assert!(error.to_string().contains("`Locked`"), "{error}");
    assert!(error.source().is_some());
}

pub(super) async fn a_panics_traceback_stays_at_the_server(mut world: World) {
    let (_node, client) = world.pair().await;
    let error = client.panics(&Context::new(), "ouch").await.unwrap_err();
    let error = error.rpc().unwrap();
    assert_eq!(error.kind(), ErrorKind::Remote);
    assert_eq!(error.traceback(), None);
    assert!(!error.to_string().contains("ouch"), "{error}");
}

pub(super) async fn a_panics_traceback_travels_if_the_server_says_so(mut world: World) {
    let _node = world
        .serve_with("node-1", "", |server| server.tracebacks(true))
        .await;
    let client = world.client().await;
    let error = client
        .panics(&Context::new(), "ouch \u{1b}[31m")
        .await
        .unwrap_err();
    let traceback = error.rpc().unwrap().traceback().unwrap();
    let first = traceback.lines().next().unwrap();
    assert!(
        first.starts_with("panicked at ") && first.contains("probe.rs"),
        "{first}"
    );
    assert!(first.ends_with("ouch \\u{1b}[31m"), "{first}");
    assert!(traceback.len() <= MAX_TRACEBACK);
    // the text stays one line
    assert!(!error.to_string().contains('\n'));
}

pub(super) async fn an_error_says_how_often_it_was_tried(mut world: World) {
    let mut nodes = Vec::new();
    for name in ["node-1", "node-2"] {
        let node = world.serve_with(name, "", |server| server.concurrency(1).queue(0));
        nodes.push(node.await);
    }
    let client = world.client().await;
    meet(&client, &["node-1", "node-2"]).await;
    let mut holding = Vec::new();
    for (node, name) in nodes.iter().zip(["node-1", "node-2"]) {
        let one = client.prepare(|call| call.server(name));
        holding.push(tokio::spawn(one.hold(&Context::new(), 1)));
        Seen::wait(&node.seen.held, 1).await;
    }
    let error = client.name(&Context::new()).await.unwrap_err();
    let error = error.rpc().unwrap();
    assert_eq!(error.kind(), ErrorKind::Overloaded);
    assert_eq!(error.attempts(), 2);
    assert!(error.to_string().contains("2 attempts"), "{error}");
    for node in &nodes {
        node.seen.release();
    }
    for held in holding {
        held.await.unwrap().unwrap();
    }
}

pub(super) async fn an_error_names_the_request_that_was_sent(mut world: World) {
    let (_node, client) = world.pair().await;
    let id = RequestId::random();
    let ctx = Context::new().with_request_id(id);
    let hasty = client.prepare(|call| call.timeout(Duration::from_millis(100)));
    let error = hasty.hold(&ctx, 1).await.unwrap_err();
    let error = error.rpc().unwrap();
    assert_eq!(error.request_id(), Some(id));
    assert_eq!(error.attempts(), 1);
    assert!(error.to_string().contains(&id.to_string()), "{error}");
}

/// What cannot be written.
struct Mute;

impl Serialize for Mute {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("it has no words"))
    }
}

impl<'de> serde::Deserialize<'de> for Mute {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Ok(Self)
    }
}

#[rpc_api(version = "1.0", topic = "probe")]
trait Listener {
    async fn hear(&self, ctx: &Context, what: Mute);
}

pub(super) async fn what_cannot_be_encoded_is_the_source(mut world: World) {
    let _absent = world.list_absent();
    let client = ListenerClient::new(world.client_transport().await);
    let error = client.hear(&Context::new(), Mute).await.unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Encode);
    let source = error.source().unwrap().to_string();
    assert!(source.contains("it has no words"), "{source}");
}
