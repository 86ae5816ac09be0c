//! Links that are cut, or that never come to work.

use crate::probe::{TIMEOUT, World, kind, serve};
use rpc_core::testing::lossy::Faults;
use rpc_core::{Context, ErrorKind};
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn a_link_that_is_cut_fails_what_was_sent_and_is_made_again() {
    let world = World::with("window=1").await;
    let call = tokio::spawn(world.client.take(&Context::new(), 100));
    while world.seen.begun() < 2 {
        tokio::task::yield_now().await;
    }
    world.network.cut("node");
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::PeerLost);
    world.has_its_place_back().await;
    assert_eq!(world.network.stats().links, 2);
    // calls run on without their link
    world.server.stop().await;
    assert_eq!(world.server.wait().await.finished, 5);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_killed_and_replaced_is_reached_again() {
    let world = World::new().await;
    world.network.kill("node");
    // the client notices
    tokio::time::sleep(Duration::from_millis(1)).await;
    let error = world.client.count(&Context::new()).await.unwrap_err();
    assert!(!error.rpc().unwrap().may_have_run());
    let (_replaced, seen) = serve(&world.network, "").await;
    assert_eq!(world.client.count(&Context::new()).await.unwrap(), 0);
    assert_eq!((world.seen.begun(), seen.begun()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_link_whose_greeting_is_lost_is_made_again() {
    for lost in [kind::HELLO, kind::ANNOUNCE] {
        let faults = Faults::none().loss(1.0).only(&[lost]);
        let world = World::unlinked("", faults).await;
        let error = world.client.count(&Context::new()).await.unwrap_err();
        assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Undeliverable);
        world.lose_nothing();
        assert_eq!(world.client.count(&Context::new()).await.unwrap(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_does_not_wait_for_ever_to_be_seen() {
    let world = World::new().await;
    world.lose(&[kind::SEEN]);
    let began = Instant::now();
    world.server.stop().await;
    world.server.wait().await;
    assert!(began.elapsed() <= Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_hear_that_a_server_stops_is_refused() {
    let world = World::new().await;
    world.lose(&[kind::ANNOUNCE]);
    world.server.stop().await;
    let began = Instant::now();
    let error = world.client.count(&Context::new()).await.unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Unavailable);
    assert!(began.elapsed() < TIMEOUT);
    assert_eq!(world.seen.begun(), 1);
}
