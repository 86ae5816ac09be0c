//! Calls without a typed stub.

use crate::testing::probe::{ProbeError, Seen};
use crate::testing::world::{World, meet};
use futures_util::StreamExt;
use rpc_core::{Context, ErrorKind, Never, Target, UntypedClient};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

async fn untyped(world: &World) -> UntypedClient {
    UntypedClient::new(world.client_transport().await, Target::topic("probe")).version("2.5")
}

pub(super) async fn a_method_is_named_at_run_time(mut world: World) {
    let _node = world.serve("node-1").await;
    let client = untyped(&world).await;
    let ctx = Context::new();
    for method in ["name", "newest"] {
        let name = client
            .call::<Result<Value, Never>>(&ctx, method, &json!({}))
            .await;
        assert_eq!(name.unwrap(), "node-1");
    }
    let named = client.prepare(|call| call.server("node-1"));
    assert_eq!(
        named
            .call::<String>(&ctx, "name", &json!({}))
            .await
            .unwrap(),
        "node-1"
    );
}

#[derive(Serialize)]
struct Path<'a> {
    path: &'a str,
}

pub(super) async fn arguments_are_anything_that_is_a_map_by_name(mut world: World) {
    let _node = world.serve("node-1").await;
    let client = untyped(&world).await;
    let ctx = Context::new();
    let not_found = ProbeError::NotFound { path: "x".into() };
    let find = async |error: Result<u64, rpc_core::CallError<ProbeError>>| {
        assert_eq!(error.unwrap_err().method(), Some(&not_found));
    };
    type Found = Result<u64, ProbeError>;
    find(
        client
            .call::<Found>(&ctx, "find", &json!({ "path": "x" }))
            .await,
    )
    .await;
    find(
        client
            .call::<Found>(&ctx, "find", &Path { path: "x" })
            .await,
    )
    .await;
    find(
        client
            .call::<Found>(&ctx, "find", &BTreeMap::from([("path", "x")]))
            .await,
    )
    .await;
    for wrong in [json!(["x"]), json!("x"), json!(null)] {
        let error = client
            .call::<Found>(&ctx, "find", &wrong)
            .await
            .unwrap_err();
        let error = error.rpc().unwrap();
        assert_eq!(error.kind(), ErrorKind::Encode);
        assert!(error.to_string().contains("a map by name"), "{error}");
    }
    let long = "x".repeat(70_000);
    let error = client.cast(&ctx, &long, &json!({})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Encode);
    let error = client
        .cast(&ctx, "note", &BTreeMap::from([(1, "x")]))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Encode);
}

pub(super) async fn an_error_of_the_method_is_of_any_type(mut world: World) {
    let _node = world.serve("node-1").await;
    let client = untyped(&world).await;
    let args = json!({ "code": 7 });
    let ctx = Context::new();
    let error = client
        .call::<Result<Value, Value>>(&ctx, "fail", &args)
        .await
        .unwrap_err();
    assert_eq!(error.method(), Some(&json!({ "Code": 7 })));
    let error = client
        .call::<Result<(), ProbeError>>(&ctx, "fail", &args)
        .await
        .unwrap_err();
    assert_eq!(error.method(), Some(&ProbeError::Code(7)));
}

pub(super) async fn the_version_is_the_one_that_is_chosen(mut world: World) {
    let _node = world.serve("node-1").await;
    let client = untyped(&world).await;
    let ctx = Context::new();
    let kind = async |client: &UntypedClient| {
        let answer = client.call::<String>(&ctx, "name", &json!({})).await;
        answer.map_err(|error| error.rpc().unwrap().kind())
    };
    assert!(kind(&client.version("2.0")).await.is_ok());
    assert!(
        kind(&client.prepare(|call| call.version_cap("2.5")))
            .await
            .is_ok()
    );
    // it is of no other version than that
    assert_eq!(
        kind(&client.version("2.6")).await,
        Err(ErrorKind::UnsupportedVersion)
    );
    let named = client.prepare(|call| call.server("node-1"));
    assert_eq!(
        kind(&named.version("2.6")).await,
        Err(ErrorKind::VersionCap)
    );
    let capped = client.prepare(|call| call.version_cap("2.4"));
    assert_eq!(kind(&capped).await, Err(ErrorKind::VersionCap));
    assert_eq!(
        kind(&capped.version(None)).await,
        Err(ErrorKind::VersionCap)
    );
    // what says none is 1.0
    assert_eq!(
        kind(&client.version(None)).await,
        Err(ErrorKind::UnsupportedVersion)
    );
    assert_eq!(
        kind(&client.namespace("other")).await,
        Err(ErrorKind::UnsupportedVersion)
    );
    assert!(
        kind(&client.namespace("other").namespace(None))
            .await
            .is_ok()
    );
}

pub(super) async fn every_kind_of_message_can_be_untyped(mut world: World) {
    let nodes = [world.serve("a").await, world.serve("b").await];
    let client = untyped(&world).await;
    let ctx = Context::new();
    let text = json!({ "text": "untyped" });
    let fanout = client.fanout(&ctx, "note", &text).await.unwrap();
    assert_eq!(fanout.accepted, ["a", "b"]);
    for node in &nodes {
        Seen::wait(&node.seen.ran, 1).await;
        assert_eq!(*node.seen.notes.lock().unwrap(), ["untyped"]);
    }
    client
        .prepare(|call| call.server("a"))
        .cast(&ctx, "note", &text)
        .await
        .unwrap();
    Seen::wait(&nodes[0].seen.ran, 1).await;
    let items = client.multicall::<Result<Value, Value>>(&ctx, "count", &json!({ "to": 300 }));
    let items: Vec<_> = items.map(|item| item.unwrap().1).collect().await;
    assert!(
        items
            .iter()
            .eq((0..300).map(Value::from).collect::<Vec<_>>().iter())
    );
    let answers = client.gather::<String>(&ctx, "name", &json!({}));
    let answers: BTreeSet<_> = answers
        .map(|(server, name)| (server, name.unwrap()))
        .collect()
        .await;
    let both = [("a", "a"), ("b", "b")];
    assert!(
        answers
            .into_iter()
            .eq(both.map(|(server, name)| (server.into(), name.into())))
    );
}

pub(super) async fn a_client_of_an_api_sends_untyped_to_where_it_sends_anyway(mut world: World) {
    let _nodes = [world.serve("a").await, world.serve("b").await];
    let client = world.client().await;
    meet(&client, &["a", "b"]).await;
    let ctx = Context::new();
    let one = client.prepare(|call| call.server("b"));
    for _ in 0..3 {
        let name = one
            .rpc()
            .untyped()
            .call::<String>(&ctx, "newest", &json!({}))
            .await;
        assert_eq!(name.unwrap(), "b");
    }
    let capped = one
        .prepare(|call| call.version_cap("2.4"))
        .rpc()
        .untyped()
        .version("2.5");
    let error = capped
        .call::<String>(&ctx, "newest", &json!({}))
        .await
        .unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::VersionCap);
}

pub(super) async fn what_the_server_does_not_have_is_refused(mut world: World) {
    let _node = world.serve("node-1").await;
    let client = untyped(&world).await;
    let ctx = Context::new();
    let kind = async |method: &str, args: Value| {
        let answer = client
            .call::<Result<Value, Value>>(&ctx, method, &args)
            .await;
        answer.unwrap_err().rpc().unwrap().kind()
    };
    assert_eq!(kind("nothing", json!({})).await, ErrorKind::NoSuchMethod);
    assert_eq!(kind("", json!({})).await, ErrorKind::NoSuchMethod);
    // it is a multicall
    assert_eq!(
        kind("count", json!({ "to": 1 })).await,
        ErrorKind::NoSuchMethod
    );
    assert_eq!(kind("find", json!({})).await, ErrorKind::DecodeArguments);
    assert_eq!(
        kind("find", json!({ "path": "x", "more": 1 })).await,
        ErrorKind::DecodeArguments
    );
    assert_eq!(
        kind("find", json!({ "path": 1 })).await,
        ErrorKind::DecodeArguments
    );
}
