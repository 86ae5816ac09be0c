//! Casts that go to every server.

use crate::testing::conformance::timed::{Clock, TimeClient, TimeDispatcher};
use crate::testing::probe::Seen;
use crate::testing::world::World;
use rpc_core::{Context, ErrorKind, rpc_api};
use std::error::Error;
use std::sync::Arc;

pub(super) async fn a_cast_goes_to_all_when_it_is_prepared_to(mut world: World) {
    let nodes = [world.serve("a").await, world.serve("b").await];
    let client = world.client().await;
    let ctx = Context::new();
    let all = client.prepare(|call| call.fanout(true));
    all.note(&ctx, "to all").await.unwrap();
    all.fail(&ctx, 3).cast().await.unwrap();
    for node in &nodes {
        Seen::wait(&node.seen.ran, 1).await;
        assert_eq!(*node.seen.notes.lock().unwrap(), ["to all"]);
    }
    all.prepare(|call| call.server("b"))
        .note(&ctx, "to b")
        .await
        .unwrap();
    Seen::wait(&nodes[1].seen.ran, 1).await;
    all.prepare(|call| call.fanout(None))
        .note(&ctx, "to one")
        .await
        .unwrap();
    let one = async |at: usize| Seen::wait(&nodes[at].seen.ran, 1).await;
    tokio::select! { () = one(0) => {}, () = one(1) => {} }
    let notes = |at: usize| nodes[at].seen.notes.lock().unwrap().len();
    assert_eq!(notes(0) + notes(1), 4);
}

pub(super) async fn a_prepared_fanout_that_some_refuse_says_that_it_may_have_run(mut world: World) {
    let clock = Arc::new(Clock::default());
    let _a = world
        .serve_endpoint("a", TimeDispatcher::from(Arc::clone(&clock)))
        .await
        .unwrap();
    let (_b, transport) = (world.serve("b").await, world.client_transport().await);
    let ctx = Context::new();
    // `b` has another API, without this method's argument
    let client = TimeClient::new(transport).prepare(|call| call.fanout(true));
    let gone = client.prepare(|call| call.namespace("nowhere"));
    let error = gone.note(&ctx).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedVersion);
    assert!(!error.may_have_run());

    let old = world
        .serve_endpoint("old", older::TimeDispatcher::new(older::Clock))
        .await
        .unwrap();
    let client = TimeClient::new(world.client_transport().await).prepare(|call| call.fanout(true));
    let error = client.note(&ctx).text("new".to_owned()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incomplete, "{error}");
    assert!(error.may_have_run() && !error.is_retryable());
    let source = error.source().unwrap();
    let incomplete = source.downcast_ref::<rpc_core::FanoutIncomplete>().unwrap();
    assert!(
        incomplete.accepted.contains(&"a".to_owned()),
        "{incomplete:?}"
    );
    assert!(incomplete.refused.iter().any(|(server, _)| server == "old"));
    Seen::wait(&clock.seen.ran, 1).await;
    drop(old);
}

mod older {
    use super::{Context, rpc_api};

    #[rpc_api(version = "2.0", topic = "probe")]
    pub(super) trait Time {
        #[rpc(cast)]
        async fn note(&self, ctx: &Context);
    }

    pub(super) struct Clock;

    impl Time for Clock {
        async fn note(&self, _: &Context) {}
    }
}

pub(super) async fn a_cast_can_be_a_fanout(mut world: World) {
    let nodes = [world.serve("a").await, world.serve("b").await];
    let client = world.client().await;
    let ctx = Context::new();
    let fanout = client.note(&ctx, "to all").fanout().await.unwrap();
    assert_eq!(fanout.accepted, ["a", "b"]);
    let fanout = client.fail(&ctx, 3).cast().fanout().await.unwrap();
    assert_eq!(fanout.accepted, ["a", "b"]);
    for node in &nodes {
        Seen::wait(&node.seen.ran, 1).await;
    }
    let one = client.prepare(|call| call.server("b"));
    assert_eq!(one.note(&ctx, "x").fanout().await.unwrap().accepted, ["b"]);

    let clock = Arc::new(Clock::default());
    let _c = world
        .serve_endpoint("c", TimeDispatcher::from(Arc::clone(&clock)))
        .await
        .unwrap();
    let client = TimeClient::new(world.client_transport().await).prepare(|call| call.server("c"));
    let fanout = client
        .note(&ctx)
        .text("later".to_owned())
        .fanout()
        .await
        .unwrap();
    assert_eq!(fanout.accepted, ["c"]);
}
