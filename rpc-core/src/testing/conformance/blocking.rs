//! Handlers that block their thread.

use crate::testing::conformance::works::Log;
use crate::testing::world::World;
use futures_util::StreamExt;
use rpc_core::{Context, ErrorKind};
use std::time::Duration;

pub(super) async fn handlers_that_block_keep_nobody_from_running(mut world: World) {
    let works = world.works("node-1").await;
    let client = world.works_client().await;
    // more than the runtime has workers
    let blocked: Vec<_> = (0..8)
        .map(|_| tokio::spawn(client.block(&Context::new())))
        .collect();
    Log::wait(&works.log.began, 8).await;
    assert_eq!(client.name(&Context::new()).await.unwrap(), "node-1");
    works.log.release();
    for call in blocked {
        call.await.unwrap().unwrap();
    }
    assert_eq!(works.server.stats().finished, 9);
}

pub(super) async fn a_panic_on_a_thread_is_caught(mut world: World) {
    let works = world.works("node-1").await;
    let client = world.works_client().await;
    let error = client.panic_on_thread(&Context::new()).await.unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Remote);
    assert_eq!(client.name(&Context::new()).await.unwrap(), "node-1");
    assert_eq!(works.server.stats().panicked, 1);
}

pub(super) async fn a_stream_may_be_made_on_a_thread(mut world: World) {
    let _works = world.works("node-1").await;
    let client = world.works_client().await;
    let items: Vec<_> = client
        .count_on_thread(&Context::new(), 1000)
        .map(|item| item.unwrap().1)
        .collect()
        .await;
    assert!(items.into_iter().eq(0..1000));
}

pub(super) async fn a_handler_on_a_thread_is_dropped_at_its_next_await(mut world: World) {
    let works = world.works("node-1").await;
    let client = world.works_client().await;
    let call = tokio::spawn(client.wait_on_thread(&Context::new()));
    Log::wait(&works.log.began, 1).await;
    call.abort();
    Log::wait(&works.log.dropped, 1).await;
}

pub(super) async fn a_blocked_handler_sees_that_it_was_cancelled(mut world: World) {
    let works = world.works("node-1").await;
    let client = world.works_client().await;
    let call = tokio::spawn(client.block_while_wanted(&Context::new()));
    Log::wait(&works.log.began, 1).await;
    call.abort();
    Log::wait(&works.log.noted, 1).await;
}

pub(super) async fn a_blocked_handler_sees_that_the_server_ends(mut world: World) {
    let works = world.works("node-1").await;
    let client = world.works_client().await;
    let call = tokio::spawn(client.block_while_wanted(&Context::new()));
    Log::wait(&works.log.began, 1).await;
    let stopped = works.server.wait_at_most(Duration::from_millis(20)).await;
    // it came to its end, and so its answer is one
    assert_eq!((stopped.finished, stopped.cut_off), (1, 0));
    call.await.unwrap().unwrap();
}

pub(super) async fn a_thread_that_is_stuck_is_not_waited_for(mut world: World) {
    let works = world.works("node-1").await;
    let client = world.works_client().await;
    let call = tokio::spawn(client.block(&Context::new()));
    Log::wait(&works.log.began, 1).await;
    let stopped = works.server.wait_at_most(Duration::from_millis(20)).await;
    assert_eq!((stopped.finished, stopped.cut_off), (0, 1));
    works.transport.close(Duration::from_secs(1)).await;
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::PeerLost);
    works.log.release();
}

pub(super) async fn the_place_of_a_blocked_handler_is_taken_until_it_ends(mut world: World) {
    let limit = |server: rpc_core::ServerBuilder| server.method_concurrency("block", 1).queue(0);
    let works = world.works_with("node-1", "", None, limit).await;
    let client = world.works_client().await;
    let call = tokio::spawn(client.block(&Context::new()));
    Log::wait(&works.log.began, 1).await;
    call.abort();
    let _ = call.await;
    // nobody waits for it any more, but the thread is still taken
    client.name(&Context::new()).await.unwrap();
    let error = client.block(&Context::new()).await.unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Overloaded);
    works.log.release();
    while client.block(&Context::new()).await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::MemoryNetwork;

    #[test]
    fn a_request_that_waits_too_long_for_a_thread_does_not_run() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut world = World::new(MemoryNetwork::new());
            let works = world.works("node-1").await;
            let client = world.works_client().await;
            let first = tokio::spawn(client.block(&Context::new()));
            Log::wait(&works.log.began, 1).await;
            let impatient = client.prepare(|call| call.timeout(Duration::from_millis(50)));
            let error = impatient.wait_on_thread(&Context::new()).await.unwrap_err();
            assert!(error.rpc().unwrap().is_timeout());
            // what needs no thread runs
            assert_eq!(client.name(&Context::new()).await.unwrap(), "node-1");
            works.log.release();
            first.await.unwrap().unwrap();
            let stats = loop {
                let stats = works.server.stats();
                if stats.cancelled + stats.expired > 0 {
                    break stats;
                }
                tokio::task::yield_now().await;
            };
            assert_eq!(stats.finished, 2);
            assert_eq!(works.log.began.available_permits(), 0);
        });
    }
}
