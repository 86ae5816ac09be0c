//! A topic that can't be read, beside others that can.

use crate::environment::{Redis, eventually};
use crate::nodes::{WhoClient, absence, are, client, serve, serve_on};
use crate::told::{Told, listen, told};
use rpc_core::{Context, Target};
use tracing::Level;

/// Makes a topic longer than an answer may be, by members that are no instances.
async fn swell(redis: &Redis, key: &str) {
    let mut commands = redis::pipe();
    for at in 0..100 {
        let member = format!("{at:0>50000}");
        commands.zadd(key, member, 9_000_000_000_000_u64).ignore();
    }
    redis.run(&commands).await;
}

/// What was logged of a Redis, with this word in it.
fn told_of(redis: &Redis, word: &str) -> Vec<Told> {
    told(&[&format!("redis://127.0.0.1:{}", redis.port), word])
}

fn of_topic(client: &WhoClient, topic: &str) -> WhoClient {
    client.prepare(|call| call.target(Target::topic(topic)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: `cargo xtask test` installs it"]
async fn a_topic_that_is_too_long_harms_only_itself() {
    listen();
    let redis = Redis::start().await;
    let a = serve(&redis.node_url(), "a").await;
    swell(&redis, "rpc1:topic:/too%0Along").await;
    let client = client(&format!("{}&lease=1000", redis.url())).await;
    let long = of_topic(&client, "too\nlong");
    let error = absence(&long, 3000).await;
    assert!(error.contains("longer than 4194304 bytes"), "{error}");

    // others are found, also those that come later
    assert_eq!(client.who(&Context::new()).await.unwrap(), "a");
    let b = serve(&redis.node_url(), "b").await;
    eventually("b is found", async || are(&client, &["a", "b"]).await).await;
    assert_eq!(told_of(&redis, "the directory can't be asked"), []);
    let warnings = told_of(&redis, "rpc1:topic:/too%0Along");
    assert!(
        matches!(&warnings[..], [("rpc.directory.wrong_record", Level::WARN, text)] if text.contains("4194304")),
        "{warnings:?}"
    );

    // one that is mended is read again, though nobody marks it
    let c = serve_on(&b.transport, Target::topic("too\nlong"), "c").await;
    let _: () = redis
        .ask(&[
            "ZREMRANGEBYSCORE",
            "rpc1:topic:/too%0Along",
            "9000000000000",
            "+inf",
        ])
        .await;
    assert_eq!(long.who(&Context::new()).await.unwrap(), "c");
    c.stop().await;
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: `cargo xtask test` installs it"]
async fn a_topic_that_becomes_too_long_keeps_its_nodes() {
    listen();
    let redis = Redis::start().await;
    let a = serve(&redis.node_url(), "a").await;
    let port = a.port();
    let client = client(&format!("{}&lease=1000", redis.url())).await;
    assert_eq!(client.who(&Context::new()).await.unwrap(), "a");
    swell(&redis, "rpc1:topic:/who").await;
    let _: () = redis.ask(&["SET", "rpc1:mark:/who", "changed"]).await;
    eventually("it has been read", async || {
        let warnings = told_of(&redis, "rpc1:topic:/who");
        (!warnings.is_empty()).then_some(())
    })
    .await;
    a.stop().await;
    let a = serve(&format!("zmq://127.0.0.1:{port}"), "a again").await;
    assert_eq!(client.who(&Context::new()).await.unwrap(), "a again");
    a.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: `cargo xtask test` installs it"]
async fn a_topic_that_may_not_be_read_harms_only_itself() {
    listen();
    let redis = Redis::start().await;
    let a = serve(&redis.node_url(), "a").await;
    let rules = "ACL SETUSER default resetkeys ~rpc1:*:/who ~rpc1:node:*";
    let _: () = redis.ask(&rules.split(' ').collect::<Vec<_>>()).await;
    let client = client(&format!("{}&lease=1000", redis.url())).await;
    let secret = of_topic(&client, "secret");
    let error = absence(&secret, 3000).await;
    assert!(error.contains("no permissions"), "{error}");
    assert_eq!(client.who(&Context::new()).await.unwrap(), "a");
    assert_eq!(told_of(&redis, "the directory can't be asked"), []);
    assert_eq!(told_of(&redis, "rpc1:topic:/secret").len(), 1);
    a.stop().await;
}
