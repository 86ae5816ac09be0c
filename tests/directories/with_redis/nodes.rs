//! Nodes that come and go.

use crate::environment::{Process, Redis, eventually, free_port};
use crate::nodes::{absence, are, client, names, open, serve, serve_on};
use rpc_core::{Context, Target};
use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: `cargo xtask test` installs it"]
async fn nodes_appear_and_leave_at_once() {
    let redis = Redis::start().await;
    let a = serve(&redis.node_url(), "a").await;
    let client = client(&redis.url()).await;
    assert_eq!(client.who(&Context::new()).await.unwrap(), "a");
    let b = serve(&redis.node_url(), "b").await;
    eventually("b is found", async || are(&client, &["a", "b"]).await).await;

    b.server.stop().await;
    b.server.wait().await;
    // whoever has waited for it knows that it is not found any more
    let members: Vec<String> = redis.ask(&["ZRANGE", "rpc1:topic:/who", "0", "-1"]).await;
    assert_eq!(members.len(), 1, "{members:?}");
    let records: Vec<String> = redis.ask(&["KEYS", "rpc1:node:*"]).await;
    assert_eq!(records, [format!("rpc1:node:{}", members[0])]);
    eventually("b is gone", async || are(&client, &["a"]).await).await;
    a.stop().await;
    let members: Vec<String> = redis.ask(&["ZRANGE", "rpc1:topic:/who", "0", "-1"]).await;
    assert!(members.is_empty(), "{members:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: `cargo xtask test` installs it"]
async fn a_transport_that_is_closed_leaves_with_all_its_servers() {
    let redis = Redis::start().await;
    let node = serve(&redis.node_url(), "a").await;
    let client = client(&redis.url()).await;
    assert_eq!(client.who(&Context::new()).await.unwrap(), "a");
    node.transport.close(Duration::from_secs(5)).await;
    let records: Vec<String> = redis.ask(&["KEYS", "rpc1:node:*"]).await;
    assert!(records.is_empty(), "{records:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: `cargo xtask test` installs it"]
async fn the_servers_of_a_node_leave_one_by_one() {
    let redis = Redis::start().await;
    let transport = open(&redis.node_url()).await;
    let one = serve_on(&transport, Target::topic("one"), "node").await;
    let two = serve_on(&transport, Target::topic("two"), "node").await;
    let count = async |topic: &str| -> usize {
        let members: Vec<String> = redis.ask(&["ZRANGE", topic, "0", "-1"]).await;
        members.len()
    };
    eventually("both are there", async || {
        let both = (
            count("rpc1:topic:/one").await,
            count("rpc1:topic:/two").await,
        );
        (both == (1, 1)).then_some(())
    })
    .await;
    one.stop().await;
    one.wait().await;
    assert_eq!(count("rpc1:topic:/one").await, 0);
    assert_eq!(count("rpc1:topic:/two").await, 1);
    two.stop().await;
    two.wait().await;
    assert_eq!(count("rpc1:topic:/two").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: `cargo xtask test` installs it"]
async fn exchanges_do_not_see_each_other() {
    let redis = Redis::start().await;
    let there = Target::topic("who").exchange("there");
    let (a, b) = (open(&redis.node_url()).await, open(&redis.node_url()).await);
    let _here = serve_on(&a, Target::topic("who"), "here").await;
    let _there = serve_on(&b, there.clone(), "there").await;
    let here = client(&redis.url()).await;
    eventually("the one here", async || are(&here, &["here"]).await).await;
    // a client of one exchange has no link to nodes of the other
    assert_eq!(here.rpc().transport().stats().links_made, 1);
    let there = here.prepare(|call| call.target(there));
    eventually("the one there", async || are(&there, &["there"]).await).await;
    let nowhere = here.prepare(|call| call.target(Target::topic("who").exchange("nowhere")));
    let error = absence(&nowhere, 500).await;
    assert!(error.contains("no node is known"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: `cargo xtask test` installs it"]
async fn a_client_links_to_the_nodes_of_the_topics_that_it_uses() {
    let redis = Redis::start().await;
    let mut nodes = Vec::new();
    for at in 0..200 {
        let transport = open(&redis.node_url()).await;
        let topic = Target::topic(format!("topic-{}", at % 20));
        let server = serve_on(&transport, topic, &format!("node-{at}")).await;
        nodes.push((transport, server));
    }
    eventually("all have registered", async || {
        let records: Vec<String> = redis.ask(&["KEYS", "rpc1:node:*"]).await;
        (records.len() == 200).then_some(())
    })
    .await;
    let client = client(&redis.url()).await;
    let of = |topic: &str| client.prepare(|call| call.target(Target::topic(topic.to_owned())));
    let ten = |topic: usize| -> BTreeSet<String> {
        (0..10)
            .map(|at| format!("node-{}", topic + 20 * at))
            .collect()
    };
    // also the first message of all goes to all of them
    assert_eq!(names(&of("topic-3")).await.unwrap(), ten(3));
    let transport = client.rpc().transport();
    assert_eq!(transport.stats().links_made, 10);
    assert_eq!(names(&of("topic-4")).await.unwrap(), ten(4));
    assert_eq!(transport.stats().links_made, 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: `cargo xtask test` installs it"]
async fn a_node_that_serves_two_topics_does_not_hide_the_others_of_the_second() {
    let redis = Redis::start().await;
    let (a, b) = (open(&redis.node_url()).await, open(&redis.node_url()).await);
    let _one = serve_on(&a, Target::topic("one"), "a").await;
    let _two = serve_on(&a, Target::topic("two"), "a").await;
    let _other = serve_on(&b, Target::topic("two"), "b").await;
    eventually("both have registered", async || {
        let members: Vec<String> = redis.ask(&["ZRANGE", "rpc1:topic:/two", "0", "-1"]).await;
        (members.len() == 2).then_some(())
    })
    .await;
    let client = client(&redis.url()).await;
    let of = |topic: &'static str| client.prepare(|call| call.target(Target::topic(topic)));
    eventually("the first topic", async || are(&of("one"), &["a"]).await).await;
    let both = names(&of("two")).await.unwrap();
    assert_eq!(both, ["a".to_owned(), "b".to_owned()].into());
}

// on one thread: with more, the node might tell Redis that it has no server any more before it is gone
#[tokio::test]
#[ignore = "needs redis-server: `cargo xtask test` installs it"]
async fn a_node_that_is_back_is_dialled_at_once() {
    let redis = Redis::start().await;
    let url = format!(
        "{}&listen=127.0.0.1:{}&lease=60000",
        redis.url(),
        free_port()
    );
    let node = serve(&url, "first").await;
    let client = client(&redis.url()).await;
    assert_eq!(client.who(&Context::new()).await.unwrap(), "first");
    // without a word: its lease does not end
    drop(node);
    let lost = async || (client.rpc().transport().stats().links_lost == 1).then_some(());
    eventually("the link is lost", lost).await;
    let error = absence(&client, 3500).await;
    assert!(
        error.contains("nobody listens") || error.contains("refused"),
        "{error}"
    );
    // by now it is dialled every three seconds or so
    let node = serve(&url, "second").await;
    let begin = Instant::now();
    assert_eq!(client.who(&Context::new()).await.unwrap(), "second");
    let elapsed = begin.elapsed();
    assert!(elapsed < Duration::from_millis(1500), "{elapsed:?}");
    node.stop().await;
}

const NODE_URL: &str = "RPC_TEST_NODE_URL";

/// What [`a_killed_node_is_forgotten_when_its_lease_ends`] kills.
#[tokio::test]
async fn node_process() {
    // in a run of all tests there is none
    let Ok(url) = std::env::var(NODE_URL) else {
        return;
    };
    let node = serve(&url, "killed").await;
    node.server.wait().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: `cargo xtask test` installs it"]
async fn a_killed_node_is_forgotten_when_its_lease_ends() {
    let redis = Redis::start().await;
    let node = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "with_redis::nodes::node_process"])
        .env(NODE_URL, format!("{}&lease=2000", redis.node_url()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut node = Process(node);
    let lasting = serve(&redis.node_url(), "lasting").await;
    let client = client(&format!("{}&lease=2000", redis.url())).await;
    eventually("both are there", async || {
        are(&client, &["killed", "lasting"]).await
    })
    .await;
    node.0.kill().unwrap();
    // what it served before it was killed is not asked for any more, and then nobody asks where it is
    eventually("it is forgotten", async || are(&client, &["lasting"]).await).await;
    lasting.stop().await;
    let error = eventually("nobody is known", async || {
        let error = absence(&client, 200).await;
        error.contains("no node is known").then_some(error)
    })
    .await;
    assert!(error.contains("directory redis://127.0.0.1:"), "{error}");
    assert!(error.contains("; the last one was 127.0.0.1:"), "{error}");
}
