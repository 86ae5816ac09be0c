//! Nodes that a URL lists, and their links.

use crate::environment::eventually;
use crate::nodes::{Node, WhoClient, are, client, names, open, serve, serve_on};
use rpc_core::{Context, Target};
use std::collections::BTreeSet;
use std::time::Duration;

/// A node that serves another topic than the clients of these tests use.
async fn other(name: &str) -> Node {
    let transport = open("zmq://?listen=127.0.0.1:0").await;
    let server = serve_on(&transport, Target::topic("other"), name).await;
    Node { server, transport }
}

async fn both(a: &Node, b: &Node, options: &str) -> WhoClient {
    let (a, b) = (a.port(), b.port());
    client(&format!("zmq://127.0.0.1:{a},127.0.0.1:{b}?{options}")).await
}

/// Waits until a link has rested, and was made again to see whether it is of use now.
async fn rested(client: &WhoClient) {
    let stats = || client.rpc().transport().stats();
    let made = stats().links_made;
    eventually("a link has rested", async || {
        (stats().links_made > made).then_some(())
    })
    .await;
    assert_eq!(stats().links_lost, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_of_no_use_rest_and_those_of_use_do_not() {
    let (a, b) = (serve("zmq://127.0.0.1:0", "a").await, other("b").await);
    let client = both(&a, &b, "idle=200").await;
    let calls = {
        let client = client.clone();
        tokio::spawn(async move {
            loop {
                assert_eq!(client.who(&Context::new()).await.unwrap(), "a");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
    };
    for _ in 0..3 {
        rested(&client).await;
    }
    assert!(!calls.is_finished());
    calls.abort();
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_starts_on_a_node_that_rests_is_found() {
    let (a, b) = (serve("zmq://127.0.0.1:0", "a").await, other("b").await);
    let client = both(&a, &b, "idle=200").await;
    let mut found = BTreeSet::new();
    let mut call = async || {
        found.insert(client.who(&Context::new()).await.unwrap());
        found.len()
    };
    assert_eq!(call().await, 1);
    rested(&client).await;
    let more = serve_on(&b.transport, Target::topic("who"), "more").await;
    // no call waits for it, but it gets its turn
    eventually("it has its turn", async || {
        (call().await == 2).then_some(())
    })
    .await;
    more.stop().await;
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_to_all_go_to_nodes_that_rest_as_well() {
    let (a, b) = (serve("zmq://127.0.0.1:0", "a").await, other("b").await);
    let client = both(&a, &b, "idle=100").await;
    are(&client, &["a"]).await.unwrap();
    let mut servers = Vec::new();
    for at in 0..5 {
        rested(&client).await;
        // the node of a server that has just started rests perhaps
        let name = format!("more-{at}");
        servers.push(serve_on(&b.transport, Target::topic("who"), &name).await);
        let mut reached = names(&client).await.unwrap();
        if !reached.contains(&name) {
            // the link was up, and what is announced on it was still under way
            reached = names(&client).await.unwrap();
        }
        assert!(
            reached.contains("a") && reached.contains(&name),
            "{reached:?}"
        );
    }
    let named = client.prepare(|call| call.server("more-3"));
    rested(&client).await;
    assert_eq!(named.who(&Context::new()).await.unwrap(), "more-3");
    rested(&client).await;
    named.rpc().ready(Duration::from_secs(5)).await.unwrap();
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_list_is_linked_whole() {
    let mut nodes = Vec::new();
    for at in 0..200 {
        nodes.push(serve("zmq://127.0.0.1:0", &format!("node-{at}")).await);
    }
    let addresses: Vec<String> = nodes
        .iter()
        .map(|node| format!("127.0.0.1:{}", node.port()))
        .collect();
    let client = client(&format!("zmq://{}", addresses.join(","))).await;
    assert_eq!(names(&client).await.unwrap().len(), nodes.len());
    assert_eq!(client.rpc().transport().stats().links_made, 200);
}
