//! Which server a message goes to: names, turns, versions, exchanges.

use crate::testing::probe::{Probe, ProbeClient, ProbeDispatcher, Seen};
use crate::testing::world::{World, meet, start};
use rpc_core::{Context, ErrorKind, Server, Target, rpc_api, version};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

async fn names(client: &ProbeClient, calls: usize) -> BTreeMap<String, usize> {
    let mut names = BTreeMap::new();
    for _ in 0..calls {
        *names
            .entry(client.name(&Context::new()).await.unwrap())
            .or_default() += 1;
    }
    names
}

pub(super) async fn calls_go_round_in_turn(mut world: World) {
    let _nodes = [
        world.serve("a").await,
        world.serve("b").await,
        world.serve("c").await,
    ];
    let client = world.client().await;
    meet(&client, &["a", "b", "c"]).await;
    let names = names(&client, 9).await;
    assert_eq!(
        names,
        [("a".into(), 3), ("b".into(), 3), ("c".into(), 3)].into()
    );
}

mod older {
    use super::{Context, rpc_api};

    /// What the probe was like before.
    #[rpc_api(version = "2.0", topic = "probe")]
    pub(super) trait Older {
        async fn name(&self, ctx: &Context) -> String;
    }

    pub(super) struct Old;

    impl Older for Old {
        async fn name(&self, _: &Context) -> String {
            "old".into()
        }
    }
}

async fn serve_old(world: &mut World) -> Server {
    world
        .serve_endpoint("old", older::OlderDispatcher::new(older::Old))
        .await
        .unwrap()
}

pub(super) async fn calls_go_round_by_version(mut world: World) {
    let _old = serve_old(&mut world).await;
    let _new = world.serve("new").await;
    let client = world.client().await;
    meet(&client, &["old", "new"]).await;
    assert_eq!(
        names(&client, 4).await,
        [("new".into(), 2), ("old".into(), 2)].into()
    );
    for _ in 0..4 {
        assert_eq!(client.newest(&Context::new()).await.unwrap(), "new");
    }
}

pub(super) async fn calls_go_round_by_life(mut world: World) {
    let nodes = [world.serve("a").await, world.serve("b").await];
    let client = world.client().await;
    meet(&client, &["a", "b"]).await;
    let [a, b] = nodes;
    a.server.stop().await;
    assert_eq!(names(&client, 4).await, [("b".into(), 4)].into());
    // and the other one goes without saying so
    let again = world.serve("c").await;
    let client = world.client().await;
    meet(&client, &["b", "c"]).await;
    b.transport.close(Duration::ZERO).await;
    let mut lost = 0;
    for _ in 0..4 {
        match client.name(&Context::new()).await {
            Ok(name) => assert_eq!(name, "c"),
            // what had been written when the link was lost
            Err(error) => {
                assert_eq!(error.rpc().unwrap().kind(), ErrorKind::PeerLost);
                lost += 1;
            }
        }
    }
    assert!(lost <= 1);
    drop(again);
}

pub(super) async fn no_server_of_the_version_is_unsupported_and_unsent(mut world: World) {
    let old = serve_old(&mut world).await;
    let client = world.client().await;
    let error = client.newest(&Context::new()).await.unwrap_err();
    let error = error.rpc().unwrap();
    assert_eq!(error.kind(), ErrorKind::UnsupportedVersion);
    assert!(
        error.message().contains("2.5") && error.message().contains("Older 2.0"),
        "{error}"
    );
    assert_eq!(old.stats().accepted + old.stats().refused, 0);
}

mod spaced {
    use super::{Context, rpc_api};

    #[rpc_api(version = "2.5", topic = "probe", namespace = "elsewhere")]
    pub(super) trait Spaced {
        async fn name(&self, ctx: &Context) -> String;
    }
}

pub(super) async fn an_unknown_namespace_is_unsupported(mut world: World) {
    let (_node, _) = world.pair().await;
    let client = spaced::SpacedClient::new(world.client_transport().await);
    let error = client.name(&Context::new()).await.unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::UnsupportedVersion);
}

pub(super) async fn a_cap_is_checked_before_sending(mut world: World) {
    let (node, client) = world.pair().await;
    let capped = client.prepare(|call| call.version_cap(version!("2.4")));
    let error = capped.newest(&Context::new()).await.unwrap_err();
    let error = error.rpc().unwrap();
    assert_eq!(error.kind(), ErrorKind::VersionCap);
    let text = error.to_string();
    assert!(
        text.contains("`newest`") && text.contains("2.5") && text.contains("2.4"),
        "{text}"
    );
    assert_eq!(node.transport.stats().requests_received, 0);
    assert_eq!(capped.name(&Context::new()).await.unwrap(), "node-1");
    let raised = capped.prepare(|call| call.version_cap("2.5"));
    assert_eq!(raised.newest(&Context::new()).await.unwrap(), "node-1");
}

pub(super) async fn a_cap_of_another_major_refuses_everything(mut world: World) {
    let (node, client) = world.pair().await;
    for cap in ["1.9", "3.0"] {
        let capped = client.prepare(|call| call.version_cap(cap));
        let error = capped.name(&Context::new()).await.unwrap_err();
        assert_eq!(error.rpc().unwrap().kind(), ErrorKind::VersionCap);
    }
    assert_eq!(node.transport.stats().requests_received, 0);
}

pub(super) async fn a_cap_that_is_no_version_refuses_everything(mut world: World) {
    let (_node, client) = world.pair().await;
    for cap in ["5", "5.a", "5.5.a"] {
        let error = client
            .prepare(|call| call.version_cap(cap))
            .name(&Context::new())
            .await
            .unwrap_err();
        let error = error.rpc().unwrap();
        assert_eq!(error.kind(), ErrorKind::VersionCap);
        assert!(error.message().contains(cap), "{error}");
    }
}

pub(super) async fn what_a_named_server_announced_is_a_cap(mut world: World) {
    let old = serve_old(&mut world).await;
    let _new = world.serve("new").await;
    let client = world.client().await.prepare(|call| call.server("old"));
    let error = client.newest(&Context::new()).await.unwrap_err();
    let error = error.rpc().unwrap();
    assert_eq!(error.kind(), ErrorKind::VersionCap);
    assert!(
        error.message().contains("2.5") && error.message().contains("2.0"),
        "{error}"
    );
    assert_eq!(client.name(&Context::new()).await.unwrap(), "old");
    assert_eq!(old.stats().accepted, 1);
}

pub(super) async fn a_named_server_is_called_by_name(mut world: World) {
    let _nodes = [world.serve("a").await, world.serve("b").await];
    let client = world.client().await.prepare(|call| call.server("b"));
    assert_eq!(names(&client, 5).await, [("b".into(), 5)].into());
}

pub(super) async fn an_unknown_name_is_never_replaced(mut world: World) {
    let (node, client) = world.pair().await;
    let client = client.prepare(|call| call.server("nobody").timeout(Duration::from_millis(100)));
    let error = client.name(&Context::new()).await.unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Undeliverable);
    assert_eq!(node.server.stats().accepted, 0);
}

async fn isolated(world: &mut World, apart: Target) {
    let here = world.serve("node").await;
    let transport = world.node("").await;
    let seen = Arc::new(Seen::default());
    let there = start(
        &transport,
        "node",
        ProbeDispatcher::new(Probe::new("there", Arc::clone(&seen))),
    )
    .target(apart.clone().server("node"))
    .start()
    .await
    .unwrap();
    world.list(&transport);
    let client = world.client().await;
    let other = client.prepare(|call| call.target(apart));
    let ctx = Context::new();
    assert_eq!(names(&client, 4).await, [("node".into(), 4)].into());
    assert_eq!(names(&other, 4).await, [("there".into(), 4)].into());
    assert_eq!(other.forget(&ctx).await.unwrap().accepted, ["node"]);
    Seen::wait(&seen.ran, 1).await;
    assert_eq!(
        (here.server.stats().accepted, there.stats().accepted),
        (4, 5)
    );
}

pub(super) async fn exchanges_are_isolated(mut world: World) {
    isolated(&mut world, Target::topic("probe").exchange("other")).await;
}

pub(super) async fn topics_are_isolated(mut world: World) {
    isolated(&mut world, Target::topic("probe-more")).await;
}
