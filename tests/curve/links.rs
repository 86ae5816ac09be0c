//! What is carried, and who is let in.

use crate::events::events;
use crate::keys::List;
use crate::service::{Node, client, guarded, refusal};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use rpc_core::Context;

fn ctx() -> Context {
    Context::new()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_method_is_carried() {
    let (folder, node) = guarded().await;
    let options = folder.options("client.key", "peers.toml");
    let client = client(&node.address(), &options).await;
    assert_eq!(client.echo(&ctx(), "hi".into()).await.unwrap(), "hi");
    client.note(&ctx()).await.unwrap();
    let fanout = client.everyone(&ctx()).await.unwrap();
    assert_eq!(fanout.accepted, ["node-1"], "{fanout:?}");
    client.noted(&ctx(), 2).await.unwrap();
    let items: Vec<_> = client.count(&ctx(), 1000).try_collect().await.unwrap();
    assert!(items.into_iter().eq((0..1000).map(|n| (n, n))));
    let present: Vec<_> = client.present(&ctx()).collect().await;
    assert!(
        matches!(&present[..], [(name, Ok(true))] if name.starts_with("node-1")),
        "{present:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_every_size_arrive_as_they_were() {
    let (folder, node) = guarded().await;
    let options = folder.options("client.key", "peers.toml");
    let client = client(&node.address(), &options).await;
    let mut calls = Vec::new();
    for size in [
        0,
        1,
        200,
        300,
        2048,
        16_000,
        16_400,
        33_000,
        65_536,
        1 << 20,
        7_000_000,
    ] {
        let bytes: Bytes = (0..size)
            .map(|at| u8::try_from(at % 251).unwrap())
            .collect();
        let call = client.echo(&ctx(), bytes.clone());
        calls.push(tokio::spawn(async move { call.await.unwrap() == bytes }));
    }
    for call in calls {
        assert!(call.await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_is_not_listed_is_not_let_in() {
    let (folder, node) = guarded().await;
    folder.key("stranger.key");
    let options = folder.options("stranger.key", "peers.toml");
    let reason = refusal(&client(&node.address(), &options).await).await;
    assert!(
        reason.contains("does not let the key of this side in"),
        "{reason}"
    );
    assert!(node.transport.stats().clients_dropped > 0);
    // that the key is a node's does not help either
    let options = folder.options("node.key", "peers.toml");
    refusal(&client(&node.address(), &options).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_with_another_key_than_is_listed_gets_nothing() {
    let (folder, node) = guarded().await;
    folder.list("wrong.toml", List::default().node(folder.key("other.key")));
    let options = folder.options("client.key", "wrong.toml");
    let reason = refusal(&client(&node.address(), &options).await).await;
    assert!(reason.contains("perhaps its key is another"), "{reason}");
    folder.list("nobody.toml", List::default());
    let options = folder.options("client.key", "nobody.toml");
    let reason = refusal(&client(&node.address(), &options).await).await;
    assert!(reason.contains("no key is listed"), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_without_a_key_is_refused() {
    let (_folder, node) = guarded().await;
    let reason = refusal(&client(&node.address(), "").await).await;
    assert!(reason.contains("CURVE"), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_a_key_is_refused() {
    let (folder, _) = guarded().await;
    let node = Node::serve("open", "").await;
    let options = folder.options("client.key", "peers.toml");
    let reason = refusal(&client(&node.address(), &options).await).await;
    assert!(reason.contains("`NULL`"), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn that_it_is_refused_is_warned_of_once() {
    let (folder, _) = guarded().await;
    folder.key("stranger.key");
    folder.list("wrong.toml", List::default().node(folder.key("other.key")));
    folder.list("nobody.toml", List::default());
    for (options, expected) in [
        (
            folder.options("stranger.key", "peers.toml"),
            "does not let the key of this side in",
        ),
        (
            folder.options("client.key", "wrong.toml"),
            "perhaps its key is another",
        ),
        (
            folder.options("client.key", "nobody.toml"),
            "no key is listed",
        ),
        (String::new(), "CURVE"),
    ] {
        let mut events = events();
        let node = Node::serve("node-1", &folder.options("node.key", "peers.toml")).await;
        let address = node.address();
        let client = client(&address, &options).await;
        refusal(&client).await;
        for _ in 0..3 {
            events
                .wait_for("rpc.link.refused", &address, "DEBUG ")
                .await;
        }
        let warnings = events.count("rpc.link.refused", &address, "WARN ");
        assert_eq!(warnings, 1, "{expected}");
        let alike = events.count("rpc.link.refused", &address, expected);
        assert!(alike >= 4, "{expected}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_warns_once_of_a_client_that_it_refuses() {
    let (folder, node) = guarded().await;
    for file in ["one.key", "two.key"] {
        let mut events = events();
        let key = folder.key(file).to_string();
        let client = client(&node.address(), &folder.options(file, "peers.toml")).await;
        refusal(&client).await;
        for _ in 0..3 {
            events
                .wait_for("rpc.client.dropped", &key[..8], "DEBUG ")
                .await;
        }
        let warnings = events.count("rpc.client.dropped", &key[..8], "WARN ");
        assert_eq!(warnings, 1);
    }
    assert!(node.transport.stats().clients_dropped >= 8);
}
