//! Requests that do not arrive as they were sent.

use crate::probe::{TIMEOUT, World, kind};
use rpc_core::testing::lossy::Faults;
use rpc_core::{Context, ErrorKind};
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn a_request_that_is_lost_times_out_at_its_deadline_and_does_not_run() {
    let world = World::with("window=1").await;
    world.lose(&[kind::CALL, kind::CAST, kind::MULTICALL]);
    let began = Instant::now();
    let error = world.client.count(&Context::new()).await.unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Timeout);
    assert!(began.elapsed() < TIMEOUT + Duration::from_millis(2));
    let error = world.client.note(&Context::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(world.seen.begun(), 1);
    world.has_its_place_back().await;
}

#[tokio::test(start_paused = true)]
async fn a_request_that_arrives_twice_runs_once() {
    let world = World::new().await;
    let requests = [kind::CALL, kind::CAST, kind::MULTICALL];
    let twice = Faults::none().duplication(1.0).only(&requests);
    world
        .network
        .set_faults(twice.jitter(Duration::from_millis(50)));
    for number in 1..20 {
        assert_eq!(world.client.count(&Context::new()).await.unwrap(), number);
    }
    world.client.note(&Context::new()).await.unwrap();
    world.server.stop().await;
    assert_eq!(world.server.wait().await.finished, 21);
    assert_eq!(world.seen.begun(), 21);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_overtaken_is_not_run() {
    let world = World::new().await;
    let held = Faults::none().reordering(1.0).only(&[kind::CALL]);
    world
        .network
        .set_faults(held.jitter(Duration::from_millis(50)));
    let first = tokio::spawn(world.client.count(&Context::new()));
    tokio::task::yield_now().await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    world.lose_nothing();
    assert_eq!(world.client.count(&Context::new()).await.unwrap(), 1);
    let error = first.await.unwrap().unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Timeout);
    assert_eq!(world.seen.begun(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_part_of_the_deadline() {
    let world = World::new().await;
    world
        .network
        .set_faults(Faults::none().delay(Duration::from_millis(200)));
    assert_eq!(world.client.count(&Context::new()).await.unwrap(), 1);
    world
        .network
        .set_faults(Faults::none().delay(Duration::from_millis(300)));
    let error = world.client.count(&Context::new()).await.unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Timeout);
}

#[tokio::test(start_paused = true)]
async fn a_handler_whose_cancel_is_lost_does_not_keep_the_window_from_being_used() {
    let world = World::with("window=1").await;
    world.lose(&[kind::CANCEL]);
    let error = world.client.hang(&Context::new()).await.unwrap_err();
    assert!(error.rpc().unwrap().is_timeout());
    // it goes on at the server, which believes that the window is full
    world.has_its_place_back().await;
    world.seen.dropped(1).await;
}
