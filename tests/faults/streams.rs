//! Streams of which frames are lost, repeated and reordered.

use crate::probe::{ProbeClient, TIMEOUT, World, kind};
use futures_util::StreamExt;
use rpc_core::testing::lossy::Faults;
use rpc_core::{Context, ErrorKind};
use std::time::Duration;
use tokio::time::Instant;

/// Reads a stream to its end: how many items came, and the error if there was one.
async fn read(client: &ProbeClient, items: u64) -> (u64, Option<ErrorKind>) {
    let mut stream = client.list(&Context::new(), items);
    let mut read = 0;
    while let Some(item) = stream.next().await {
        match item {
            Ok((number, item)) => {
                assert_eq!((number, item), (read, read));
                read += 1;
            }
            Err(error) => return (read, Some(error.rpc().unwrap().kind())),
        }
    }
    (read, None)
}

#[tokio::test(start_paused = true)]
async fn the_first_item_has_one_timeout_with_the_opening() {
    let world = World::new().await;
    let faults = Faults::none().loss(1.0).only(&[kind::ITEMS, kind::END]);
    world
        .network
        .set_faults(faults.delay(Duration::from_millis(150)));
    let began = Instant::now();
    assert_eq!(read(&world.client, 3).await, (0, Some(ErrorKind::Timeout)));
    assert!(began.elapsed() < TIMEOUT + Duration::from_millis(2));
}

#[tokio::test(start_paused = true)]
async fn a_stream_whose_acceptance_is_lost_fails() {
    let world = World::with("window=1").await;
    world.lose(&[kind::ACCEPT]);
    let (items, error) = read(&world.client, 3).await;
    assert_eq!((items, error), (0, Some(ErrorKind::DecodeReply)));
    world.has_its_place_back().await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_whose_items_are_lost_fails_when_that_is_seen() {
    let world = World::with("window=1").await;
    world.lose(&[kind::ITEMS]);
    assert_eq!(
        read(&world.client, 3).await,
        (0, Some(ErrorKind::DecodeReply))
    );
    world.has_its_place_back().await;
    // of those that are sent later, too
    world.lose(&[kind::END]);
    assert_eq!(read(&world.client, 3).await, (3, Some(ErrorKind::Timeout)));
    world.has_its_place_back().await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_whose_items_are_repeated_fails_after_the_first() {
    let world = World::with("window=1").await;
    let faults = Faults::none().duplication(1.0).only(&[kind::ITEMS]);
    world.network.set_faults(faults);
    let (items, error) = read(&world.client, 3).await;
    assert_eq!((items, error), (3, Some(ErrorKind::DecodeReply)));
    world.has_its_place_back().await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_whose_credit_is_lost_stands_still_until_its_timeout() {
    let world = World::with("window=1").await;
    world.lose(&[kind::CREDIT]);
    assert_eq!(
        read(&world.client, 1000).await,
        (512, Some(ErrorKind::Timeout))
    );
    world.has_its_place_back().await;
    world.seen.dropped(1).await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_stands_still_and_whose_cancel_is_lost_makes_room_for_the_next_request() {
    let world = World::with("window=1").await;
    world.lose(&[kind::CREDIT, kind::CANCEL]);
    assert_eq!(
        read(&world.client, 1000).await,
        (512, Some(ErrorKind::Timeout))
    );
    world.has_its_place_back().await;
    world.seen.dropped(1).await;
}

#[tokio::test(start_paused = true)]
async fn credit_that_arrives_twice_lets_nothing_grow() {
    let world = World::with("window=1").await;
    let faults = Faults::none().duplication(1.0).only(&[kind::CREDIT]);
    world.network.set_faults(faults);
    // more than was allowed may arrive, and then the stream fails
    let (items, error) = read(&world.client, 10_000).await;
    assert!(
        items == 10_000 || error == Some(ErrorKind::DecodeReply),
        "{items} {error:?}"
    );
    world.has_its_place_back().await;
}
