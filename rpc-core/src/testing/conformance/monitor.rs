//! Heartbeats of calls that take long.

use crate::testing::conformance::works::Log;
use crate::testing::world::World;
use rpc_core::Context;
use std::time::{Duration, Instant};

const MONITOR: Duration = Duration::from_millis(400);

pub(super) async fn a_call_lives_as_long_as_its_server_is_heard_of(mut world: World) {
    let works = world.works("node-1").await;
    let client = world.works_client().await;
    let client = client.prepare(|call| call.call_monitor_timeout(MONITOR));
    let calls = [1, 2, 3].map(|id| tokio::spawn(client.hold(&Context::new(), id)));
    Log::wait(&works.log.began, 3).await;
    tokio::time::sleep(MONITOR * 3).await;
    works.log.release();
    for (id, call) in (1..).zip(calls) {
        assert_eq!(call.await.unwrap().unwrap(), id);
    }
}

pub(super) async fn a_call_that_waits_in_the_queue_is_heard_of(mut world: World) {
    let works = world
        .works_with("node-1", "", None, |server| server.concurrency(1))
        .await;
    let client = world.works_client().await;
    let holding = tokio::spawn(client.hold(&Context::new(), 1));
    Log::wait(&works.log.began, 1).await;
    let monitored = client.prepare(|call| call.call_monitor_timeout(MONITOR));
    let queued = tokio::spawn(monitored.name(&Context::new()));
    tokio::time::sleep(MONITOR * 3).await;
    works.log.release();
    holding.await.unwrap().unwrap();
    assert_eq!(queued.await.unwrap().unwrap(), "node-1");
}

pub(super) async fn the_timeout_holds_besides(mut world: World) {
    let works = world.works("node-1").await;
    let client = world.works_client().await;
    let client = client.prepare(|call| call.call_monitor_timeout(MONITOR).timeout(MONITOR * 3));
    let started = Instant::now();
    let error = client.hold(&Context::new(), 1).await.unwrap_err();
    let error = error.rpc().unwrap();
    assert!(
        error.is_timeout() && error.message().contains("deadline"),
        "{error}"
    );
    assert!(started.elapsed() >= MONITOR * 3);
    Log::wait(&works.log.dropped, 1).await;
}

pub(super) async fn none_takes_the_monitor_back(mut world: World) {
    let works = world.works("node-1").await;
    let client = world.works_client().await;
    let client = client.prepare(|call| call.call_monitor_timeout(MONITOR));
    let client = client.prepare(|call| call.call_monitor_timeout(None));
    let call = tokio::spawn(client.hold(&Context::new(), 1));
    Log::wait(&works.log.began, 1).await;
    let received = works.transport.stats().frames_received;
    tokio::time::sleep(MONITOR * 2).await;
    assert_eq!(works.transport.stats().frames_received, received);
    works.log.release();
    call.await.unwrap().unwrap();
}
