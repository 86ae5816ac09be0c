//! Nodes that a name in the DNS leads to.

use crate::environment::{Dns, eventually, free_port};
use crate::nodes::{Node, absence, are, client, names, serve};
use rpc_core::{Context, FanoutError};

/// Two nodes with one port, at two addresses.
async fn two_nodes() -> (Node, Node) {
    let port = free_port();
    (
        serve(&format!("zmq://127.0.0.1:{port}"), "a").await,
        serve(&format!("zmq://127.0.0.2:{port}"), "b").await,
    )
}

fn lines(lines: &[&str]) -> Vec<String> {
    lines.iter().map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_address_of_a_name_is_a_node() {
    let Some(dns) = Dns::start(&[]).await else {
        return;
    };
    let (a, b) = two_nodes().await;
    dns.set(&lines(&["127.0.0.1 nodes.test", "127.0.0.2 nodes.test"]));
    let client = client(&dns.url(&format!("nodes.test:{}", a.port()))).await;
    let both = eventually("the name is known", async || names(&client).await.ok()).await;
    assert_eq!(both, ["a".to_owned(), "b".to_owned()].into());
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_is_followed_and_removes_no_link() {
    let Some(dns) = Dns::start(&[]).await else {
        return;
    };
    let (a, b) = two_nodes().await;
    dns.set(&lines(&["127.0.0.1 nodes.test"]));
    let client = client(&dns.url(&format!("nodes.test:{}", a.port()))).await;
    eventually("a is found", async || are(&client, &["a"]).await).await;
    dns.set(&lines(&["127.0.0.2 nodes.test"]));
    eventually("b is found", async || are(&client, &["a", "b"]).await).await;
    assert_eq!(client.rpc().transport().stats().links_lost, 0);
    // what is not listed any more is dialled no more once it is lost
    a.stop().await;
    eventually("a is gone", async || are(&client, &["b"]).await).await;
    // the DNS server is gone, and what works goes on
    drop(dns);
    for _ in 0..100 {
        assert_eq!(client.who(&Context::new()).await.unwrap(), "b");
    }
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_say_the_ports() {
    let a = serve("zmq://127.0.0.1:0", "a").await;
    let b = serve("zmq://127.0.0.1:0", "b").await;
    let services = [
        format!("_rpc._tcp.nodes.test,one.test,{}", a.port()),
        format!("_rpc._tcp.nodes.test,two.test,{}", b.port()),
        "_rpc._tcp.nodes.test,none.test,1".to_owned(),
    ];
    let Some(dns) = Dns::start(&services).await else {
        return;
    };
    dns.set(&lines(&["127.0.0.1 one.test", "127.0.0.1 two.test"]));
    let client = client(&dns.url("_rpc._tcp.nodes.test")).await;
    eventually("both are found", async || are(&client, &["a", "b"]).await).await;
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_is_not_there_yet_is_waited_for() {
    let Some(dns) = Dns::start(&[]).await else {
        return;
    };
    let node = serve("zmq://127.0.0.1:0", "a").await;
    let name = format!("nodes.test:{}", node.port());
    let client = client(&dns.url(&name)).await;
    let error = absence(&client, 500).await;
    let expected = format!("directory dns://{name}: there is no such name");
    assert!(error.contains(&expected), "{error}");
    let waiting = tokio::spawn(async move { client.who(&Context::new()).await });
    dns.set(&lines(&["127.0.0.1 nodes.test"]));
    assert_eq!(waiting.await.unwrap().unwrap(), "a");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dns_server_that_is_down_is_waited_for() {
    let client = client(&format!(
        "zmq+dns://nodes.test:1?resolver=127.0.0.1:{}",
        free_port()
    ))
    .await;
    let error = absence(&client, 100).await;
    assert!(
        error.contains("directory dns://nodes.test:1 has not answered yet"),
        "{error}"
    );
    let error = absence(&client, 6000).await;
    assert!(error.contains("directory dns://nodes.test:1: "), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_with_many_addresses_are_read_whole() {
    let Some(dns) = Dns::start(&[]).await else {
        return;
    };
    let node = serve("zmq://127.0.0.1:0", "a").await;
    let all: Vec<String> = (0..200)
        .map(|at| format!("127.0.{at}.1 nodes.test"))
        .collect();
    dns.set(&all);
    let client = client(&dns.url(&format!("nodes.test:{}", node.port()))).await;
    eventually("all are tried", async || match names(&client).await {
        Err(FanoutError::Incomplete(incomplete)) => {
            (incomplete.accepted == ["a"] && incomplete.unreached.len() == 199).then_some(())
        }
        _ => None,
    })
    .await;
    node.stop().await;
}
