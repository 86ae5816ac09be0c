//! Calls and casts.

use super::{ctx, happened, pair, round_trips, rpc};
use crate::api::{FindError, Guest, Sample};
use crate::rules;
use futures_util::StreamExt;
use futures_util::future::join_all;
use rpc_core::ErrorKind;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

rules! {
    calls_are_answered,
    a_methods_error_arrives_as_itself,
    a_failure_has_its_kind,
    an_answer_that_is_none_fails_its_call_alone,
    casts_are_accepted_and_run,
    the_remaining_time_travels,
    a_timeout_cancels_the_handler,
    heartbeats_are_expected_of_who_announced_them,
    a_dropped_call_cancels_its_handler,
    a_small_window_is_kept,
    garbage_breaks_nothing,
}

async fn calls_are_answered() {
    let (node, client, trouble) = pair(&[]).await;
    assert_eq!(
        client.add(&ctx(), -(1 << 62), 1 << 61).await.unwrap(),
        -(1 << 61)
    );
    let sample = client.swap(&ctx(), &Sample::new()).await.unwrap();
    assert_eq!(sample, Sample::new());
    let metadata = client
        .metadata(&ctx().with("user", "ada").with("größe", "ñ"))
        .await
        .unwrap();
    let sent = BTreeMap::from([("user".into(), "ada".into()), ("größe".into(), "ñ".into())]);
    assert_eq!(metadata, sent);
    let context = ctx();
    let sums = join_all((0..500).map(|a| client.add(&context, a, a))).await;
    for (a, sum) in (0..).zip(sums) {
        assert_eq!(sum.unwrap(), 2 * a);
    }
    assert_eq!(trouble.counted(&ctx()).await.unwrap(), 0);
    node.process.end().await;
}

async fn a_methods_error_arrives_as_itself() {
    let (_node, client, _) = pair(&[]).await;
    let guest = Guest {
        id: 7,
        name: "guest 7".into(),
    };
    assert_eq!(client.find(&ctx(), 7).await.unwrap(), guest);
    let error = client.find(&ctx(), 0).await.unwrap_err();
    assert_eq!(error.method(), Some(&FindError::Locked));
    let error = client.find(&ctx(), 10).await.unwrap_err();
    assert_eq!(error.method(), Some(&FindError::NotFound { id: 10 }));
    let error = rpc(client.crash(&ctx()).await);
    assert_eq!(error.kind(), ErrorKind::Remote);
}

async fn a_failure_has_its_kind() {
    let (_node, _, trouble) = pair(&[]).await;
    for (sent, kind) in [
        ("UnsupportedVersion", ErrorKind::UnsupportedVersion),
        ("NoSuchMethod", ErrorKind::NoSuchMethod),
        ("Overloaded", ErrorKind::Overloaded),
        ("Unavailable", ErrorKind::Unavailable),
        ("DecodeArguments", ErrorKind::DecodeArguments),
        ("Timeout", ErrorKind::Timeout),
        ("PeerLost", ErrorKind::PeerLost),
        ("Cancelled", ErrorKind::Cancelled),
        ("Remote", ErrorKind::Remote),
    ] {
        let error = rpc(trouble.fail(&ctx(), sent).await);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.server().unwrap().starts_with("node-1"), "{error}");
    }
    let unknown = rpc(trouble.fail(&ctx(), "Exhausted").await);
    assert!(
        unknown.may_have_run() && !unknown.is_retryable(),
        "{unknown}"
    );
}

async fn an_answer_that_is_none_fails_its_call_alone() {
    const REPLY: u8 = 6;
    const FAIL: u8 = 7;
    const ACCEPT: u8 = 8;
    const ITEMS: u8 = 9;
    const END: u8 = 10;
    const UNSUPPORTED: u8 = 13;
    let (_node, client, trouble) = pair(&[]).await;
    for (kind, header, body, expected) in [
        (REPLY, &b""[..], &b""[..], ErrorKind::DecodeReply),
        (REPLY, b"", b"\x01", ErrorKind::DecodeReply),
        (REPLY, b"", b"\xc0\xc0", ErrorKind::DecodeReply),
        (ACCEPT, b"", b"", ErrorKind::DecodeReply),
        (ITEMS, b"\x92\x00\x01", b"\x01", ErrorKind::DecodeReply),
        (END, b"\x91\x00", b"", ErrorKind::DecodeReply),
        (FAIL, b"", b"", ErrorKind::DecodeReply),
        (UNSUPPORTED, b"\x91\x03", b"", ErrorKind::UnsupportedVersion),
    ] {
        let error = rpc(trouble.answer(&ctx(), kind, header, body).await);
        assert_eq!(error.kind(), expected, "{kind}: {error}");
    }
    round_trips(&client).await;
}

async fn casts_are_accepted_and_run() {
    let (_node, client, _) = pair(&[]).await;
    client.note(&ctx(), "plain").await.unwrap();
    client.note(&ctx(), "red").color(5).await.unwrap();
    happened(&client, "note plain None", 1).await;
    happened(&client, "note red 5", 1).await;
    // a call may be cast, and then nobody waits for its value
    client.wait(&ctx(), "for ever").cast().await.unwrap();
    happened(&client, "began for ever", 1).await;
}

async fn the_remaining_time_travels() {
    let (_node, client, _) = pair(&[]).await;
    round_trips(&client).await;
    let limited = client.prepare(|call| call.timeout(Duration::from_secs(5)));
    let left = limited.remaining(&ctx()).await.unwrap().unwrap();
    assert!((1..=5_000_000).contains(&left), "{left}");
    let inherited = ctx().deadline_in(Duration::from_secs(3));
    let left = limited.remaining(&inherited).await.unwrap().unwrap();
    assert!((1..=3_000_000).contains(&left), "{left}");
}

async fn a_timeout_cancels_the_handler() {
    let (_node, client, _) = pair(&[]).await;
    round_trips(&client).await;
    let brief = client.prepare(|call| call.timeout(Duration::from_millis(500)));
    let error = rpc(brief.wait(&ctx(), "x").await);
    assert_eq!(error.kind(), ErrorKind::Timeout);
    happened(&client, "cancelled x", 1).await;
}

async fn heartbeats_are_expected_of_who_announced_them() {
    let patient = Duration::from_millis(1500);
    for (heartbeats, given_up) in [("sent", false), ("none", false), ("forgotten", true)] {
        let (_node, client, _) = pair(&["--heartbeats", heartbeats]).await;
        round_trips(&client).await;
        let asking = client.prepare(|call| {
            let call = call.timeout(patient);
            call.call_monitor_timeout(Duration::from_millis(300))
        });
        let began = Instant::now();
        let error = rpc(asking.wait(&ctx(), "h").await);
        assert_eq!(error.kind(), ErrorKind::Timeout);
        let without_heartbeat = error.message().contains("no heartbeat");
        assert_eq!(without_heartbeat, given_up, "{heartbeats}: {error}");
        assert_eq!(began.elapsed() < patient, given_up, "{heartbeats}: {error}");
        happened(&client, "cancelled h", 1).await;
    }
}

async fn a_dropped_call_cancels_its_handler() {
    let (_node, client, _) = pair(&[]).await;
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.wait(&ctx(), "y").await }
    });
    happened(&client, "began y", 1).await;
    waiting.abort();
    happened(&client, "cancelled y", 1).await;
}

async fn a_small_window_is_kept() {
    let (_node, client, trouble) = pair(&["--window", "2"]).await;
    let context = ctx();
    let sums = join_all((0..100).map(|a| client.add(&context, a, a))).await;
    for (a, sum) in (0..).zip(sums) {
        assert_eq!(sum.unwrap(), 2 * a);
    }
    assert_eq!(trouble.counted(&ctx()).await.unwrap(), 0);
}

async fn garbage_breaks_nothing() {
    let (_node, client, trouble) = pair(&[]).await;
    let mut stream = client.count(&ctx(), 1000, 10);
    stream.next().await.unwrap().unwrap();
    for _ in 0..3 {
        assert!(trouble.scatter(&ctx()).await.unwrap() > 256);
    }
    round_trips(&client).await;
    assert_eq!(stream.count().await, 999);
}
