//! Nodes that a name in the DNS leads to.

mod failing;

use crate::environment::{Dns, eventually, free_port};
use crate::nodes::{Node, absence, are, client, names, serve};
use crate::told::{listen, names_of, told};
use failing::{Failing, Says};
use rpc_core::{Context, FanoutError};
use std::time::{Duration, Instant};
use tracing::Level;

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
#[ignore = "needs dnsmasq: `cargo xtask test` installs it"]
async fn every_address_of_a_name_is_a_node() {
    let dns = Dns::start(&[]).await;
    let (a, b) = two_nodes().await;
    dns.set(&lines(&["127.0.0.1 nodes.test", "127.0.0.2 nodes.test"]));
    let client = client(&dns.url(&format!("nodes.test:{}", a.port()))).await;
    let both = eventually("the name is known", async || names(&client).await.ok()).await;
    assert_eq!(both, ["a".to_owned(), "b".to_owned()].into());
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs dnsmasq: `cargo xtask test` installs it"]
async fn what_changes_is_followed_and_removes_no_link() {
    let dns = Dns::start(&[]).await;
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
#[ignore = "needs dnsmasq: `cargo xtask test` installs it"]
async fn services_say_the_ports() {
    let a = serve("zmq://127.0.0.1:0", "a").await;
    let b = serve("zmq://127.0.0.1:0", "b").await;
    let services = [
        format!("_rpc._tcp.nodes.test,one.test,{}", a.port()),
        format!("_rpc._tcp.nodes.test,two.test,{}", b.port()),
        "_rpc._tcp.nodes.test,none.test,1".to_owned(),
    ];
    let dns = Dns::start(&services).await;
    dns.set(&lines(&["127.0.0.1 one.test", "127.0.0.1 two.test"]));
    let client = client(&dns.url("_rpc._tcp.nodes.test")).await;
    eventually("both are found", async || are(&client, &["a", "b"]).await).await;
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs dnsmasq: `cargo xtask test` installs it"]
async fn a_name_that_is_not_there_yet_is_waited_for() {
    let dns = Dns::start(&[]).await;
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
#[ignore = "needs dnsmasq: `cargo xtask test` installs it"]
async fn names_with_many_addresses_are_read_whole() {
    let dns = Dns::start(&[]).await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs dnsmasq: `cargo xtask test` installs it"]
async fn a_dns_server_that_fails_for_a_while_stops_nothing_that_works() {
    let dns = Dns::start(&[]).await;
    let failing = Failing::before(dns.port).await;
    let (a, b) = two_nodes().await;
    dns.set(&lines(&["127.0.0.1 nodes.test"]));
    let url = |name: &str| format!("zmq+dns://{name}?resolver=127.0.0.1:{}", failing.port);
    let client = client(&url(&format!("nodes.test:{}", a.port()))).await;
    eventually("a is found", async || are(&client, &["a"]).await).await;
    for what in [Says::Failure, Says::NoName] {
        failing.says(what);
        let asked = failing.asked();
        eventually("it was asked again", async || {
            assert_eq!(client.who(&Context::new()).await.unwrap(), "a");
            (failing.asked() > asked + 4).then_some(())
        })
        .await;
    }
    assert_eq!(client.rpc().transport().stats().links_lost, 0);
    // who is new waits for it
    let new = crate::nodes::client(&url(&format!("nodes.test:{}", a.port()))).await;
    let error = absence(&new, 1000).await;
    assert!(error.contains("there is no such name"), "{error}");
    failing.says(Says::Failure);
    let asked = failing.asked();
    let waiting = tokio::spawn(async move { new.who(&Context::new()).await });
    eventually("it was asked again", async || {
        (failing.asked() > asked + 4).then_some(())
    })
    .await;
    dns.set(&lines(&["127.0.0.1 nodes.test", "127.0.0.2 nodes.test"]));
    failing.says(Says::Truth);
    waiting.await.unwrap().unwrap();
    eventually("b is found", async || are(&client, &["a", "b"]).await).await;
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs dnsmasq: `cargo xtask test` installs it"]
async fn an_answer_is_believed_for_its_ttl_unless_a_link_is_lost() {
    // more than is believed
    let dns = Dns::start_with(&[], 3600).await;
    let failing = Failing::before(dns.port).await;
    let (a, b) = two_nodes().await;
    let c = serve(&format!("zmq://127.0.0.3:{}", a.port()), "c").await;
    dns.set(&lines(&["127.0.0.1 nodes.test"]));
    let client = client(&format!(
        "zmq+dns://nodes.test:{}?resolver=127.0.0.1:{}",
        a.port(),
        failing.port
    ))
    .await;
    eventually("a is found", async || are(&client, &["a"]).await).await;
    let asked = failing.asked();
    dns.set(&lines(&["127.0.0.2 nodes.test"]));
    for _ in 0..100 {
        are(&client, &["a"]).await.unwrap();
    }
    assert_eq!(failing.asked(), asked);
    let begin = Instant::now();
    a.stop().await;
    eventually("b is found", async || are(&client, &["b"]).await).await;
    let elapsed = begin.elapsed();
    assert!(elapsed < Duration::from_secs(10), "{elapsed:?}");
    // the next answer is believed for a second
    let dns = dns.restart(1).await;
    dns.set(&lines(&["127.0.0.3 nodes.test"]));
    b.stop().await;
    eventually("c is found", async || are(&client, &["c"]).await).await;
    let asked = failing.asked();
    eventually("it is asked again and again", async || {
        (failing.asked() > asked + 4).then_some(())
    })
    .await;
    c.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs dnsmasq: `cargo xtask test` installs it"]
async fn what_is_not_answered_keeps_no_other_answer_back_and_takes_nothing_out() {
    let dns = Dns::start(&[]).await;
    let failing = Failing::before(dns.port).await;
    let a = serve("zmq://127.0.0.1:0", "a").await;
    let port = a.port();
    let b = serve(&format!("zmq://[::1]:{port}"), "b").await;
    dns.set(&lines(&["127.0.0.1 nodes.test", "::1 nodes.test"]));
    let url = format!(
        "zmq+dns://nodes.test:{port}?resolver=127.0.0.1:{}",
        failing.port
    );
    let both = client(&url).await;
    eventually("both are found", async || are(&both, &["a", "b"]).await).await;
    failing.says(Says::NothingOfV6);
    let new = client(&url).await;
    eventually("a is found", async || are(&new, &["a"]).await).await;
    // who knew of b goes on to dial it
    b.stop().await;
    let asked = failing.asked();
    eventually("it was asked again", async || {
        (failing.asked() > asked + 4).then_some(())
    })
    .await;
    eventually("b is missed", async || match names(&both).await {
        Err(FanoutError::Incomplete(incomplete)) => {
            (incomplete.accepted == ["a"] && incomplete.unreached.len() == 1).then_some(())
        }
        _ => None,
    })
    .await;
    let b = serve(&format!("zmq://[::1]:{port}"), "b").await;
    eventually("b is back", async || are(&both, &["a", "b"]).await).await;
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs dnsmasq: `cargo xtask test` installs it"]
async fn that_it_fails_and_that_it_is_back_is_told_once() {
    listen();
    let dns = Dns::start(&[]).await;
    dns.set(&lines(&["127.0.0.1 nodes.test"]));
    let failing = Failing::before(dns.port).await;
    let a = serve("zmq://127.0.0.1:0", "a").await;
    let name = format!("nodes.test:{}", a.port());
    let client = client(&format!(
        "zmq+dns://{name}?resolver=127.0.0.1:{}",
        failing.port
    ))
    .await;
    assert_eq!(client.who(&Context::new()).await.unwrap(), "a");
    let failed = ("rpc.directory.failed", Level::WARN);
    let back = ("rpc.directory.recovered", Level::INFO);
    let events = || names_of(&told(&[&name]));
    let mut expected = Vec::new();
    for _ in 0..2 {
        for says in [Says::Failure, Says::NoName] {
            failing.says(says);
            let asked = failing.asked();
            eventually("it was asked again", async || {
                (failing.asked() > asked + 6).then_some(())
            })
            .await;
        }
        failing.says(Says::Truth);
        expected.extend([failed, back]);
        eventually("it has recovered", async || {
            (events().len() >= expected.len()).then_some(())
        })
        .await;
        assert_eq!(events(), expected);
    }
    a.stop().await;
}
