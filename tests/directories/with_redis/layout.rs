//! What is kept in Redis: as the document says, and whatever else somebody writes there.

use crate::environment::{Redis, eventually};
use crate::nodes::{absence, are, client, names, serve};
use rpc_core::{Context, FanoutError, Target};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: `cargo xtask test` installs it"]
async fn the_record_of_a_node_says_what_it_serves() {
    let redis = Redis::start().await;
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
#[ignore = "needs redis-server: `cargo xtask test` installs it"]
async fn while_nothing_changes_a_poll_is_one_command() {
    let redis = Redis::start().await;
    let node = serve(&redis.node_url(), "a").await;
    // a topic that is not marked yet is read at each poll
    eventually("the topic is marked", async || {
        let marks: usize = redis.ask(&["EXISTS", "rpc1:mark:/who"]).await;
        (marks == 1).then_some(())
    })
    .await;
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
#[ignore = "needs redis-server: `cargo xtask test` installs it"]
async fn wrong_records_are_skipped() {
    let redis = Redis::start().await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: `cargo xtask test` installs it"]
async fn a_thousand_records_of_something_else_keep_nobody_waiting() {
    let redis = Redis::start().await;
    // all addresses of the loopback network lead to these: one that says nothing, and one that speaks something else
    let silent = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let other = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let ports = [&silent, &other].map(|listener| listener.local_addr().unwrap().port());
    let serving = tokio::spawn(async move {
        let mut kept = Vec::new();
        loop {
            tokio::select! {
                accepted = silent.accept() => kept.extend(accepted),
                accepted = other.accept() => if let Ok((mut stream, _)) = accepted {
                    let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").await;
                },
            }
        }
    });
    let mut commands = redis::pipe();
    for at in 0..1000_u32 {
        let instance = format!("{:032x}", at + 1);
        let address = format!(
            "127.1.{}.{}:{}",
            at / 250,
            at % 250 + 1,
            ports[at as usize % 2]
        );
        let record = format!(r#"{{"v":1,"instance":"{instance}","address":"{address}"}}"#);
        commands
            .set(format!("rpc1:node:{instance}"), record)
            .ignore()
            .zadd("rpc1:topic:/who", &instance, 9_000_000_000_000_u64)
            .ignore();
    }
    redis.run(&commands).await;
    let node = serve(&redis.node_url().replace("127.0.0.1:0", "127.9.9.9:0"), "a").await;
    let client = client(&redis.url()).await;
    let begin = Instant::now();
    assert_eq!(client.who(&Context::new()).await.unwrap(), "a");
    let elapsed = begin.elapsed();
    assert!(elapsed < Duration::from_secs(15), "{elapsed:?}");
    for _ in 0..100 {
        assert_eq!(client.who(&Context::new()).await.unwrap(), "a");
    }
    match names(&client.prepare(|call| call.timeout(Duration::from_secs(10)))).await {
        Err(FanoutError::Incomplete(incomplete)) => {
            assert_eq!(incomplete.accepted, ["a"]);
            assert_eq!(incomplete.unreached.len(), 1000);
        }
        other => panic!("{other:?}"),
    }
    serving.abort();
    node.stop().await;
}
