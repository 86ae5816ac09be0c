//! The life of a server: start, stop, wait.

use crate::testing::probe::{Probe, ProbeClient, ProbeDispatcher, Seen};
use crate::testing::world::{World, start};
use rpc_core::{Context, ErrorKind, Server, StartError, Target, rpc_api};
use std::sync::Arc;
use std::time::Duration;

fn probe(name: &str) -> (ProbeDispatcher<Probe>, Arc<Seen>) {
    let seen = Arc::new(Seen::default());
    (
        ProbeDispatcher::new(Probe::new(name, Arc::clone(&seen))),
        seen,
    )
}

pub(super) async fn stop_refuses_what_is_new_and_runs_what_was_accepted(mut world: World) {
    let (node, client) = world.pair().await;
    let ctx = Context::new();
    let named = client.prepare(|call| call.server("node-1"));
    let running = tokio::spawn(named.hold(&ctx, 3));
    Seen::wait(&node.seen.held, 1).await;
    node.server.stop().await;
    let error = named.name(&ctx).await.unwrap_err();
    let error = error.rpc().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.is_retryable() && !error.may_have_run());
    node.seen.release();
    assert_eq!(running.await.unwrap().unwrap(), 3);
    let stopped = node.server.wait().await;
    assert_eq!(
        (stopped.finished, stopped.cut_off, stopped.not_run),
        (1, 0, 0)
    );
}

pub(super) async fn stop_runs_the_queue(mut world: World) {
    let node = world
        .serve_with("node-1", "", |server| server.concurrency(1))
        .await;
    let client = world.client().await;
    client.hold_cast(&Context::new(), 1).await.unwrap();
    client.note(&Context::new(), "queued").await.unwrap();
    node.server.stop().await;
    node.seen.release();
    assert_eq!(node.server.wait().await.finished, 2);
    assert_eq!(*node.seen.notes.lock().unwrap(), ["queued"]);
}

pub(super) async fn wait_ends_at_its_limit(mut world: World) {
    let node = world
        .serve_with("node-1", "", |server| server.concurrency(1))
        .await;
    let client = world.client().await;
    let running = tokio::spawn(client.hold(&Context::new(), 1));
    Seen::wait(&node.seen.held, 1).await;
    let queued = tokio::spawn(client.hold(&Context::new(), 2));
    while node.server.stats().accepted < 2 {
        tokio::task::yield_now().await;
    }
    let stopped = node.server.wait_at_most(Duration::from_millis(50)).await;
    assert_eq!(
        (stopped.finished, stopped.cut_off, stopped.not_run),
        (0, 1, 1)
    );
    let error = running.await.unwrap().unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::PeerLost);
    let error = queued.await.unwrap().unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Unavailable);
    Seen::wait(&node.seen.dropped, 1).await;
}

pub(super) async fn stop_and_wait_are_idempotent_in_any_order(mut world: World) {
    let (node, client) = world.pair().await;
    client.name(&Context::new()).await.unwrap();
    let waiting = tokio::spawn({
        let server = node.server.clone();
        async move { server.wait().await }
    });
    node.server.stop().await;
    node.server.clone().stop().await;
    let (one, two) = tokio::join!(
        node.server.wait(),
        node.server.wait_at_most(Duration::from_secs(5))
    );
    assert_eq!(one, two);
    assert_eq!(waiting.await.unwrap(), one);
    node.server.stop().await;
}

pub(super) async fn a_server_without_topic_or_name_does_not_start(world: World) {
    let transport = world.node("").await;
    let unnamed = Server::builder(transport.clone())
        .endpoint(probe("x").0)
        .start()
        .await;
    let error = unnamed.unwrap_err();
    assert!(
        matches!(error, StartError::Target(_)) && error.to_string().contains(".server("),
        "{error}"
    );
    let without_topic = Server::builder(transport.clone())
        .target(Target::topic("").server("x"))
        .endpoint(probe("x").0)
        .start()
        .await;
    assert!(matches!(without_topic.unwrap_err(), StartError::Target(_)));
    let empty = Server::builder(transport)
        .target(Target::topic("t").server("x"))
        .start()
        .await;
    assert!(matches!(empty.unwrap_err(), StartError::Endpoints(_)));
}

mod second {
    use super::{Context, rpc_api};

    #[rpc_api(version = "2.0", topic = "probe")]
    pub(super) trait Clash {
        async fn name(&self, ctx: &Context) -> String;
    }

    #[rpc_api(version = "1.3", topic = "probe", namespace = "extra")]
    pub(super) trait Extra {
        async fn name(&self, ctx: &Context) -> String;
    }

    pub(super) struct Second;

    impl Clash for Second {
        async fn name(&self, _: &Context) -> String {
            "clash".into()
        }
    }

    impl Extra for Second {
        async fn name(&self, _: &Context) -> String {
            "extra".into()
        }
    }
}

pub(super) async fn two_endpoints_with_a_common_method_do_not_start(world: World) {
    let transport = world.node("").await;
    let started = start(&transport, "x", probe("x").0)
        .endpoint(second::ClashDispatcher::new(second::Second))
        .start()
        .await;
    let error = started.unwrap_err();
    assert!(
        matches!(error, StartError::Endpoints(_)) && error.to_string().contains("`name`"),
        "{error}"
    );
}

pub(super) async fn several_endpoints_share_a_server(mut world: World) {
    let _node = world
        .serve_with("both", "", |server| {
            server.endpoint(second::ExtraDispatcher::new(second::Second))
        })
        .await;
    let transport = world.client_transport().await;
    let ctx = Context::new();
    assert_eq!(
        second::ExtraClient::new(transport.clone())
            .name(&ctx)
            .await
            .unwrap(),
        "extra"
    );
    assert_eq!(
        ProbeClient::new(transport).name(&ctx).await.unwrap(),
        "both"
    );
}

pub(super) async fn a_taken_name_does_not_start(mut world: World) {
    let node = world.serve("node-1").await;
    let again = start(&node.transport, "node-1", probe("x").0).start().await;
    assert!(matches!(again.unwrap_err(), StartError::Target(_)));
    let other = start(&node.transport, "node-2", probe("node-2").0)
        .start()
        .await
        .unwrap();
    let client = world.client().await.prepare(|call| call.server("node-2"));
    assert_eq!(client.name(&Context::new()).await.unwrap(), "node-2");
    drop(other);
}

pub(super) async fn a_server_that_is_not_up_yet_is_waited_for(mut world: World) {
    let address = world.list_absent();
    let client = world.client().await;
    let call = tokio::spawn(client.name(&Context::new()));
    let fanout = tokio::spawn(
        client
            .prepare(|call| call.server("late"))
            .forget(&Context::new()),
    );
    // the client has looked, and found nobody
    tokio::time::sleep(Duration::from_millis(100)).await;
    let transport = world.appear(&address).await;
    let _server = start(&transport, "late", probe("late").0)
        .start()
        .await
        .unwrap();
    assert_eq!(call.await.unwrap().unwrap(), "late");
    assert_eq!(fanout.await.unwrap().unwrap().accepted, ["late"]);
}

pub(super) async fn a_dropped_server_takes_no_more(mut world: World) {
    let (node, client) = world.pair().await;
    let client = client.prepare(|call| call.timeout(Duration::from_millis(200)));
    client.name(&Context::new()).await.unwrap();
    drop(node.server);
    let error = client.name(&Context::new()).await.unwrap_err();
    let kind = error.rpc().unwrap().kind();
    // refused by the node, or known to be gone before it was sent
    assert!(
        matches!(kind, ErrorKind::Unavailable | ErrorKind::Undeliverable),
        "{kind:?}"
    );
}

pub(super) async fn a_local_client_needs_no_server(_: World) {
    let seen = Arc::new(Seen::default());
    let client = ProbeClient::local(Probe::new("local", Arc::clone(&seen)));
    let ctx = Context::new();
    assert_eq!(client.name(&ctx).await.unwrap(), "local");
    client.note(&ctx, "x").await.unwrap();
    assert_eq!(client.forget(&ctx).await.unwrap().accepted, ["local"]);
    Seen::wait(&seen.ran, 2).await;
    // the call keeps what it needs when the client is gone
    let call = client.echo(&ctx, b"y");
    drop(client);
    assert_eq!(call.await.unwrap(), b"y");
}

pub(super) async fn replies_have_left_when_a_wait_ends(mut world: World) {
    let (node, client) = world.pair().await;
    let calls: Vec<_> = (0..20)
        .map(|id| tokio::spawn(client.hold(&Context::new(), id)))
        .collect();
    Seen::wait(&node.seen.held, 20).await;
    node.server.stop().await;
    node.seen.release();
    assert_eq!(node.server.wait().await.finished, 20);
    drop((node.server, node.transport));
    for (id, call) in (0..).zip(calls) {
        assert_eq!(call.await.unwrap().unwrap(), id);
    }
}

pub(super) async fn a_closed_transport_starts_no_server(mut world: World) {
    let node = world.serve("node-1").await;
    node.transport.close(Duration::from_secs(1)).await;
    let again = start(&node.transport, "node-2", probe("node-2").0)
        .start()
        .await;
    assert!(matches!(again.unwrap_err(), StartError::Listen(_)));
}

pub(super) async fn a_limit_ends_every_wait(mut world: World) {
    let (node, client) = world.pair().await;
    let running = tokio::spawn(client.hold(&Context::new(), 1));
    Seen::wait(&node.seen.held, 1).await;
    let patient = tokio::spawn({
        let server = node.server.clone();
        async move { server.wait().await }
    });
    let stopped = node.server.wait_at_most(Duration::from_millis(50)).await;
    assert_eq!(stopped.cut_off, 1);
    assert_eq!(patient.await.unwrap(), stopped);
    assert!(running.await.unwrap().is_err());
}
