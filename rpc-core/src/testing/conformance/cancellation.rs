//! Nobody waits any more: wherever a request is then, and who learns of it.

use crate::testing::conformance::works::{Log, WorksClient};
use crate::testing::world::World;
use futures_util::StreamExt;
use rpc_core::{Context, ErrorKind};
use std::time::Duration;

pub(super) async fn a_call_that_was_not_sent_does_not_run(mut world: World) {
    let works = world.works("node-1").await;
    let client = world.works_client().await;
    client.name(&Context::new()).await.unwrap();
    drop(client.hold(&Context::new(), 1));
    client.name(&Context::new()).await.unwrap();
    assert_eq!(works.transport.stats().requests_received, 2);
}

pub(super) async fn a_call_that_waits_for_a_place_does_not_run(mut world: World) {
    let works = world
        .works_with("node-1", "window=1", None, |server| server)
        .await;
    let client = world.works_client().await;
    let first = tokio::spawn(client.hold(&Context::new(), 1));
    Log::wait(&works.log.began, 1).await;
    let mut second = Box::pin(client.hold(&Context::new(), 2));
    assert!(futures_util::poll!(&mut second).is_pending());
    drop(second);
    works.log.release();
    first.await.unwrap().unwrap();
    client.name(&Context::new()).await.unwrap();
    assert_eq!(works.transport.stats().requests_received, 2);
}

pub(super) async fn a_call_that_waits_in_the_queue_does_not_run(mut world: World) {
    let works = world
        .works_with("node-1", "", None, |server| server.concurrency(1))
        .await;
    let client = world.works_client().await;
    let first = tokio::spawn(client.hold(&Context::new(), 1));
    Log::wait(&works.log.began, 1).await;
    let second = tokio::spawn(client.hold(&Context::new(), 2));
    while works.server.stats().accepted < 2 {
        tokio::task::yield_now().await;
    }
    second.abort();
    let _ = second.await;
    // what comes on the same link is taken in after the cancellation
    let third = tokio::spawn(client.name(&Context::new()));
    while works.server.stats().accepted < 3 {
        tokio::task::yield_now().await;
    }
    works.log.release();
    first.await.unwrap().unwrap();
    third.await.unwrap().unwrap();
    assert_eq!(works.log.began.available_permits(), 0);
    assert_eq!(works.server.stats().cancelled, 1);
}

pub(super) async fn a_call_that_runs_is_dropped(mut world: World) {
    let works = world.works("node-1").await;
    let client = world.works_client().await;
    let call = tokio::spawn(client.hold(&Context::new(), 1));
    Log::wait(&works.log.began, 1).await;
    call.abort();
    Log::wait(&works.log.dropped, 1).await;
    while works.server.stats().cancelled < 1 {
        tokio::task::yield_now().await;
    }
}

pub(super) async fn a_cancel_that_meets_its_reply_harms_nobody(mut world: World) {
    let works = world.works("node-1").await;
    let transport = world.client_transport().await;
    let client = WorksClient::new(transport.clone());
    for _ in 0..50 {
        let mut call = Box::pin(client.name(&Context::new()));
        // it may have run by then, or be answered, or not
        let _ = futures_util::poll!(&mut call);
        tokio::task::yield_now().await;
        drop(call);
    }
    assert_eq!(client.name(&Context::new()).await.unwrap(), "node-1");
    assert_eq!(transport.stats().protocol_errors, 0);
    assert_eq!(works.transport.stats().protocol_errors, 0);
}

pub(super) async fn a_method_that_is_not_cancelled_runs_on(mut world: World) {
    let works = world.works("node-1").await;
    let client = world.works_client().await;
    let call = tokio::spawn(client.commit(&Context::new()));
    Log::wait(&works.log.began, 1).await;
    call.abort();
    Log::wait(&works.log.noted, 1).await;
    assert_eq!(works.log.notes(), ["cancelled"]);
    assert_eq!(works.log.dropped.available_permits(), 0);
    works.log.release();
    Log::wait(&works.log.noted, 1).await;
    assert_eq!(works.log.notes(), ["cancelled", "committed"]);
    // its answer met nobody
    assert_eq!(client.name(&Context::new()).await.unwrap(), "node-1");
    assert_eq!(works.server.stats().cancelled, 0);
}

pub(super) async fn a_method_that_is_not_cancelled_does_not_begin_for_nobody(mut world: World) {
    let works = world
        .works_with("node-1", "", None, |server| server.concurrency(1))
        .await;
    let client = world.works_client().await;
    let first = tokio::spawn(client.hold(&Context::new(), 1));
    Log::wait(&works.log.began, 1).await;
    let impatient = client.prepare(|call| call.timeout(Duration::from_millis(50)));
    impatient.commit(&Context::new()).await.unwrap_err();
    // what comes on the same link is taken in after the cancellation
    let last = tokio::spawn(client.name(&Context::new()));
    while works.server.stats().accepted < 3 {
        tokio::task::yield_now().await;
    }
    works.log.release();
    first.await.unwrap().unwrap();
    last.await.unwrap().unwrap();
    assert!(works.log.notes().is_empty());
}

pub(super) async fn a_method_that_is_not_cancelled_is_cut_off(mut world: World) {
    let works = world.works("node-1").await;
    let client = world.works_client().await;
    let call = tokio::spawn(client.commit(&Context::new()));
    Log::wait(&works.log.began, 1).await;
    let stopped = works.server.wait_at_most(Duration::from_millis(20)).await;
    assert_eq!((stopped.finished, stopped.cut_off), (0, 1));
    Log::wait(&works.log.dropped, 1).await;
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::PeerLost);
    // its context says so, too
    Log::wait(&works.log.noted, 1).await;
}

pub(super) async fn every_task_of_a_request_learns_that_it_was_cancelled(mut world: World) {
    let works = world.works("node-1").await;
    let client = world.works_client().await;
    let call = tokio::spawn(client.spawn_watchers(&Context::new(), 5));
    Log::wait(&works.log.began, 1).await;
    assert!(works.log.notes().is_empty());
    call.abort();
    Log::wait(&works.log.noted, 5).await;
}

pub(super) async fn a_timed_out_request_is_cancelled(mut world: World) {
    let works = world.works("node-1").await;
    let client = world.works_client().await;
    let impatient = client.prepare(|call| call.timeout(Duration::from_millis(50)));
    let error = impatient
        .spawn_watchers(&Context::new(), 1)
        .await
        .unwrap_err();
    assert!(error.rpc().unwrap().is_timeout());
    Log::wait(&works.log.noted, 1).await;
}

pub(super) async fn a_dropped_stream_is_cancelled(mut world: World) {
    let works = world.works("node-1").await;
    let client = world.works_client().await;
    let mut stream = client.watched_stream(&Context::new());
    tokio::select! {
        _ = stream.next() => panic!("it yields nothing"),
        () = Log::wait(&works.log.began, 1) => {}
    }
    drop(stream);
    Log::wait(&works.log.noted, 1).await;
}

pub(super) async fn a_lost_link_cancels_streams_and_no_calls(mut world: World) {
    let works = world.works("node-1").await;
    let transport = world.client_transport().await;
    let client = WorksClient::new(transport.clone());
    let mut stream = client.watched_stream(&Context::new());
    let call = tokio::spawn(client.hold_too(&Context::new(), 7));
    tokio::select! {
        _ = stream.next() => panic!("it yields nothing"),
        () = Log::wait(&works.log.began, 2) => {}
    }
    transport.close(Duration::from_secs(1)).await;
    Log::wait(&works.log.noted, 2).await;
    assert!(works.log.notes().contains(&"cancelled".to_owned()));
    assert_eq!(works.log.dropped.available_permits(), 0);
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::PeerLost);
    works.log.release();
    Log::wait(&works.log.dropped, 1).await;
}

pub(super) async fn a_server_that_ends_cancels(mut world: World) {
    let works = world.works("node-1").await;
    let client = world.works_client().await;
    let call = tokio::spawn(client.spawn_watchers(&Context::new(), 2));
    Log::wait(&works.log.began, 1).await;
    works.server.wait_at_most(Duration::from_millis(20)).await;
    Log::wait(&works.log.noted, 2).await;
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::PeerLost);
}

pub(super) async fn a_cast_is_never_cancelled_and_has_no_deadline(mut world: World) {
    let works = world.works("node-1").await;
    let client = world.works_client().await;
    let ctx = Context::new().deadline_in(Duration::from_secs(5));
    client.watch_cast(&ctx).await.unwrap();
    Log::wait(&works.log.began, 1).await;
    assert_eq!(works.log.notes(), ["false None"]);
    works.server.wait_at_most(Duration::from_millis(20)).await;
    Log::wait(&works.log.dropped, 1).await;
    assert_eq!(works.log.notes().len(), 1);
}

pub(super) async fn a_handler_sees_its_deadline(mut world: World) {
    let _works = world.works("node-1").await;
    let client = world.works_client().await;
    let prepared = client.prepare(|call| call.timeout(Duration::from_secs(5)));
    let left = prepared.deadline_in_ms(&Context::new()).await.unwrap();
    assert!((1000..=5000).contains(&left.unwrap()), "{left:?}");
    assert!(Context::new().deadline().is_none());
    assert!(!Context::new().is_cancelled());
}

pub(super) async fn calls_for_a_cancelled_request_are_cancelled(mut world: World) {
    let far = world.works("far").await;
    let to_far = world.works_client().await;
    let to_far = to_far.prepare(|call| call.server("far"));
    let near = world
        .works_with("near", "", Some(to_far), |server| server)
        .await;
    let client = world.works_client().await;
    let client = client.prepare(|call| call.server("near"));
    let call = tokio::spawn(client.spawn_call(&Context::new(), false));
    Log::wait(&near.log.began, 1).await;
    Log::wait(&far.log.began, 1).await;
    call.abort();
    // the one that was on its way, and one that is sent afterwards
    Log::wait(&near.log.noted, 2).await;
    assert_eq!(near.log.notes(), ["Cancelled", "Cancelled"]);
    Log::wait(&far.log.dropped, 1).await;
    assert_eq!(far.log.began.available_permits(), 0);
}

pub(super) async fn calls_with_a_detached_context_are_not(mut world: World) {
    let far = world.works("far").await;
    let to_far = world.works_client().await;
    let to_far = to_far.prepare(|call| call.server("far"));
    let near = world
        .works_with("near", "", Some(to_far), |server| server)
        .await;
    let client = world.works_client().await;
    let client = client.prepare(|call| call.server("near"));
    let call = tokio::spawn(client.spawn_call(&Context::new(), true));
    Log::wait(&far.log.began, 1).await;
    call.abort();
    Log::wait(&near.log.dropped, 1).await;
    far.log.release();
    Log::wait(&near.log.noted, 2).await;
    assert_eq!(near.log.notes(), ["answered 5", "answered 6"]);
}

pub(super) async fn streams_for_a_cancelled_request_end(mut world: World) {
    let far = world.works("far").await;
    let to_far = world.works_client().await;
    let to_far = to_far.prepare(|call| call.server("far"));
    let near = world
        .works_with("near", "", Some(to_far), |server| server)
        .await;
    let client = world.works_client().await;
    let client = client.prepare(|call| call.server("near"));
    let call = tokio::spawn(client.spawn_stream(&Context::new()));
    Log::wait(&far.log.began, 1).await;
    call.abort();
    Log::wait(&near.log.noted, 1).await;
    assert_eq!(near.log.notes(), ["Cancelled"]);
    // and so does what feeds it
    Log::wait(&far.log.noted, 1).await;
}
