//! Casts and fanouts: accepted or refused.

use crate::testing::probe::Seen;
use crate::testing::world::World;
use rpc_core::{Context, ErrorKind, FanoutError, version};
use std::time::Duration;

pub(super) async fn a_cast_is_accepted_and_runs(mut world: World) {
    let (node, client) = world.pair().await;
    client.note(&Context::new(), "x").await.unwrap();
    Seen::wait(&node.seen.ran, 1).await;
    assert_eq!(*node.seen.notes.lock().unwrap(), ["x"]);
}

pub(super) async fn a_cast_is_accepted_before_it_has_run(mut world: World) {
    let (node, client) = world.pair().await;
    client.hold_cast(&Context::new(), 1).await.unwrap();
    Seen::wait(&node.seen.held, 1).await;
    assert_eq!(node.seen.ran.available_permits(), 0);
    node.seen.release();
    Seen::wait(&node.seen.ran, 1).await;
}

pub(super) async fn a_cast_to_nobody_is_undeliverable(mut world: World) {
    let _absent = world.list_absent();
    let client = world
        .client()
        .await
        .prepare(|call| call.timeout(Duration::from_millis(100)));
    let error = client.note(&Context::new(), "x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Undeliverable);
    assert!(error.is_retryable() && !error.may_have_run());
}

pub(super) async fn a_refused_cast_does_not_run(mut world: World) {
    let node = world
        .serve_with("node-1", "", |server| server.concurrency(1).queue(0))
        .await;
    let client = world.client().await;
    client.hold_cast(&Context::new(), 1).await.unwrap();
    let error = client.note(&Context::new(), "x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overloaded);
    assert!(!error.may_have_run());
    node.seen.release();
    Seen::wait(&node.seen.ran, 1).await;
    assert!(node.seen.notes.lock().unwrap().is_empty());
}

pub(super) async fn dropping_an_accepted_cast_does_not_cancel_it(mut world: World) {
    let (node, client) = world.pair().await;
    let cast = tokio::spawn(client.hold_cast(&Context::new(), 1));
    Seen::wait(&node.seen.held, 1).await;
    cast.abort();
    let _ = cast.await;
    node.seen.release();
    Seen::wait(&node.seen.ran, 1).await;
}

pub(super) async fn a_casts_handler_has_no_deadline(mut world: World) {
    let (node, client) = world.pair().await;
    let ctx = Context::new().deadline_in(Duration::from_millis(300));
    client.hold_cast(&ctx, 1).await.unwrap();
    Seen::wait(&node.seen.held, 1).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    node.seen.release();
    Seen::wait(&node.seen.ran, 1).await;
}

pub(super) async fn a_fanout_reaches_every_server_once(mut world: World) {
    let nodes = [
        world.serve("a").await,
        world.serve("b").await,
        world.serve("c").await,
    ];
    let client = world.client().await;
    let fanout = client.forget(&Context::new()).await.unwrap();
    assert_eq!(fanout.accepted, ["a", "b", "c"]);
    for node in &nodes {
        Seen::wait(&node.seen.ran, 1).await;
        assert_eq!(node.server.stats().accepted, 1);
    }
}

pub(super) async fn a_fanout_to_nobody_is_undeliverable(mut world: World) {
    let _absent = world.list_absent();
    let client = world
        .client()
        .await
        .prepare(|call| call.timeout(Duration::from_millis(1500)));
    match client.forget(&Context::new()).await.unwrap_err() {
        FanoutError::Rpc(error) => assert_eq!(error.kind(), ErrorKind::Undeliverable),
        other @ FanoutError::Incomplete(_) => panic!("{other}"),
    }
}

pub(super) async fn a_fanout_to_a_named_server_reaches_only_it(mut world: World) {
    let (a, b) = (world.serve("a").await, world.serve("b").await);
    let client = world.client().await.prepare(|call| call.server("b"));
    assert_eq!(
        client.forget(&Context::new()).await.unwrap().accepted,
        ["b"]
    );
    Seen::wait(&b.seen.ran, 1).await;
    assert_eq!(a.server.stats().accepted, 0);
}

pub(super) async fn a_refused_fanout_is_incomplete_and_can_be_retried(mut world: World) {
    let free = world.serve("free").await;
    let full = world
        .serve_with("full", "", |server| server.concurrency(1).queue(0))
        .await;
    let client = world.client().await;
    let ctx = Context::new();
    let one = client.prepare(|call| call.server("full"));
    one.hold_cast(&ctx, 1).await.unwrap();
    let FanoutError::Incomplete(incomplete) = client.forget(&ctx).await.unwrap_err() else {
        panic!("it was sent to somebody");
    };
    assert_eq!(incomplete.accepted, ["free"]);
    assert_eq!(incomplete.refused.len(), 1);
    let (server, error) = &incomplete.refused[0];
    assert_eq!(
        (server.as_str(), error.kind()),
        ("full", ErrorKind::Overloaded)
    );
    assert!(incomplete.unknown.is_empty() && incomplete.unreached.is_empty());

    full.seen.release();
    Seen::wait(&full.seen.ran, 1).await;
    // the place is given back just after the handler has ended
    while one.note(&ctx, "x").await.is_err() {}
    let mut retried = incomplete.retry().await;
    while let Err(FanoutError::Incomplete(again)) = retried {
        assert_eq!(again.accepted, ["free"]);
        retried = again.retry().await;
    }
    assert_eq!(retried.unwrap().accepted, ["free", "full"]);
    // it did not go to those that had it already
    assert_eq!(free.server.stats().accepted, 1);
}

pub(super) async fn an_unreached_node_makes_a_fanout_incomplete(mut world: World) {
    let _node = world.serve("a").await;
    let absent = world.list_absent();
    let client = world.client().await;
    let FanoutError::Incomplete(incomplete) = client.forget(&Context::new()).await.unwrap_err()
    else {
        panic!("it was sent to somebody");
    };
    assert_eq!(incomplete.accepted, ["a"]);
    assert_eq!(incomplete.unreached.len(), 1);
    assert_eq!(incomplete.unreached[0].0, absent);
}

pub(super) async fn a_capped_fanout_is_not_sent(mut world: World) {
    let (node, client) = world.pair().await;
    let client = client.prepare(|call| call.version_cap(version!("1.9")));
    let FanoutError::Rpc(error) = client.forget(&Context::new()).await.unwrap_err() else {
        panic!("it was not sent");
    };
    assert_eq!(error.kind(), ErrorKind::VersionCap);
    assert_eq!(node.transport.stats().requests_received, 0);
}

pub(super) async fn a_fanout_goes_out_at_once(mut world: World) {
    let nodes = [world.serve("a").await, world.serve("b").await];
    let _absent = world.list_absent();
    // less than it takes to find out that nobody is at the third address
    let client = world
        .client()
        .await
        .prepare(|call| call.timeout(Duration::from_millis(600)));
    let FanoutError::Incomplete(incomplete) = client.forget(&Context::new()).await.unwrap_err()
    else {
        panic!("it was sent to somebody");
    };
    assert_eq!(incomplete.accepted, ["a", "b"]);
    assert_eq!(incomplete.unreached.len(), 1);
    for node in &nodes {
        Seen::wait(&node.seen.ran, 1).await;
    }
}

pub(super) async fn a_retry_keeps_the_transport_and_the_deadline(mut world: World) {
    let full = world
        .serve_with("full", "", |server| server.concurrency(1).queue(0))
        .await;
    let free = world.serve("free").await;
    let client = world.client().await;
    let _holding = tokio::spawn(
        client
            .prepare(|call| call.server("full"))
            .hold(&Context::new(), 1),
    );
    Seen::wait(&full.seen.held, 1).await;
    // the last handle of this transport is in the error
    let forget = |client: crate::testing::probe::ProbeClient, ctx: Context| async move {
        match client.forget(&ctx).await {
            Err(FanoutError::Incomplete(incomplete)) => incomplete,
            other => panic!("{other:?}"),
        }
    };
    let incomplete = forget(world.client().await, Context::new()).await;
    let FanoutError::Incomplete(again) = incomplete.retry().await.unwrap_err() else {
        panic!("it is still full");
    };
    assert_eq!((again.accepted.len(), again.refused.len()), (1, 1));
    assert_eq!(free.server.stats().accepted, 1);

    let ctx = Context::new().deadline_in(Duration::from_millis(300));
    let client = world
        .client()
        .await
        .prepare(|call| call.timeout(Duration::MAX));
    let incomplete = forget(client, ctx).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let started = std::time::Instant::now();
    assert!(incomplete.retry().await.is_err());
    assert!(started.elapsed() < Duration::from_secs(5));
}

pub(super) async fn a_second_holder_of_a_name_makes_a_fanout_incomplete(mut world: World) {
    let nodes = [world.serve("twin").await, world.serve("twin").await];
    let client = world.client().await;
    // until both are known
    let incomplete = loop {
        match client.forget(&Context::new()).await {
            Err(FanoutError::Incomplete(incomplete)) => break incomplete,
            Ok(_) => {}
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(incomplete.accepted, ["twin"]);
    assert!(
        incomplete.refused[0].1.message().contains("two instances"),
        "{incomplete}"
    );
    let ran = nodes
        .iter()
        .filter(|node| node.server.stats().accepted > 0)
        .count();
    assert_eq!(ran, 1);
}

pub(super) async fn a_fanout_counts_each_server(mut world: World) {
    let _nodes = [world.serve("a").await, world.serve("b").await];
    let client = world.client().await;
    client.forget(&Context::new()).await.unwrap();
    assert_eq!(client.rpc().transport().stats().requests_sent, 2);
}

pub(super) async fn a_cast_without_a_topic_is_an_invalid_target(mut world: World) {
    let (node, client) = world.pair().await;
    let client = client.prepare(|call| call.target(rpc_core::Target::topic("")));
    let error = client.note(&Context::new(), "x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidTarget);
    let FanoutError::Rpc(error) = client.forget(&Context::new()).await.unwrap_err() else {
        panic!("it was sent");
    };
    assert_eq!(error.kind(), ErrorKind::InvalidTarget);
    assert_eq!(node.transport.stats().requests_received, 0);
}
