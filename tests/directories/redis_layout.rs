//! What is kept in Redis: as the document says, and whatever else somebody writes there.

use crate::environment::{Redis, eventually};
use crate::nodes::{absence, are, client, serve};
use rpc_core::{Context, Target};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_record_of_a_node_says_what_it_serves() {
    let Some(redis) = Redis::start().await else {
        return;
    };
    let node = serve(&format!("{}&lease=30000", redis.node_url()), "a").await;
    let members: Vec<(String, u64)> = eventually("it has registered", async || {
        let members: Vec<(String, u64)> = redis
            .ask(&["ZRANGE", "rpc1:topic:/who", "0", "-1", "WITHSCORES"])
            .await;
        (members.len() == 1).then_some(members)
    })
    .await;
    let (instance, until) = &members[0];
    let (seconds, _): (u64, u64) = redis.ask(&["TIME"]).await;
    assert!(
        (1_000 * seconds..1_000 * (seconds + 31)).contains(until),
        "{until}"
    );
    let key = format!("rpc1:node:{instance}");
    let record: String = redis.ask(&["GET", &key]).await;
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    let server = &record["servers"][0];
    assert_eq!(record["v"], 1);
    assert_eq!(record["instance"], instance.as_str());
    assert_eq!(record["address"], node.transport.local_addr().unwrap());
    assert_eq!(
        (&server["exchange"], &server["topic"], &server["server"]),
        (&"".into(), &"who".into(), &"a".into())
    );
    let apis = server["apis"].as_array().unwrap();
    assert!(
        apis.iter()
            .any(|api| api["name"] == "Who" && api["version"] == "1.0"),
        "{record}"
    );
    let left: u64 = redis.ask(&["PTTL", &key]).await;
    assert!((1..=30_000).contains(&left), "{left}");
    let mark: String = redis.ask(&["GET", "rpc1:mark:/who"]).await;
    assert_eq!(mark.len(), 16);
    node.stop().await;
}

/// A thousand clients that ask once a second cost Redis a thousand short commands a second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_nothing_changes_a_poll_is_one_command() {
    let Some(redis) = Redis::start().await else {
        return;
    };
    let node = serve(&redis.node_url(), "a").await;
    let client = client(&redis.url()).await;
    eventually("it is linked", async || are(&client, &["a"]).await).await;
    let calls = async |command: &str| -> u64 {
        let stats: String = redis.ask(&["INFO", "commandstats"]).await;
        let line = stats
            .lines()
            .find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
        line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
    };
    let (topics, marks) = (calls("zrangebyscore").await, calls("getrange").await);
    eventually("it was asked ten times", async || {
        (calls("getrange").await >= marks + 10).then_some(())
    })
    .await;
    assert_eq!(calls("zrangebyscore").await, topics);
    node.stop().await;
}

/// A node that is written by hand is found, so others can write it, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_records_are_skipped() {
    let Some(redis) = Redis::start().await else {
        return;
    };
    let topic = "rpc1:topic:/who";
    let write = async |instance: &str, record: &str| {
        let key = format!("rpc1:node:{instance}");
        let _: () = redis.ask(&["SET", &key, record]).await;
        let _: () = redis.ask(&["ZADD", topic, "9000000000000", instance]).await;
    };
    let id = |digit: char| digit.to_string().repeat(32);
    let record = |instance: &str, address: &str| {
        format!(r#"{{"v":1,"instance":"{instance}","address":"{address}","what":["else"]}}"#)
    };
    write("not an instance", "{}").await;
    write(&id('1'), "").await;
    write(&id('2'), "no JSON \u{1b}[31m").await;
    write(&id('3'), &record(&id('4'), "127.0.0.1:1")).await;
    write(&id('5'), &record(&id('5'), "nowhere")).await;
    write(&id('6'), &record(&id('6'), "host:1").replace(":1,", ":99,")).await;
    write(&id('7'), &"x".repeat(1_000_000)).await;
    let _: () = redis
        .ask(&["SADD", &format!("rpc1:node:{}", id('8')), "x"])
        .await;
    let _: () = redis.ask(&["ZADD", topic, "9000000000000", &id('8')]).await;
    // expired
    let _: () = redis
        .ask(&[
            "SET",
            &format!("rpc1:node:{}", id('9')),
            &record(&id('9'), "127.0.0.1:1"),
        ])
        .await;
    let _: () = redis.ask(&["ZADD", topic, "1", &id('9')]).await;

    let node = serve(
        &redis
            .node_url()
            .replace("zmq+redis", "zmq")
            .replace(&format!("127.0.0.1:{}/0?poll=100&", redis.port), "?"),
        "a",
    )
    .await;
    write(
        &id('a'),
        &record(&id('a'), &format!("127.0.0.1:{}", node.port())),
    )
    .await;
    let client = client(&redis.url()).await;
    // nobody else is known: a fanout to all of them is complete
    assert_eq!(client.who(&Context::new()).await.unwrap(), "a");
    are(&client, &["a"]).await.unwrap();

    // keys of another type are as if they were not there
    let _: () = redis.ask(&["SET", "rpc1:topic:/other", "x"]).await;
    let _: () = redis.ask(&["SADD", "rpc1:mark:/other", "x"]).await;
    let other = client.prepare(|call| call.target(Target::topic("other")));
    let error = absence(&other, 500).await;
    assert!(error.contains("no node is known"), "{error}");
    are(&client, &["a"]).await.unwrap();
    node.stop().await;
}
