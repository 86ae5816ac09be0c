//! Answers that do not arrive as they were sent.

use crate::probe::{World, kind};
use rpc_core::testing::lossy::Faults;
use rpc_core::{CallError, Context, ErrorKind};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_call_whose_answer_is_lost_times_out_and_ran() {
    let world = World::with("window=1").await;
    world.lose(&[kind::REPLY, kind::FAIL]);
    let error = world.client.count(&Context::new()).await.unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Timeout);
    let error = world.client.fail(&Context::new()).await.unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Timeout);
    assert_eq!(world.seen.begun(), 3);
    world.has_its_place_back().await;
}

#[tokio::test(start_paused = true)]
async fn a_cast_whose_acceptance_is_lost_times_out_and_may_have_run() {
    let world = World::with("window=1").await;
    world.lose(&[kind::ACCEPT]);
    let error = world.client.note(&Context::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.may_have_run());
    assert_eq!(world.seen.begun(), 2);
    world.has_its_place_back().await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_arrives_twice_is_taken_once() {
    let world = World::with("window=2").await;
    let answers = [kind::REPLY, kind::FAIL, kind::ACCEPT];
    let twice = Faults::none().duplication(1.0).only(&answers);
    world
        .network
        .set_faults(twice.jitter(Duration::from_millis(20)));
    for number in 1..20 {
        assert_eq!(world.client.count(&Context::new()).await.unwrap(), number);
    }
    for _ in 0..20 {
        let error = world.client.fail(&Context::new()).await.unwrap_err();
        assert!(matches!(error, CallError::Method(_)));
        world.client.note(&Context::new()).await.unwrap();
    }
    world.has_its_place_back().await;
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_reordered_go_to_their_callers() {
    let world = World::new().await;
    let faults = Faults::none().reordering(0.5).only(&[kind::REPLY]);
    world
        .network
        .set_faults(faults.jitter(Duration::from_millis(50)));
    let calls: Vec<_> = (0..50)
        .map(|number| tokio::spawn(world.client.echo(&Context::new(), number)))
        .collect();
    for (number, call) in (0..).zip(calls) {
        assert_eq!(call.await.unwrap().unwrap(), number);
    }
    assert!(world.network.stats().reordered > 0);
}
