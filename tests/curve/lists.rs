//! Lists that change while links are up.

use crate::events::events;
use crate::keys::{Folder, List};
use crate::service::{Node, VaultClient, client, guarded, refusal};
use rpc_core::{Context, ErrorKind};
use std::time::Duration;

fn ctx() -> Context {
    Context::new()
}

/// Asks until it fails, and says how.
async fn until_refused(client: &VaultClient) -> ErrorKind {
    let client = client.prepare(|call| call.timeout(Duration::from_millis(500)));
    let asking = async {
        loop {
            if let Err(error) = client.echo(&ctx(), "x".into()).await {
                return error.rpc().unwrap().kind();
            }
        }
    };
    let limit = Duration::from_secs(20);
    tokio::time::timeout(limit, asking)
        .await
        .expect("it is still served")
}

async fn linked() -> (Folder, Node, VaultClient) {
    let (folder, node) = guarded().await;
    // a list of its own, so that only one side follows what changes
    std::fs::copy(folder.path("peers.toml"), folder.path("client.toml")).unwrap();
    let options = folder.options("client.key", "client.toml");
    let client = client(&node.address(), &options).await;
    client.echo(&ctx(), "x".into()).await.unwrap();
    (folder, node, client)
}

/// Asks for something that never ends.
fn waits(client: &VaultClient) -> tokio::task::JoinHandle<ErrorKind> {
    let call = client.wait(&ctx());
    tokio::spawn(async move { call.await.unwrap_err().rpc().unwrap().kind() })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_whose_key_is_removed_loses_its_link() {
    let (folder, node, client) = linked().await;
    let waiting = waits(&client);
    folder.list("peers.toml", List::default());
    assert_eq!(waiting.await.unwrap(), ErrorKind::PeerLost);
    let reason = refusal(&client).await;
    assert!(
        reason.contains("does not let the key of this side in"),
        "{reason}"
    );
    assert!(node.transport.stats().clients_dropped > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_key_is_removed_is_not_called_any_more() {
    let (folder, _node, client) = linked().await;
    let waiting = waits(&client);
    folder.list("client.toml", List::default());
    assert_eq!(waiting.await.unwrap(), ErrorKind::PeerLost);
    let reason = refusal(&client).await;
    assert!(reason.contains("no key is listed"), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_client_may_use_changes_while_it_is_linked() {
    let (folder, node, client) = linked().await;
    let before = node.transport.stats();
    let with = |topics: &str| {
        let key = rpc_zmq::SecretKey::read(folder.path("client.key").as_ref()).unwrap();
        let rest = format!("topics = [{topics}]");
        folder.list(
            "peers.toml",
            List::default().with("client", key.public_key(), &rest),
        );
    };
    with("\"other\"");
    // it may have been on its way to the node when that changed its mind
    let kind = until_refused(&client).await;
    assert!(
        matches!(kind, ErrorKind::Unavailable | ErrorKind::Undeliverable),
        "{kind:?}"
    );
    refusal(&client).await;
    // one that waits is served as soon as it may be
    let waiting = client.echo(&ctx(), "y".into());
    with("\"other\", \"vault\"");
    assert_eq!(waiting.await.unwrap(), "y");
    assert_eq!(client.rpc().transport().stats().links_lost, 0);
    assert_eq!(
        node.transport.stats().clients_dropped,
        before.clients_dropped
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_node_may_have_changes_while_it_is_linked() {
    let (folder, _node, client) = linked().await;
    let with = |servers: &str| {
        let key = rpc_zmq::SecretKey::read(folder.path("node.key").as_ref()).unwrap();
        let rest = format!("topics = [\"*\"]\nservers = [{servers}]");
        folder.list(
            "client.toml",
            List::default().with("node", key.public_key(), &rest),
        );
    };
    with("\"node-2\"");
    assert_eq!(until_refused(&client).await, ErrorKind::Undeliverable);
    let waiting = client.echo(&ctx(), "y".into());
    with("\"node-1\"");
    assert_eq!(waiting.await.unwrap(), "y");
    assert_eq!(client.rpc().transport().stats().links_lost, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_cannot_be_read_changes_nothing_and_is_told_of() {
    let mut events = events();
    let (folder, _node, client) = linked().await;
    for (text, expected) in [
        ("[[client]]\nkey = \"none\"", "40 characters"),
        ("what is this", "peers.toml"),
    ] {
        folder.text("peers.toml", text);
        events
            .wait_for("rpc.keys.unreadable", &folder.path(""), expected)
            .await;
        client.echo(&ctx(), "x".into()).await.unwrap();
    }
    std::fs::remove_file(folder.path("peers.toml")).unwrap();
    events
        .wait_for("rpc.keys.unreadable", &folder.path(""), "No such file")
        .await;
    client.echo(&ctx(), "x".into()).await.unwrap();
    // and the next good one holds
    folder.list("peers.toml", List::default());
    until_refused(&client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nodes_key_is_replaced_while_clients_know_both() {
    let (folder, node, client) = linked().await;
    let read = |file| rpc_zmq::SecretKey::read(folder.path(file).as_ref()).unwrap();
    let (old, new) = (read("node.key").public_key(), folder.key("new.key"));
    let mut events = events();
    folder.list("client.toml", List::default().node(old).node(new));
    events
        .wait_for("rpc.keys.reloaded", &folder.path(""), "client.toml")
        .await;
    client.echo(&ctx(), "x".into()).await.unwrap();
    assert_eq!(client.rpc().transport().stats().links_lost, 0);

    let address = node.address();
    node.server.stop().await;
    node.transport.close(Duration::from_secs(1)).await;
    drop(node);
    let options = folder.options("new.key", "peers.toml");
    let _node = Node::serve_at(&format!("zmq://{address}?{options}"), "node-1").await;
    client.echo(&ctx(), "x".into()).await.unwrap();
    folder.list("client.toml", List::default().node(new));
    events
        .wait_for("rpc.keys.reloaded", &folder.path(""), "client.toml")
        .await;
    client.echo(&ctx(), "x".into()).await.unwrap();
    assert_eq!(client.rpc().transport().stats().links_lost, 1);
}
