//! Rust clients and Python servers.

use crate::api::{FindError, Guest, InteropClient, Sample, TroubleClient};
use crate::python::Node;
use crate::rules;
use futures_util::StreamExt;
use futures_util::future::join_all;
use rpc_core::{CallError, Context, ErrorKind, RpcError};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

rules! {
    calls_are_answered,
    a_server_says_what_it_has,
    a_methods_error_arrives_as_itself,
    a_failure_has_its_kind,
    an_answer_that_is_none_fails_its_call_alone,
    casts_are_accepted_and_run,
    a_fanout_reaches_every_server,
    streams_are_numbered_and_end,
    a_stream_that_breaks_the_rules_fails,
    a_consumer_that_does_not_read_stops_the_producer,
    the_remaining_time_travels,
    a_timeout_cancels_the_handler,
    a_dropped_call_and_a_dropped_stream_cancel_their_handlers,
    an_older_server_is_sent_what_it_knows,
    a_draining_server_is_avoided,
    a_small_window_is_kept,
    garbage_breaks_nothing,
    a_server_that_is_killed_is_a_lost_peer,
    a_server_that_ends_answers_what_it_has,
    two_addresses_of_one_instance_are_known_as_one,
    a_server_of_later_protocols_too_is_served,
    a_server_of_later_protocols_only_is_left_alone,
}

async fn clients_of(nodes: &[&Node]) -> (InteropClient, TroubleClient) {
    let addresses: Vec<&str> = nodes.iter().map(|node| node.address.as_str()).collect();
    let url = format!("zmq://{}", addresses.join(","));
    let transport = rpc_zmq::connect(&url).await.unwrap();
    (
        InteropClient::new(transport.clone()),
        TroubleClient::new(transport),
    )
}

/// A server, and its clients.
async fn pair(options: &[&str]) -> (Node, InteropClient, TroubleClient) {
    let node = Node::serve("node-1", options).await;
    let (client, trouble) = clients_of(&[&node]).await;
    (node, client, trouble)
}

/// Two servers, and their clients.
async fn two() -> ([Node; 2], InteropClient, TroubleClient) {
    let nodes = [
        Node::serve("node-1", &[]).await,
        Node::serve("node-2", &[]).await,
    ];
    let (client, trouble) = clients_of(&[&nodes[0], &nodes[1]]).await;
    (nodes, client, trouble)
}

fn ctx() -> Context {
    Context::new()
}

async fn happened(client: &InteropClient, what: &str, times: u32) {
    client.happened(&ctx(), what, times).await.unwrap();
}

/// Enough of them that a server that wants to do something else has done it.
async fn round_trips(client: &InteropClient) {
    for a in 0..200 {
        assert_eq!(client.add(&ctx(), a, 1).await.unwrap(), a + 1);
    }
}

#[track_caller]
fn rpc<T: Debug, E: Debug>(outcome: Result<T, CallError<E>>) -> RpcError {
    match outcome {
        Err(CallError::Rpc(error)) => error,
        other => panic!("{other:?}"),
    }
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

async fn a_server_says_what_it_has() {
    let (_node, client, _) = pair(&["--version", "1.1"]).await;
    assert_eq!(client.rpc().ping(&ctx()).await.unwrap().server, "node-1");
    let described = client.rpc().describe(&ctx()).await.unwrap();
    let api = &described.apis[0];
    assert_eq!((api.name.as_str(), &api.namespace), ("Interop", &None));
    assert_eq!(api.versions, ["1.1"]);
    let note = api.methods.iter().find(|method| method.name == "note");
    let note = note.unwrap();
    assert_eq!((note.kind.as_str(), note.since.as_str()), ("cast", "1.0"));
    assert_eq!(note.args[1].since.as_deref(), Some("1.1"));
    let found = client.rpc().negotiate().await.unwrap();
    assert_eq!(found.cap, rpc_core::version!("1.1"));
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

async fn a_fanout_reaches_every_server() {
    let (_nodes, client, _) = two().await;
    let accepted = client.everyone(&ctx(), "hello").await.unwrap();
    assert_eq!(accepted.accepted.len(), 2, "{accepted:?}");
    for server in ["node-1", "node-2"] {
        let one = client.prepare(|call| call.server(server));
        happened(&one, "everyone hello", 1).await;
    }
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
    happened(&client, "item", 128).await;
    round_trips(&client).await;
    let made = client.times(&ctx(), "item").await.unwrap();
    assert!(made <= 130, "{made} items were made where 128 were allowed");
    for _ in 0..100 {
        stream.next().await.unwrap().unwrap();
    }
    happened(&client, "item", 192).await;
    drop(stream);
    happened(&client, "closed", 1).await;
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

async fn a_dropped_call_and_a_dropped_stream_cancel_their_handlers() {
    let (_node, client, _) = pair(&[]).await;
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.wait(&ctx(), "y").await }
    });
    happened(&client, "began y", 1).await;
    waiting.abort();
    happened(&client, "cancelled y", 1).await;
    let mut stream = client.count(&ctx(), 1_000_000, 1);
    stream.next().await.unwrap().unwrap();
    drop(stream);
    happened(&client, "closed", 1).await;
}

async fn an_older_server_is_sent_what_it_knows() {
    let (_node, client, _) = pair(&["--version", "1.0"]).await;
    client.note(&ctx(), "plain").await.unwrap();
    happened(&client, "note plain None", 1).await;
    let error = client.note(&ctx(), "red").color(5).await.unwrap_err();
    assert!(!error.may_have_run(), "{error}");
    assert!(error.to_string().contains("1.1"), "{error}");
    let error = rpc(client.newest(&ctx()).await);
    assert!(!error.may_have_run(), "{error}");

    let middle = Node::serve("node-2", &["--version", "1.1"]).await;
    let (client, _) = clients_of(&[&middle]).await;
    client.note(&ctx(), "red").color(5).await.unwrap();
    happened(&client, "note red 5", 1).await;
}

async fn a_draining_server_is_avoided() {
    let (_nodes, client, trouble) = two().await;
    let first = client.prepare(|call| call.server("node-1"));
    let second = client.prepare(|call| call.server("node-2"));
    round_trips(&first).await;
    round_trips(&second).await;
    let context = ctx();
    trouble
        .prepare(|call| call.server("node-1"))
        .drain(&context)
        .await
        .unwrap();
    for text in 0..50 {
        let text = text.to_string();
        client.note(&context, &text).await.unwrap();
        happened(&second, &format!("note {text} None"), 1).await;
    }
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

async fn a_server_that_is_killed_is_a_lost_peer() {
    let (mut node, client, _) = pair(&[]).await;
    let mut stream = client.count(&ctx(), 1_000_000, 1);
    stream.next().await.unwrap().unwrap();
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.wait(&ctx(), "y").await }
    });
    happened(&client, "began y", 1).await;
    node.process.kill().await;
    let error = rpc(waiting.await.unwrap());
    assert_eq!(error.kind(), ErrorKind::PeerLost, "{error}");
    let items: Vec<_> = stream.collect().await;
    let error = rpc(items.into_iter().next_back().unwrap());
    assert_eq!(error.kind(), ErrorKind::PeerLost, "{error}");
}

/// It announces that it has no server any more, and waits until the client has seen that. So no call can be lost.
async fn a_server_that_ends_answers_what_it_has() {
    let (node, client, _) = pair(&[]).await;
    round_trips(&client).await;
    let busy = (0..4).map(|_| {
        let client = client.prepare(|call| call.timeout(Duration::from_secs(2)));
        tokio::spawn(async move {
            loop {
                if let Err(CallError::Rpc(error)) = client.add(&ctx(), 1, 1).await {
                    return error;
                }
            }
        })
    });
    let busy: Vec<_> = busy.collect();
    round_trips(&client).await;
    node.process.end().await;
    for error in join_all(busy).await {
        let error = error.unwrap();
        assert!(!error.may_have_run(), "{error}");
    }
}

async fn two_addresses_of_one_instance_are_known_as_one() {
    let mut node = Node::serve("node-1", &[]).await;
    let (_, port) = node.address.rsplit_once(':').unwrap();
    node.address = format!("127.0.0.1:{port},localhost:{port}");
    let (client, _) = clients_of(&[&node]).await;
    let accepted = client.everyone(&ctx(), "hello").await.unwrap();
    assert_eq!(accepted.accepted, ["node-1"]);
    happened(&client, "everyone hello", 1).await;
    round_trips(&client).await;
    assert_eq!(client.times(&ctx(), "everyone hello").await.unwrap(), 1);
}

async fn a_server_of_later_protocols_too_is_served() {
    let (_node, client, _) = pair(&["--protocols", "1-3"]).await;
    round_trips(&client).await;
}

async fn a_server_of_later_protocols_only_is_left_alone() {
    let (_node, client, _) = pair(&["--protocols", "2-3"]).await;
    let brief = client.prepare(|call| call.timeout(Duration::from_millis(500)));
    let error = rpc(brief.add(&ctx(), 1, 1).await);
    assert!(!error.may_have_run(), "{error}");
}
