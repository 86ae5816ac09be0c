//! What a key may do.

use crate::keys::{Folder, List};
use crate::service::{Node, client, refusal};
use rpc_core::Context;

fn ctx() -> Context {
    Context::new()
}

/// A node and a client whose entries in the list end with these.
async fn entries(node: &str, client_: &str) -> (Folder, Node) {
    let folder = Folder::new();
    let list = List::default()
        .with("node", folder.key("node.key"), node)
        .with("client", folder.key("client.key"), client_);
    folder.list("peers.toml", list);
    let node = Node::serve("node-1", &folder.options("node.key", "peers.toml")).await;
    (folder, node)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_without_a_right_sees_nothing_of_a_topic() {
    for rest in [
        "topics = []",
        "topics = [\"vaults\", \"other.*\"]",
        "topics = [\"*\"]\nexchanges = [\"another\"]",
    ] {
        let (folder, node) = entries("topics = [\"*\"]", rest).await;
        let options = folder.options("client.key", "peers.toml");
        let client = client(&node.address(), &options).await;
        let reason = refusal(&client).await;
        // it is linked, and the node says as much as one that has no such server
        assert!(reason.contains("up, without such a server"), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_with_the_right_may_use_a_topic() {
    let (folder, node) =
        entries("topics = [\"*\"]", "topics = [\"v*t\"]\nexchanges = [\"\"]").await;
    let options = folder.options("client.key", "peers.toml");
    let client = client(&node.address(), &options).await;
    assert_eq!(client.echo(&ctx(), "x".into()).await.unwrap(), "x");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_not_called_by_a_name_that_its_key_must_not_have() {
    for rest in [
        "topics = [\"vault\"]\nservers = [\"node-2\", \"*.node-1\"]",
        "topics = [\"vaults\"]",
        "topics = [\"vault\"]\nexchanges = [\"another\"]",
    ] {
        let (folder, node) = entries(rest, "topics = [\"*\"]").await;
        let options = folder.options("client.key", "peers.toml");
        refusal(&client(&node.address(), &options).await).await;
    }
    let rest = "topics = [\"vault\"]\nservers = [\"node-*\"]";
    let (folder, node) = entries(rest, "topics = [\"*\"]").await;
    let options = folder.options("client.key", "peers.toml");
    let client = client(&node.address(), &options).await;
    assert_eq!(client.echo(&ctx(), "x".into()).await.unwrap(), "x");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_node_has_the_key_that_is_listed_for_its_address() {
    let folder = Folder::new();
    let (one, two) = (folder.key("one.key"), folder.key("two.key"));
    folder.list(
        "clients.toml",
        List::default().client(folder.key("client.key")),
    );
    let nodes = [
        Node::serve("node-1", &folder.options("one.key", "clients.toml")).await,
        Node::serve("node-2", &folder.options("two.key", "clients.toml")).await,
    ];
    let [first, second] = nodes.each_ref().map(Node::address);
    let entry = |address: &str| format!("address = \"{address}\"\ntopics = [\"*\"]");
    let list = List::default()
        .with("node", one, &entry(&first))
        .with("node", two, &entry(&second));
    folder.list("nodes.toml", list);
    let options = folder.options("client.key", "nodes.toml");
    let both = client(&format!("{first},{second}"), &options).await;
    let fanout = both.everyone(&ctx()).await.unwrap();
    assert_eq!(fanout.accepted, ["node-1", "node-2"]);
    // the other's key proves nothing here
    let list = List::default()
        .with("node", two, &entry(&first))
        .with("node", one, &entry(&second));
    folder.list("swapped.toml", list);
    let options = folder.options("client.key", "swapped.toml");
    refusal(&client(&first, &options).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_knows_the_key_of_whoever_asks_and_its_name() {
    let folder = Folder::new();
    let (named, unnamed) = (folder.key("named.key"), folder.key("unnamed.key"));
    let list = List::default()
        .node(folder.key("node.key"))
        .with("client", named, "name = \"scheduler\"\ntopics = [\"*\"]")
        .client(unnamed);
    folder.list("peers.toml", list);
    let node = Node::serve("node-1", &folder.options("node.key", "peers.toml")).await;
    for (file, key, owner) in [
        ("named.key", named, Some("scheduler")),
        ("unnamed.key", unnamed, None),
    ] {
        let options = folder.options(file, "peers.toml");
        let client = client(&node.address(), &options).await;
        let (name, shown, called) = client.who(&ctx()).await.unwrap();
        assert!(name.starts_with("127.0.0.1:"), "{name}");
        assert_eq!(shown, Some(key.to_string()));
        assert_eq!(called.as_deref(), owner);
    }
    let open = Node::serve("open", "").await;
    let (_, key, owner) = client(&open.address(), "").await.who(&ctx()).await.unwrap();
    assert_eq!((key, owner), (None, None));
}
