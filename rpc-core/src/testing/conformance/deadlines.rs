//! Timeouts and deadlines: one covers everything.

use crate::testing::probe::Seen;
use crate::testing::world::World;
use rpc_core::{Context, ErrorKind};
use std::time::{Duration, Instant};

fn prepared(
    client: &crate::testing::probe::ProbeClient,
    ms: u64,
) -> crate::testing::probe::ProbeClient {
    client.prepare(|call| call.timeout(Duration::from_millis(ms)))
}

pub(super) async fn a_call_that_was_sent_times_out(mut world: World) {
    let (_node, client) = world.pair().await;
    let started = Instant::now();
    let error = prepared(&client, 100)
        .hold(&Context::new(), 1)
        .await
        .unwrap_err();
    let error = error.rpc().unwrap();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.is_timeout() && error.may_have_run() && !error.is_retryable());
    assert!(started.elapsed() >= Duration::from_millis(100));
    let text = error.to_string();
    assert!(
        text.contains("`hold`") && text.contains("probe") && text.contains("node-1"),
        "{text}"
    );
}

pub(super) async fn a_call_to_nobody_is_undeliverable(mut world: World) {
    let _absent = world.list_absent();
    let client = prepared(&world.client().await, 100);
    let error = client.name(&Context::new()).await.unwrap_err();
    let error = error.rpc().unwrap();
    assert_eq!(error.kind(), ErrorKind::Undeliverable);
    assert!(!error.may_have_run());
}

pub(super) async fn the_methods_timeout_holds(mut world: World) {
    let (_node, client) = world.pair().await;
    let started = Instant::now();
    let error = client.hold_briefly(&Context::new()).await.unwrap_err();
    assert!(error.rpc().unwrap().is_timeout());
    assert!(started.elapsed() < Duration::from_secs(10));
}

pub(super) async fn prepare_wins_over_the_methods_timeout(mut world: World) {
    let (node, client) = world.pair().await;
    let call = tokio::spawn(prepared(&client, 20_000).hold_briefly(&Context::new()));
    Seen::wait(&node.seen.held, 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    node.seen.release();
    call.await.unwrap().unwrap();
}

pub(super) async fn an_inherited_deadline_wins_over_a_longer_timeout(mut world: World) {
    let (_node, client) = world.pair().await;
    let ctx = Context::new().deadline_in(Duration::from_millis(100));
    let started = Instant::now();
    let error = prepared(&client, 20_000).hold(&ctx, 1).await.unwrap_err();
    assert!(error.rpc().unwrap().is_timeout());
    assert!(started.elapsed() < Duration::from_secs(10));
}

pub(super) async fn a_deadline_travels_as_remaining_time(mut world: World) {
    let (_node, client) = world.pair().await;
    let remaining = prepared(&client, 5000)
        .remaining_ms(&Context::new())
        .await
        .unwrap()
        .unwrap();
    assert!((1000..=5000).contains(&remaining), "{remaining}");
    let ctx = Context::new().deadline_in(Duration::from_secs(2));
    let remaining = prepared(&client, 5000)
        .remaining_ms(&ctx)
        .await
        .unwrap()
        .unwrap();
    assert!((500..=2000).contains(&remaining), "{remaining}");
}

pub(super) async fn a_timed_out_handler_is_dropped(mut world: World) {
    let (node, client) = world.pair().await;
    let _ = prepared(&client, 50)
        .hold(&Context::new(), 1)
        .await
        .unwrap_err();
    Seen::wait(&node.seen.dropped, 1).await;
}

pub(super) async fn a_zero_timeout_ends_at_once(mut world: World) {
    let (_node, client) = world.pair().await;
    client.name(&Context::new()).await.unwrap();
    let error = prepared(&client, 0)
        .hold(&Context::new(), 1)
        .await
        .unwrap_err();
    let kind = error.rpc().unwrap().kind();
    assert!(
        matches!(kind, ErrorKind::Timeout | ErrorKind::Undeliverable),
        "{kind:?}"
    );
}

pub(super) async fn a_request_that_waited_too_long_does_not_run(mut world: World) {
    let node = world
        .serve_with("node-1", "", |server| server.concurrency(1))
        .await;
    let client = world.client().await;
    let holding = tokio::spawn(client.hold(&Context::new(), 1));
    Seen::wait(&node.seen.held, 1).await;
    let error = prepared(&client, 100)
        .hold(&Context::new(), 2)
        .await
        .unwrap_err();
    assert!(error.rpc().unwrap().is_timeout());
    node.seen.release();
    holding.await.unwrap().unwrap();
    // the place is free, so what waited for it would have run by now
    assert_eq!(client.name(&Context::new()).await.unwrap(), "node-1");
    assert_eq!(node.seen.held.available_permits(), 0);
    assert_eq!(
        node.server.stats().cancelled + node.server.stats().expired,
        1
    );
}

pub(super) async fn a_long_call_delays_no_other_and_ends_at_its_own_time(mut world: World) {
    let (node, client) = world.pair().await;
    let started = Instant::now();
    let long = tokio::spawn(prepared(&client, 1000).hold(&Context::new(), 1));
    Seen::wait(&node.seen.held, 1).await;
    for _ in 0..10 {
        assert_eq!(client.name(&Context::new()).await.unwrap(), "node-1");
    }
    assert!(
        !long.is_finished(),
        "the others took {:?}",
        started.elapsed()
    );
    let error = long.await.unwrap().unwrap_err();
    assert!(error.rpc().unwrap().is_timeout());
    assert!((1000..10_000).contains(&started.elapsed().as_millis()));
}
