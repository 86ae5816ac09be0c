//! What was written arrives, however soon the process ends.

use crate::service::{client, serve};
use rpc_core::Context;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_answer_right_before_the_end_arrives() {
    const SIZE: u32 = 6_000_000;
    // a runtime that ends takes its sockets with it, as a process does
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (server, transport) = runtime.spawn(serve("")).await.unwrap();
    let client = client(&transport.local_addr().unwrap(), "").await;
    client.blob(&Context::new(), 1).await.unwrap();
    let calls: Vec<_> = (0..8)
        .map(|_| tokio::spawn(client.blob(&Context::new(), SIZE)))
        .collect();
    let received = async {
        while transport.stats().requests_received < 9 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), received)
        .await
        .unwrap();
    let ending = runtime.spawn(async move {
        server.stop().await;
        server.wait().await;
        transport.close(Duration::from_secs(5)).await;
    });
    ending.await.unwrap();
    runtime.shutdown_background();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().len(), SIZE as usize);
    }
}
