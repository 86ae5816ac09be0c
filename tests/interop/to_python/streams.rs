//! Multicalls.

use super::{ctx, happened, pair, round_trips, rpc};
use crate::api::FindError;
use crate::rules;
use futures_util::StreamExt;
use rpc_core::ErrorKind;

rules! {
    streams_are_numbered_and_end,
    a_stream_that_breaks_the_rules_fails,
    a_consumer_that_does_not_read_stops_the_producer,
    a_dropped_stream_ends_the_producer,
}

async fn streams_are_numbered_and_end() {
    let (_node, client, _) = pair(&[]).await;
    for together in [1, 7, 1000] {
        let items: Vec<_> = client
            .count(&ctx(), 1000, together)
            .map(Result::unwrap)
            .collect()
            .await;
        assert!(items.iter().copied().eq((0..1000).map(|n| (n, n))));
    }
    assert!(client.count(&ctx(), 0, 1).next().await.is_none());
    let blobs = client.blobs(&ctx(), 300_000, 20);
    let sizes: Vec<_> = blobs.map(|blob| blob.unwrap().1.len()).collect().await;
    assert_eq!(sizes, [300_000; 20]);

    let mut breaks = client.breaks(&ctx(), 3);
    for n in 0..3 {
        assert_eq!(breaks.next().await.unwrap().unwrap(), (n, n));
    }
    let error = breaks.next().await.unwrap().unwrap_err();
    assert_eq!(error.method(), Some(&FindError::Locked));
    assert!(breaks.next().await.is_none());
}

async fn a_stream_that_breaks_the_rules_fails() {
    let (_node, client, trouble) = pair(&[]).await;
    // a repeat, a gap, none, more than the body has, more than was allowed
    for (first, count) in [(0, 1), (2, 1), (1, 0), (1, 2), (1, 1000), (1, u64::MAX)] {
        let mut stream = trouble.miscount(&ctx(), first, count);
        assert_eq!(stream.next().await.unwrap().unwrap(), (0, 0));
        let error = rpc(stream.next().await.unwrap());
        assert_eq!(
            error.kind(),
            ErrorKind::DecodeReply,
            "{first} {count}: {error}"
        );
        assert!(stream.next().await.is_none());
    }
    round_trips(&client).await;
}

async fn a_consumer_that_does_not_read_stops_the_producer() {
    let (_node, client, _) = pair(&[]).await;
    let mut stream = client.count(&ctx(), 1_000_000, 1);
    stream.next().await.unwrap().unwrap();
    happened(&client, "item", 512).await;
    round_trips(&client).await;
    let made = client.times(&ctx(), "item").await.unwrap();
    assert!(made <= 514, "{made} items were made where 512 were allowed");
    for _ in 0..300 {
        stream.next().await.unwrap().unwrap();
    }
    happened(&client, "item", 768).await;
    drop(stream);
    happened(&client, "closed", 1).await;
}

async fn a_dropped_stream_ends_the_producer() {
    let (_node, client, _) = pair(&[]).await;
    let mut stream = client.count(&ctx(), 1_000_000, 1);
    stream.next().await.unwrap().unwrap();
    drop(stream);
    happened(&client, "closed", 1).await;
}
