//! Multicalls: numbering, credit, errors in the middle, cancellation.

use crate::testing::probe::{ProbeClient, ProbeError, Seen};
use crate::testing::world::World;
use futures_util::{FutureExt, StreamExt};
use rpc_core::{CallError, Context, ErrorKind};
use std::time::Duration;

pub(super) async fn items_are_numbered_from_zero(mut world: World) {
    let (_node, client) = world.pair().await;
    let mut stream = client.count(&Context::new(), 1000);
    for expected in 0..1000 {
        assert_eq!(stream.next().await.unwrap().unwrap(), (expected, expected));
    }
    assert!(stream.next().await.is_none());
    assert!(stream.next().await.is_none());
}

pub(super) async fn an_empty_stream_ends(mut world: World) {
    let (_node, client) = world.pair().await;
    assert!(client.count(&Context::new(), 0).next().await.is_none());
}

pub(super) async fn a_stream_can_carry_none(mut world: World) {
    let (_node, client) = world.pair().await;
    let items: Vec<_> = client
        .options(&Context::new())
        .map(Result::unwrap)
        .collect()
        .await;
    assert_eq!(items, [(0, Some(1)), (1, None), (2, None), (3, Some(4))]);
}

pub(super) async fn items_before_an_error_are_delivered(mut world: World) {
    let (_node, client) = world.pair().await;
    for count in [0, 1, 511, 512, 513, 2000] {
        let mut stream = client.break_after(&Context::new(), count);
        for expected in 0..count {
            assert_eq!(stream.next().await.unwrap().unwrap(), (expected, expected));
        }
        match stream.next().await {
            Some(Err(CallError::Method(error))) => assert_eq!(error, ProbeError::Code(7)),
            other => panic!("{other:?}"),
        }
        assert!(stream.next().await.is_none());
    }
}

/// Waits until a stream's server has not produced anything for a while.
async fn settled(seen: &Seen) -> u64 {
    loop {
        let before = seen.produced();
        tokio::time::sleep(Duration::from_millis(100)).await;
        if before > 0 && seen.produced() == before {
            return before;
        }
    }
}

pub(super) async fn a_consumer_that_does_not_read_stops_the_producer_at_the_window(
    mut world: World,
) {
    let (node, client) = world.pair().await;
    let mut stream = client.count(&Context::new(), 1_000_000);
    assert!(stream.next().await.is_some());
    assert_eq!(settled(&node.seen).await, 512);
    for _ in 0..300 {
        assert!(stream.next().await.is_some());
    }
    assert!(settled(&node.seen).await <= 301 + 512);
}

pub(super) async fn large_items_stop_the_producer_at_the_byte_window(mut world: World) {
    let (node, client) = world.pair().await;
    let mut stream = client.blobs(&Context::new(), 1000, 100_000);
    assert!(stream.next().await.is_some());
    // at 256 KiB; the item that reaches it is still sent
    assert!(settled(&node.seen).await <= 4);
}

pub(super) async fn an_item_larger_than_the_window_goes_through(mut world: World) {
    let (_node, client) = world.pair().await;
    let mut stream = client.blobs(&Context::new(), 5, 1_000_000);
    for number in 0..5 {
        let (at, item) = stream.next().await.unwrap().unwrap();
        assert_eq!((at, item.len()), (number, 1_000_000));
    }
    assert!(stream.next().await.is_none());
}

pub(super) async fn a_dropped_stream_ends_the_producer(mut world: World) {
    let (node, client) = world.pair().await;
    let mut stream = client.count(&Context::new(), 1_000_000);
    assert!(stream.next().await.is_some());
    drop(stream);
    Seen::wait(&node.seen.dropped, 1).await;
    assert_eq!(client.name(&Context::new()).await.unwrap(), "node-1");
}

fn prepared(client: &ProbeClient, ms: u64) -> ProbeClient {
    client.prepare(|call| call.timeout(Duration::from_millis(ms)))
}

pub(super) async fn an_item_that_does_not_come_is_a_timeout(mut world: World) {
    let (node, client) = world.pair().await;
    let mut stream = prepared(&client, 200).stall(&Context::new());
    assert_eq!(stream.next().await.unwrap().unwrap(), (0, 0));
    let error = stream.next().await.unwrap().unwrap_err();
    assert!(error.rpc().unwrap().is_timeout());
    assert!(stream.next().await.is_none());
    Seen::wait(&node.seen.dropped, 1).await;
}

pub(super) async fn a_slow_consumer_is_no_timeout(mut world: World) {
    let (_node, client) = world.pair().await;
    let mut stream = prepared(&client, 200).count(&Context::new(), 1000);
    assert!(stream.next().await.unwrap().is_ok());
    tokio::time::sleep(Duration::from_millis(500)).await;
    for _ in 1..1000 {
        assert!(stream.next().await.unwrap().is_ok());
    }
    assert!(stream.next().await.is_none());
}

pub(super) async fn a_deadline_ends_a_stream(mut world: World) {
    let (_node, client) = world.pair().await;
    let ctx = Context::new().deadline_in(Duration::from_millis(200));
    let mut stream = client.stall(&ctx);
    assert!(stream.next().await.unwrap().is_ok());
    assert!(
        stream
            .next()
            .await
            .unwrap()
            .unwrap_err()
            .rpc()
            .unwrap()
            .is_timeout()
    );
}

pub(super) async fn items_before_a_lost_link_are_delivered(mut world: World) {
    let (node, client) = world.pair().await;
    let mut stream = client.stall(&Context::new());
    assert_eq!(stream.next().await.unwrap().unwrap(), (0, 0));
    node.transport.close(Duration::ZERO).await;
    let error = stream.next().await.unwrap().unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::PeerLost);
    assert!(stream.next().await.is_none());
    // a stream that nobody reads any more ends at the server, too
    Seen::wait(&node.seen.dropped, 1).await;
}

pub(super) async fn many_streams_at_once(mut world: World) {
    let (_node, client) = world.pair().await;
    let streams = (0..200).map(|_| {
        let stream = client.count(&Context::new(), 300);
        tokio::spawn(stream.map(Result::unwrap).count())
    });
    for stream in streams.collect::<Vec<_>>() {
        assert_eq!(stream.await.unwrap(), 300);
    }
}

pub(super) async fn a_dropped_wait_loses_no_item(mut world: World) {
    let (_node, client) = world.pair().await;
    let mut stream = client.count(&Context::new(), 500);
    let mut expected = 0;
    while expected < 500 {
        // polled once and dropped, most of the time
        if let Some(item) = stream.next().now_or_never() {
            assert_eq!(item.unwrap().unwrap(), (expected, expected));
            expected += 1;
        } else {
            tokio::task::yield_now().await;
        }
    }
}

pub(super) async fn a_stream_to_nobody_is_undeliverable(mut world: World) {
    let _absent = world.list_absent();
    let client = prepared(&world.client().await, 100);
    let error = client
        .count(&Context::new(), 3)
        .next()
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Undeliverable);
}

pub(super) async fn a_deadline_holds_while_items_are_ready(mut world: World) {
    let (_node, client) = world.pair().await;
    let ctx = Context::new().deadline_in(Duration::from_millis(200));
    let mut stream = client.count(&ctx, 1_000_000);
    let mut items = 0;
    let error = loop {
        match stream.next().await.unwrap() {
            Ok(_) => items += 1,
            Err(error) => break error,
        }
        // a slow consumer, for which an item is always there
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert!(error.rpc().unwrap().is_timeout());
    assert!(items < 60, "{items}");
}

pub(super) async fn a_stream_ends_with_the_transport_of_its_server(mut world: World) {
    let (node, client) = world.pair().await;
    let mut stream = client.stall(&Context::new());
    assert!(stream.next().await.unwrap().is_ok());
    drop((node.server, node.transport));
    let error = stream.next().await.unwrap().unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::PeerLost);
    Seen::wait(&node.seen.dropped, 1).await;
}
