//! A Redis that is down, restarted, slow, or not for us.

use crate::environment::{Redis, eventually, free_port};
use crate::nodes::{absence, are, client, open, serve, serve_on};
use crate::stalling::Stalling;
use crate::told::{listen, names_of, told};
use rpc_core::{Context, Target};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tracing::Level;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: `cargo xtask test` installs it"]
async fn one_that_is_down_at_start_is_waited_for() {
    let port = free_port();
    let url = format!("zmq+redis://127.0.0.1:{port}?poll=100");
    let node = serve(&format!("{url}&listen=127.0.0.1:0"), "a").await;
    let client = client(&url).await;
    let error = absence(&client, 500).await;
    let expected = format!("directory redis://127.0.0.1:{port}: connection refused");
    assert!(error.contains(&expected), "{error}");

    let waiting = tokio::spawn(async move { client.who(&Context::new()).await });
    let _redis = Redis::start_at(port, None).await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), "a");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: `cargo xtask test` installs it"]
async fn one_that_is_restarted_empty_disturbs_no_call() {
    let redis = Redis::start().await;
    let node = serve(&format!("{}&lease=1000", redis.node_url()), "a").await;
    let client = client(&redis.url()).await;
    assert_eq!(client.who(&Context::new()).await.unwrap(), "a");
    let enough = Arc::new(AtomicBool::new(false));
    let calls = {
        let (client, enough) = (client.clone(), Arc::clone(&enough));
        tokio::spawn(async move {
            let mut count = 0_u64;
            while !enough.load(Relaxed) {
                assert_eq!(client.who(&Context::new()).await.unwrap(), "a");
                count += 1;
            }
            count
        })
    };
    let redis = redis.restart().await;
    eventually("the node has registered again", async || {
        let members: Vec<String> = redis.ask(&["ZRANGE", "rpc1:topic:/who", "0", "-1"]).await;
        (members.len() == 1).then_some(())
    })
    .await;
    // who is new finds it, too
    let new = crate::nodes::client(&redis.url()).await;
    assert_eq!(new.who(&Context::new()).await.unwrap(), "a");
    enough.store(true, Relaxed);
    assert!(calls.await.unwrap() > 0);
    assert_eq!(client.rpc().transport().stats().links_lost, 0);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: `cargo xtask test` installs it"]
async fn an_empty_one_removes_no_node_that_is_linked_and_each_that_is_lost() {
    let redis = Redis::start().await;
    let node = serve(&format!("{}&lease=60000", redis.node_url()), "a").await;
    let client = client(&redis.url()).await;
    assert_eq!(client.who(&Context::new()).await.unwrap(), "a");
    let _: () = redis.ask(&["FLUSHALL"]).await;
    let transport = open(&redis.node_url()).await;
    let b = serve_on(&transport, Target::topic("who"), "b").await;
    // the answer that lists b alone has come
    eventually("b is found", async || are(&client, &["a", "b"]).await).await;
    drop(node);
    eventually("a is not dialled again", async || {
        are(&client, &["b"]).await
    })
    .await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: `cargo xtask test` installs it"]
async fn a_slow_one_stops_nothing_that_works() {
    let redis = Redis::start().await;
    let proxy = Stalling::before(redis.port).await;
    let url = format!("zmq+redis://127.0.0.1:{}?poll=100", proxy.port);
    let transport = open(&format!("{url}&listen=127.0.0.1:0")).await;
    let first = serve_on(&transport, Target::topic("who"), "a").await;
    let client = client(&url).await;
    assert_eq!(client.who(&Context::new()).await.unwrap(), "a");
    proxy.stall(true);
    let other = client.prepare(|call| call.target(Target::topic("other")));
    let error = absence(&other, 3000).await;
    assert!(error.contains("did not answer in time"), "{error}");
    for _ in 0..100 {
        assert_eq!(client.who(&Context::new()).await.unwrap(), "a");
    }
    // a server that stops is not kept by it for long
    let begin = Instant::now();
    let second = serve_on(&transport, Target::topic("other"), "a").await;
    first.stop().await;
    first.wait().await;
    assert!(begin.elapsed() < Duration::from_secs(5));
    proxy.stall(false);
    assert_eq!(other.who(&Context::new()).await.unwrap(), "a");
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: `cargo xtask test` installs it"]
async fn passwords_open_it_and_are_not_shown() {
    let redis = Redis::start_with(Some("s3cret")).await;
    let url = |password: &str| {
        let port = redis.port;
        format!("zmq+redis://:{password}@127.0.0.1:{port}/0?poll=100")
    };
    let node = serve(&format!("{}&listen=127.0.0.1:0", url("s3cret")), "a").await;
    let right = client(&url("s3cret")).await;
    assert_eq!(right.who(&Context::new()).await.unwrap(), "a");
    for wrong in ["wr0ng", ""] {
        let wrong = client(&url(wrong)).await;
        let error = absence(&wrong, 500).await;
        assert!(error.contains("directory redis://127.0.0.1:"), "{error}");
        assert!(error.contains("uthentication"), "{error}");
        assert!(!error.contains("wr0ng"), "{error}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: `cargo xtask test` installs it"]
async fn one_that_hangs_stops_nothing_that_works() {
    let redis = Redis::start().await;
    let a = serve(&format!("{}&lease=1000", redis.node_url()), "a").await;
    let client = client(&redis.url()).await;
    assert_eq!(client.who(&Context::new()).await.unwrap(), "a");
    redis.stop(true);
    let other = client.prepare(|call| call.target(Target::topic("other")));
    let error = absence(&other, 5000).await;
    assert!(error.contains("did not answer in time"), "{error}");
    // by now the lease has ended
    for _ in 0..100 {
        assert_eq!(client.who(&Context::new()).await.unwrap(), "a");
    }
    // nodes start and stop without it
    let begin = Instant::now();
    let b = serve(&redis.node_url(), "b").await;
    b.stop().await;
    let elapsed = begin.elapsed();
    assert!(elapsed < Duration::from_secs(5), "{elapsed:?}");
    let c = serve(&redis.node_url(), "c").await;
    redis.stop(false);
    eventually("c is found", async || are(&client, &["a", "c"]).await).await;
    assert_eq!(client.rpc().transport().stats().links_lost, 0);
    a.stop().await;
    c.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: `cargo xtask test` installs it"]
async fn that_it_fails_and_that_it_is_back_is_told_once() {
    listen();
    let redis = Redis::start().await;
    let (port, url, node_url) = (redis.port, redis.url(), redis.node_url());
    let node = serve(&format!("{node_url}&lease=1000"), "a").await;
    let client = client(&url).await;
    assert_eq!(client.who(&Context::new()).await.unwrap(), "a");
    let name = format!("redis://127.0.0.1:{port}");
    let of_client = || names_of(&told(&[&name, "the directory"]));
    let of_node = || names_of(&told(&[&name, "the node"]));
    assert_eq!((of_client(), of_node()), (vec![], vec![]));

    drop(redis);
    eventually("both have failed", async || {
        (!of_client().is_empty() && !of_node().is_empty()).then_some(())
    })
    .await;
    // it fails again and again, for other reasons as well
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    for _ in 0..8 {
        drop(listener.accept().await.unwrap());
    }
    drop(listener);
    let failed = ("rpc.directory.failed", Level::WARN);
    assert_eq!((of_client(), of_node()), (vec![failed], vec![failed]));

    let _redis = Redis::start_at(port, None).await.unwrap();
    eventually("both have recovered", async || {
        (of_client().len() > 1 && of_node().len() > 1).then_some(())
    })
    .await;
    let back = ("rpc.directory.recovered", Level::INFO);
    are(&client, &["a"]).await.unwrap();
    assert_eq!(
        (of_client(), of_node()),
        (vec![failed, back], vec![failed, back])
    );
    node.stop().await;
}
