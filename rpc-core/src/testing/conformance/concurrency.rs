//! How often single methods run at once.

use crate::testing::conformance::works::Log;
use crate::testing::world::World;
use rpc_core::{Context, ErrorKind, StartError};
use std::time::Duration;

pub(super) async fn what_exceeds_the_limit_of_a_method_waits_and_keeps_no_other_from_running(
    mut world: World,
) {
    let limit = |server: rpc_core::ServerBuilder| server.method_concurrency("hold", 2);
    let works = world.works_with("node-1", "", None, limit).await;
    let client = world.works_client().await;
    let holding: Vec<_> = (0..5)
        .map(|id| tokio::spawn(client.hold(&Context::new(), id)))
        .collect();
    Log::wait(&works.log.began, 2).await;
    while works.server.stats().accepted < 5 {
        tokio::task::yield_now().await;
    }
    for _ in 0..10 {
        assert_eq!(client.name(&Context::new()).await.unwrap(), "node-1");
    }
    assert_eq!(works.log.began.available_permits(), 0);
    works.log.release();
    for (id, call) in (0..).zip(holding) {
        assert_eq!(call.await.unwrap().unwrap(), id);
    }
}

pub(super) async fn a_method_with_a_limit_runs_in_order(mut world: World) {
    let limit = |server: rpc_core::ServerBuilder| server.method_concurrency("hold_too", 1);
    let works = world.works_with("node-1", "", None, limit).await;
    let client = world.works_client().await;
    let mut calls = Vec::new();
    for id in 0..20 {
        calls.push(tokio::spawn(client.hold_too(&Context::new(), id)));
        while works.server.stats().accepted <= id {
            tokio::task::yield_now().await;
        }
    }
    works.log.release();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let expected: Vec<String> = (0..20).map(|id| id.to_string()).collect();
    assert_eq!(works.log.notes(), expected);
}

pub(super) async fn the_queue_holds_for_methods_with_a_limit(mut world: World) {
    let limit = |server: rpc_core::ServerBuilder| server.method_concurrency("hold", 1).queue(2);
    let works = world.works_with("node-1", "", None, limit).await;
    let client = world.works_client().await;
    let holding: Vec<_> = (0..3)
        .map(|id| tokio::spawn(client.hold(&Context::new(), id)))
        .collect();
    while works.server.stats().accepted < 3 {
        tokio::task::yield_now().await;
    }
    let error = client.hold(&Context::new(), 3).await.unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Overloaded);
    // another method needs no place in the queue
    assert_eq!(client.name(&Context::new()).await.unwrap(), "node-1");
    works.log.release();
    for call in holding {
        call.await.unwrap().unwrap();
    }
}

pub(super) async fn a_cancelled_request_of_a_method_with_a_limit_makes_room(mut world: World) {
    let limit = |server: rpc_core::ServerBuilder| server.method_concurrency("hold", 1).queue(1);
    let works = world.works_with("node-1", "", None, limit).await;
    let client = world.works_client().await;
    let first = tokio::spawn(client.hold(&Context::new(), 1));
    Log::wait(&works.log.began, 1).await;
    let impatient = client.prepare(|call| call.timeout(Duration::from_millis(50)));
    impatient.hold(&Context::new(), 2).await.unwrap_err();
    let next = tokio::spawn(client.hold(&Context::new(), 3));
    while works.server.stats().accepted < 3 {
        assert_eq!(works.server.stats().refused, 0);
        tokio::task::yield_now().await;
    }
    works.log.release();
    assert_eq!(first.await.unwrap().unwrap(), 1);
    assert_eq!(next.await.unwrap().unwrap(), 3);
}

pub(super) async fn a_limit_for_a_method_that_does_not_exist_does_not_start(world: World) {
    let transport = world.node("").await;
    let probe = crate::testing::probe::Probe::new("x", Default::default());
    let started = crate::testing::world::start(
        &transport,
        "x",
        crate::testing::probe::ProbeDispatcher::new(probe),
    )
    .method_concurrency("nmae", 4)
    .start()
    .await;
    let error = started.unwrap_err();
    assert!(matches!(error, StartError::Endpoints(_)));
    let text = error.to_string();
    assert!(
        text.contains("`nmae`") && text.contains("hold_briefly"),
        "{text}"
    );
}

pub(super) async fn stop_runs_what_waits_for_its_method(mut world: World) {
    let limit = |server: rpc_core::ServerBuilder| server.method_concurrency("hold", 1);
    let works = world.works_with("node-1", "", None, limit).await;
    let client = world.works_client().await;
    let calls = [1, 2, 3].map(|id| tokio::spawn(client.hold(&Context::new(), id)));
    while works.server.stats().accepted < 3 {
        tokio::task::yield_now().await;
    }
    works.server.stop().await;
    works.log.release();
    assert_eq!(works.server.wait().await.finished, 3);
    for call in calls {
        call.await.unwrap().unwrap();
    }
}
