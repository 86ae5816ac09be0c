//! Processes that do not run any more, and do not end.

use crate::process::{Process, Role};
use crate::{TURN, service};
use futures_util::future::join_all;
use rpc_core::{Context, ErrorKind};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_to_a_node_that_is_stopped_fail_in_time_and_later_ones_find_it_again() {
    let _turn = TURN.lock().await;
    let node = Process::start(Role::Node, "zmq://?listen=127.0.0.1:0&heartbeat=1000").await;
    let client = service::client(node.said(), "heartbeat=1000").await;
    client.blob(&Context::new(), 1).await.unwrap();
    let calls: Vec<_> = (0..20)
        .map(|_| tokio::spawn(client.nap(&Context::new(), "zzz".into())))
        .collect();
    client.blob(&Context::new(), 1).await.unwrap();
    node.freeze().await;
    let since = Instant::now();
    for call in join_all(calls).await {
        let error = call.unwrap().unwrap_err();
        assert_eq!(error.rpc().unwrap().kind(), ErrorKind::PeerLost, "{error}");
    }
    // the limit, and what a busy machine adds
    assert!(since.elapsed() < Duration::from_secs(4), "{since:?}");
    // what is sent meanwhile is not lost: it was not written
    let later = tokio::spawn(client.blob(&Context::new(), 2));
    node.thaw().await;
    assert_eq!(later.await.unwrap().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_are_stopped_are_dropped_and_what_waits_for_them_is_freed() {
    let _turn = TURN.lock().await;
    let url = "zmq://?listen=127.0.0.1:0&heartbeat=1000";
    let (_server, transport) = service::serve(url).await;
    let address = transport.local_addr().unwrap();
    let mut stopped = Vec::new();
    for _ in 0..3 {
        let client = Process::start(Role::Client, &address).await;
        client.freeze().await;
        stopped.push(client);
    }
    let good = service::client(&address, "").await;
    let dropped = async {
        while transport.stats().clients_dropped < 3 {
            good.blob(&Context::new(), 1000).await.unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(6), dropped)
        .await
        .expect("they are noticed");
}
