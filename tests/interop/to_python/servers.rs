//! Servers of several versions and addresses, that come and go.

use super::{clients_of, ctx, happened, pair, round_trips, rpc, two};
use crate::python::Node;
use crate::rules;
use futures_util::StreamExt;
use futures_util::future::join_all;
use rpc_core::{CallError, ErrorKind};
use std::time::Duration;

rules! {
    a_server_says_what_it_has,
    a_fanout_reaches_every_server,
    an_older_server_is_sent_what_it_knows,
    a_draining_server_is_avoided,
    a_server_that_is_killed_is_a_lost_peer,
    a_server_that_ends_answers_what_it_has,
    two_addresses_of_one_instance_are_known_as_one,
    a_server_of_later_protocols_too_is_served,
    a_server_of_later_protocols_only_is_left_alone,
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

async fn a_fanout_reaches_every_server() {
    let (_nodes, client, _) = two().await;
    let accepted = client.everyone(&ctx(), "hello").await.unwrap();
    assert_eq!(accepted.accepted.len(), 2, "{accepted:?}");
    for server in ["node-1", "node-2"] {
        let one = client.prepare(|call| call.server(server));
        happened(&one, "everyone hello", 1).await;
    }
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
