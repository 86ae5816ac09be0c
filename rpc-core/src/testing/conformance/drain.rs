//! Methods that a server still runs while it drains.

use crate::testing::conformance::works::{Log, meet};
use crate::testing::world::World;
use rpc_core::{Context, ErrorKind};
use std::time::Duration;

pub(super) async fn a_draining_server_still_takes_in_methods_that_say_so(mut world: World) {
    let works = world.works("node-1").await;
    let client = world.works_client().await;
    let named = client.prepare(|call| call.server("node-1"));
    named.name(&Context::new()).await.unwrap();
    works.server.stop().await;
    assert_eq!(named.finish(&Context::new()).await.unwrap(), "node-1");
    named.tell(&Context::new()).await.unwrap();
    Log::wait(&works.log.noted, 1).await;
    let error = named.name(&Context::new()).await.unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Unavailable);
    // nothing runs, so nothing is waited for
    assert_eq!(works.server.wait().await.cut_off, 0);
    let impatient = named.prepare(|call| call.timeout(Duration::from_millis(100)));
    let error = impatient.finish(&Context::new()).await.unwrap_err();
    assert!(!error.rpc().unwrap().may_have_run());
}

pub(super) async fn a_draining_server_is_asked_in_turn_only_if_there_is_no_other(mut world: World) {
    let one = world.works("node-1").await;
    let two = world.works("node-2").await;
    let client = world.works_client().await;
    meet(&client, &["node-1", "node-2"]).await;
    one.server.stop().await;
    // the client has taken that in once it is refused
    let named = client.prepare(|call| call.server("node-1"));
    named.name(&Context::new()).await.unwrap_err();
    for _ in 0..4 {
        assert_eq!(client.finish(&Context::new()).await.unwrap(), "node-2");
    }
    two.server.stop().await;
    let mut asked = std::collections::BTreeSet::new();
    for _ in 0..4 {
        asked.insert(client.finish(&Context::new()).await.unwrap());
    }
    assert!(asked.len() == 2, "{asked:?}");
}

pub(super) async fn a_fanout_goes_to_draining_servers_only_if_there_is_no_other(mut world: World) {
    let one = world.works("node-1").await;
    let two = world.works("node-2").await;
    let client = world.works_client().await;
    meet(&client, &["node-1", "node-2"]).await;
    one.server.stop().await;
    let named = client.prepare(|call| call.server("node-1"));
    named.name(&Context::new()).await.unwrap_err();
    let told = client.tell(&Context::new()).await.unwrap();
    assert_eq!(told.accepted, ["node-2"]);
    two.server.stop().await;
    let named = client.prepare(|call| call.server("node-2"));
    named.name(&Context::new()).await.unwrap_err();
    let told = client.tell(&Context::new()).await.unwrap();
    assert_eq!(told.accepted, ["node-1", "node-2"]);
}

pub(super) async fn an_operation_in_steps_comes_to_its_end(mut world: World) {
    let works = world.works("node-1").await;
    let client = world.works_client().await;
    let named = client.prepare(|call| call.server("node-1"));
    let operation = tokio::spawn(named.hold(&Context::new(), 1));
    Log::wait(&works.log.began, 1).await;
    works.server.stop().await;
    let server = works.server.clone();
    let waiting = tokio::spawn(async move { server.wait().await });
    // while the operation runs, its steps are taken in
    for _ in 0..3 {
        assert_eq!(named.finish(&Context::new()).await.unwrap(), "node-1");
    }
    works.log.release();
    operation.await.unwrap().unwrap();
    assert_eq!(waiting.await.unwrap().finished, 4);
}

pub(super) async fn a_wait_ends_although_methods_of_the_drain_keep_coming(mut world: World) {
    let works = world.works("node-1").await;
    let client = world.works_client().await;
    let named = client.prepare(|call| call.server("node-1"));
    let slow = tokio::spawn(named.finish_slowly(&Context::new()));
    Log::wait(&works.log.began, 1).await;
    works.server.stop().await;
    let server = works.server.clone();
    let waiting = tokio::spawn(async move { server.wait().await });
    // only such a method runs, so no more is taken in
    while named.finish(&Context::new()).await.is_ok() {}
    works.log.release();
    slow.await.unwrap().unwrap();
    assert_eq!(waiting.await.unwrap().cut_off, 0);
}

pub(super) async fn a_cut_ends_methods_of_the_drain(mut world: World) {
    let works = world.works("node-1").await;
    let client = world.works_client().await;
    let named = client.prepare(|call| call.server("node-1"));
    named.name(&Context::new()).await.unwrap();
    works.server.stop().await;
    let slow = tokio::spawn(named.finish_slowly(&Context::new()));
    Log::wait(&works.log.began, 1).await;
    let stopped = works.server.wait_at_most(Duration::from_millis(50)).await;
    assert_eq!((stopped.cut_off, stopped.not_run), (1, 0));
    let error = slow.await.unwrap().unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::PeerLost);
}
