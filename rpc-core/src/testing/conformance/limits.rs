//! The window and the limits of a server.

use crate::testing::probe::Seen;
use crate::testing::world::{World, meet};
use rpc_core::{Context, ErrorKind};
use std::time::Duration;

pub(super) async fn a_full_window_is_waited_for(mut world: World) {
    let node = world
        .serve_with("node-1", "window=2", |server| server)
        .await;
    let client = world.client().await;
    let holding = [1, 2].map(|id| tokio::spawn(client.hold(&Context::new(), id)));
    Seen::wait(&node.seen.held, 2).await;
    let third = tokio::spawn(client.name(&Context::new()));
    tokio::time::sleep(Duration::from_millis(50)).await;
    // it has not been sent: the node would have answered it
    assert_eq!(node.transport.stats().requests_received, 2);
    node.seen.release();
    assert_eq!(third.await.unwrap().unwrap(), "node-1");
    for call in holding {
        call.await.unwrap().unwrap();
    }
}

pub(super) async fn a_full_window_sends_to_another_server(mut world: World) {
    let full = world.serve_with("full", "window=1", |server| server).await;
    let client = world.client().await;
    let holding = tokio::spawn(client.hold(&Context::new(), 1));
    Seen::wait(&full.seen.held, 1).await;
    let _free = world.serve("free").await;
    let both = world.client().await;
    meet(&both, &["free"]).await;
    let holding_too = tokio::spawn(
        both.prepare(|call| call.server("full"))
            .hold(&Context::new(), 2),
    );
    Seen::wait(&full.seen.held, 1).await;
    for _ in 0..4 {
        assert_eq!(both.name(&Context::new()).await.unwrap(), "free");
    }
    full.seen.release();
    holding.await.unwrap().unwrap();
    holding_too.await.unwrap().unwrap();
}

pub(super) async fn a_place_in_the_window_is_waited_for_only_until_the_deadline(mut world: World) {
    let node = world
        .serve_with("node-1", "window=1", |server| server)
        .await;
    let client = world.client().await;
    let _holding = tokio::spawn(client.hold(&Context::new(), 1));
    Seen::wait(&node.seen.held, 1).await;
    let client = client.prepare(|call| call.timeout(Duration::from_millis(100)));
    let error = client.name(&Context::new()).await.unwrap_err();
    let error = error.rpc().unwrap();
    assert_eq!(error.kind(), ErrorKind::Overloaded);
    assert!(!error.may_have_run());
}

pub(super) async fn a_withdrawn_call_gives_its_place_back(mut world: World) {
    let node = world
        .serve_with("node-1", "window=1", |server| server)
        .await;
    let client = world.client().await;
    for _ in 0..3 {
        let holding = tokio::spawn(client.hold(&Context::new(), 1));
        Seen::wait(&node.seen.held, 1).await;
        holding.abort();
        Seen::wait(&node.seen.dropped, 1).await;
    }
    assert_eq!(client.name(&Context::new()).await.unwrap(), "node-1");
}

pub(super) async fn requests_larger_than_the_byte_window_go_one_at_a_time(mut world: World) {
    let _node = world
        .serve_with("node-1", "window_bytes=1000", |server| server)
        .await;
    let client = world.client().await;
    let body = vec![1; 5000];
    let ctx = Context::new();
    let calls = [
        client.echo(&ctx, &body),
        client.echo(&ctx, &body),
        client.echo(&ctx, &body),
    ]
    .map(tokio::spawn);
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().len(), 5000);
    }
}

pub(super) async fn an_overloaded_server_refuses_at_once(mut world: World) {
    let node = world
        .serve_with("node-1", "", |server| server.concurrency(1).queue(0))
        .await;
    let client = world.client().await;
    let holding = tokio::spawn(client.hold(&Context::new(), 1));
    Seen::wait(&node.seen.held, 1).await;
    let error = client.name(&Context::new()).await.unwrap_err();
    let error = error.rpc().unwrap();
    assert_eq!(error.kind(), ErrorKind::Overloaded);
    assert!(error.is_retryable() && !error.may_have_run());
    node.seen.release();
    holding.await.unwrap().unwrap();
    while client.name(&Context::new()).await.is_err() {}
}

pub(super) async fn an_overloaded_server_is_passed_over(mut world: World) {
    let full = world
        .serve_with("full", "", |server| server.concurrency(1).queue(0))
        .await;
    let _free = world.serve("free").await;
    let client = world.client().await;
    meet(&client, &["full", "free"]).await;
    let _holding = tokio::spawn(
        client
            .prepare(|call| call.server("full"))
            .hold(&Context::new(), 1),
    );
    Seen::wait(&full.seen.held, 1).await;
    for _ in 0..6 {
        assert_eq!(client.name(&Context::new()).await.unwrap(), "free");
    }
    // a server that is named is not replaced
    let error = client
        .prepare(|call| call.server("full"))
        .name(&Context::new())
        .await
        .unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Overloaded);
}

pub(super) async fn what_waits_in_the_queue_runs(mut world: World) {
    let node = world
        .serve_with("node-1", "", |server| server.concurrency(2).queue(100))
        .await;
    let client = world.client().await;
    let calls: Vec<_> = (0..50)
        .map(|id| tokio::spawn(client.hold(&Context::new(), id)))
        .collect();
    Seen::wait(&node.seen.held, 2).await;
    assert_eq!(node.seen.held.available_permits(), 0);
    node.seen.release();
    for (id, call) in (0..).zip(calls) {
        assert_eq!(call.await.unwrap().unwrap(), id);
    }
}

pub(super) async fn a_call_takes_the_first_place_that_becomes_free(mut world: World) {
    let busy = world.serve_with("busy", "window=1", |server| server).await;
    let other = world.serve_with("other", "window=1", |server| server).await;
    let client = world.client().await;
    meet(&client, &["busy", "other"]).await;
    let hold = |server: &'static str| {
        tokio::spawn(
            client
                .prepare(|call| call.server(server))
                .hold(&Context::new(), 1),
        )
    };
    let holding = [hold("busy"), hold("other")];
    Seen::wait(&busy.seen.held, 1).await;
    Seen::wait(&other.seen.held, 1).await;
    // whoever's turn it is, only one of them becomes free
    let calls = [1, 2].map(|_| tokio::spawn(client.name(&Context::new())));
    other.seen.release();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), "other");
    }
    busy.seen.release();
    for call in holding {
        call.await.unwrap().unwrap();
    }
}

pub(super) async fn a_server_without_room_for_the_bytes_is_passed_over(mut world: World) {
    let full = world
        .serve_with("full", "window_bytes=100", |server| server.concurrency(1))
        .await;
    let _free = world.serve("free").await;
    let client = world.client().await;
    meet(&client, &["full", "free"]).await;
    let named = client.prepare(|call| call.server("full"));
    let holding = tokio::spawn(named.hold(&Context::new(), 1));
    Seen::wait(&full.seen.held, 1).await;
    // what is held takes some bytes of the window, so this one would have to wait there
    for _ in 0..4 {
        assert_eq!(
            client
                .echo(&Context::new(), &[1; 1000])
                .await
                .unwrap()
                .len(),
            1000
        );
    }
    full.seen.release();
    holding.await.unwrap().unwrap();
    assert_eq!(full.server.stats().accepted, 2);
}

pub(super) async fn a_cancelled_request_makes_room_in_the_queue(mut world: World) {
    let node = world
        .serve_with("node-1", "", |server| server.concurrency(1).queue(2))
        .await;
    let client = world.client().await;
    let holding = tokio::spawn(client.hold(&Context::new(), 1));
    Seen::wait(&node.seen.held, 1).await;
    let impatient = client.prepare(|call| call.timeout(Duration::from_millis(50)));
    for _ in 0..2 {
        assert!(
            impatient
                .name(&Context::new())
                .await
                .unwrap_err()
                .rpc()
                .unwrap()
                .is_timeout()
        );
    }
    // the queue is full of what nobody waits for
    let next = tokio::spawn(client.name(&Context::new()));
    while node.server.stats().accepted < 4 {
        assert_eq!(node.server.stats().refused, 0);
        tokio::task::yield_now().await;
    }
    node.seen.release();
    holding.await.unwrap().unwrap();
    assert_eq!(next.await.unwrap().unwrap(), "node-1");
}
