//! Calls: values, errors, panics, cancellation, and what a lost link means.

use crate::testing::probe::{ProbeError, Seen};
use crate::testing::world::{World, meet};
use rpc_core::{CallError, Context, ErrorKind, rpc_api};
use std::time::Duration;

pub(super) async fn a_call_returns_the_value(mut world: World) {
    let (_node, client) = world.pair().await;
    let ctx = Context::new();
    assert_eq!(client.echo(&ctx, b"abc").await.unwrap(), b"abc");
    assert_eq!(client.echo(&ctx, b"").await.unwrap(), b"");
}

pub(super) async fn a_megabyte_goes_through(mut world: World) {
    let (_node, client) = world.pair().await;
    let body: Vec<u8> = (0..1_048_576u32).map(|at| at.to_le_bytes()[0]).collect();
    assert!(client.echo(&Context::new(), &body).await.unwrap() == body);
}

pub(super) async fn awaited_calls_run_in_order(mut world: World) {
    let (node, client) = world.pair().await;
    for text in ["a", "b", "c"] {
        client.note(&Context::new(), text).await.unwrap();
        Seen::wait(&node.seen.ran, 1).await;
    }
    assert_eq!(*node.seen.notes.lock().unwrap(), ["a", "b", "c"]);
}

pub(super) async fn the_methods_error_arrives_as_itself(mut world: World) {
    let (node, client) = world.pair().await;
    let error = client.fail(&Context::new(), 7).await.unwrap_err();
    assert_eq!(error.method(), Some(&ProbeError::Code(7)));
    let error = client.find(&Context::new(), "/x").await.unwrap_err();
    assert_eq!(
        error.method(),
        Some(&ProbeError::NotFound { path: "/x".into() })
    );
    assert_eq!(node.server.stats().method_errors, 2);
}

pub(super) async fn many_calls_are_answered_each_with_its_own(mut world: World) {
    let (_node, client) = world.pair().await;
    let calls = (0..500u32).map(|call| {
        let client = client.clone();
        tokio::spawn(async move {
            let body = call.to_le_bytes();
            assert_eq!(client.echo(&Context::new(), &body).await.unwrap(), body);
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
}

pub(super) async fn metadata_travels(mut world: World) {
    let (_node, client) = world.pair().await;
    let ctx = Context::new().with("user", "ada").with("é", "ü");
    assert_eq!(
        client.metadata(&ctx, "user").await.unwrap().as_deref(),
        Some("ada")
    );
    assert_eq!(
        client.metadata(&ctx, "é").await.unwrap().as_deref(),
        Some("ü")
    );
    assert_eq!(client.metadata(&ctx, "other").await.unwrap(), None);
}

pub(super) async fn too_much_metadata_is_refused_before_sending(mut world: World) {
    let (node, client) = world.pair().await;
    let ctx = Context::new().with("k", "v".repeat(20_000));
    let error = client.name(&ctx).await.unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Encode);
    assert_eq!(node.transport.stats().requests_received, 0);
}

pub(super) async fn a_panic_fails_only_its_request(mut world: World) {
    let (node, client) = world.pair().await;
    let ctx = Context::new();
    let error = client
        .panics(&ctx, "on purpose, by a test")
        .await
        .unwrap_err();
    let error = error.rpc().unwrap();
    assert_eq!(error.kind(), ErrorKind::Remote);
    assert!(error.may_have_run());
    assert!(error.message().contains("panic id"), "{error}");
    // what the handler said stays in the server's log
    assert!(!error.to_string().contains("on purpose"), "{error}");
    assert_eq!(client.name(&ctx).await.unwrap(), "node-1");
    assert_eq!(node.server.stats().panicked, 1);
}

pub(super) async fn dropping_a_call_drops_the_handler(mut world: World) {
    let (node, client) = world.pair().await;
    let call = tokio::spawn(client.hold(&Context::new(), 1));
    Seen::wait(&node.seen.held, 1).await;
    call.abort();
    Seen::wait(&node.seen.dropped, 1).await;
    // the place is free again, and the link unharmed
    assert_eq!(client.name(&Context::new()).await.unwrap(), "node-1");
    while node.server.stats().cancelled < 1 {
        tokio::task::yield_now().await;
    }
}

pub(super) async fn a_lost_link_is_peer_lost_and_nothing_is_sent_again(mut world: World) {
    let node = world.serve("node-1").await;
    let other = world.serve("node-2").await;
    let client = world
        .client()
        .await
        .prepare(|call| call.timeout(Duration::from_secs(20)));
    meet(&client, &["node-1", "node-2"]).await;
    // one is held at each server
    let calls = [1, 2].map(|id| tokio::spawn(client.hold(&Context::new(), id)));
    Seen::wait(&node.seen.held, 1).await;
    Seen::wait(&other.seen.held, 1).await;
    node.transport.close(Duration::ZERO).await;
    other.seen.release();
    let [first, second] = calls;
    let (results, mut lost) = ([first.await.unwrap(), second.await.unwrap()], 0);
    for result in results {
        match result {
            Ok(_) => {}
            Err(CallError::Rpc(error)) => {
                assert_eq!(error.kind(), ErrorKind::PeerLost, "{error}");
                assert!(error.may_have_run() && !error.is_retryable());
                lost += 1;
            }
            Err(CallError::Method(never)) => match never {},
        }
    }
    assert_eq!(lost, 1);
    // beside the call by which they met, it ran once at each, and was not sent to the other one when the link was lost
    assert_eq!(node.server.stats().accepted, 2);
    assert_eq!(other.server.stats().accepted, 2);
}

mod other_types {
    use super::{Context, rpc_api};
    use rpc_core::Stream;

    /// The probe, as somebody understands it who is wrong.
    #[rpc_api(version = "2.5", topic = "probe")]
    pub(super) trait Mistaken {
        async fn echo(&self, ctx: &Context, body: u32) -> Vec<u8>;
        async fn fail(&self, ctx: &Context) -> bool;
        async fn note(&self, ctx: &Context, text: &str, more: bool) -> bool;
        async fn name(&self, ctx: &Context) -> u64;
        async fn missing(&self, ctx: &Context);
        #[rpc(multicall, name = "hold")]
        fn hold(&self, ctx: &Context, id: u64) -> impl Stream<Item = u64> + Send;
        async fn count(&self, ctx: &Context, to: u64) -> u64;
    }
}

async fn mistaken(world: &World) -> other_types::MistakenClient {
    other_types::MistakenClient::new(world.client_transport().await)
}

pub(super) async fn wrong_arguments_are_named(mut world: World) {
    let node = world.serve("node-1").await;
    let (client, ctx) = (mistaken(&world).await, Context::new());
    for (error, expected) in [
        (
            client.echo(&ctx, 7).await.unwrap_err(),
            "`body`: this is an integer, expected",
        ),
        (
            client.fail(&ctx).await.unwrap_err(),
            "`code`: it is missing",
        ),
    ] {
        let error = error.rpc().unwrap();
        assert_eq!(error.kind(), ErrorKind::DecodeArguments);
        assert!(error.message().contains(expected), "{error}");
        assert!(!error.may_have_run());
    }
    assert_eq!(node.server.stats().undecodable, 2);
    assert_eq!(world.client().await.name(&ctx).await.unwrap(), "node-1");
}

pub(super) async fn an_unknown_method_is_no_such_method(mut world: World) {
    let _node = world.serve("node-1").await;
    let error = mistaken(&world)
        .await
        .missing(&Context::new())
        .await
        .unwrap_err();
    let error = error.rpc().unwrap();
    assert_eq!(error.kind(), ErrorKind::NoSuchMethod);
    assert!(error.message().contains("`missing`"), "{error}");
}

pub(super) async fn a_kind_mismatch_is_refused(mut world: World) {
    use futures_util::StreamExt;
    let _node = world.serve("node-1").await;
    let (client, ctx) = (mistaken(&world).await, Context::new());
    let error = client.hold(&ctx, 1).next().await.unwrap().unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::NoSuchMethod);
    let error = client.count(&ctx, 1).await.unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::NoSuchMethod);
}

pub(super) async fn a_reply_of_another_type_is_a_decode_error(mut world: World) {
    let _node = world.serve("node-1").await;
    let error = mistaken(&world)
        .await
        .name(&Context::new())
        .await
        .unwrap_err();
    let error = error.rpc().unwrap();
    assert_eq!(error.kind(), ErrorKind::DecodeReply);
    assert!(error.may_have_run());
}

pub(super) async fn closing_a_transport_fails_what_waits(mut world: World) {
    let (node, client) = world.pair().await;
    let call = tokio::spawn(client.hold(&Context::new(), 1));
    Seen::wait(&node.seen.held, 1).await;
    client.rpc().transport().close(Duration::from_secs(1)).await;
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::PeerLost);
    let error = client.name(&Context::new()).await.unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Undeliverable);
}

pub(super) async fn a_call_without_a_topic_is_an_invalid_target(mut world: World) {
    let (_node, client) = world.pair().await;
    let client = client.prepare(|call| call.target(rpc_core::Target::topic("")));
    let error = client.name(&Context::new()).await.unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::InvalidTarget);
}

pub(super) async fn a_lost_link_does_not_cancel_a_call(mut world: World) {
    let (node, client) = world.pair().await;
    let call = tokio::spawn(client.hold(&Context::new(), 1));
    Seen::wait(&node.seen.held, 1).await;
    client.rpc().transport().close(Duration::from_secs(1)).await;
    assert!(call.await.unwrap().is_err());
    // nobody waits for it any more, and it runs to its end
    node.server.stop().await;
    node.seen.release();
    assert_eq!(node.server.wait().await.finished, 1);
    assert_eq!(node.server.stats().cancelled, 0);
}
