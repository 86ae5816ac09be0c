//! Many messages over one server and over several: in order, in turn, and none twice.

use crate::testing::probe::Seen;
use crate::testing::world::{Node, World, meet};
use rpc_core::{Context, ErrorKind, rpc_api};
use std::sync::Mutex;

/// Keeps a text that grows.
#[rpc_api(version = "1.0", topic = "probe")]
trait Growing {
    async fn append(&self, ctx: &Context, text: &str) -> String;
}

#[derive(Default)]
struct Grown(Mutex<String>);

impl Growing for Grown {
    async fn append(&self, _: &Context, text: &str) -> String {
        let mut grown = self.0.lock().unwrap();
        grown.push_str(text);
        grown.clone()
    }
}

pub(super) async fn what_is_sent_to_a_server_runs_there_in_order(mut world: World) {
    let mut servers = Vec::new();
    for name in ["a", "b"] {
        let endpoint = GrowingDispatcher::new(Grown::default());
        servers.push(world.serve_endpoint(name, endpoint).await.unwrap());
    }
    let client = GrowingClient::new(world.client_transport().await);
    let (a, b) = (
        client.prepare(|call| call.server("a")),
        client.prepare(|call| call.server("b")),
    );
    let ctx = Context::new();
    let mut expected = String::new();
    for text in ["one", " two", " three", " four"] {
        expected.push_str(text);
        assert_eq!(a.append(&ctx, text).await.unwrap(), expected);
    }
    assert_eq!(b.append(&ctx, "only").await.unwrap(), "only");
}

pub(super) async fn casts_go_round_in_turn(mut world: World) {
    let nodes = [
        world.serve("a").await,
        world.serve("b").await,
        world.serve("c").await,
    ];
    let client = world.client().await;
    meet(&client, &["a", "b", "c"]).await;
    for _ in 0..21 {
        client.note(&Context::new(), "x").await.unwrap();
    }
    for node in &nodes {
        Seen::wait(&node.seen.ran, 7).await;
        // and the call by which they met
        assert_eq!(node.server.stats().accepted, 8);
    }
}

pub(super) async fn every_cast_runs_once(mut world: World) {
    let (node, client) = world.pair().await;
    let casts: Vec<_> = (100..300)
        .map(|number| tokio::spawn(client.note(&Context::new(), &number.to_string())))
        .collect();
    for cast in casts {
        cast.await.unwrap().unwrap();
    }
    Seen::wait(&node.seen.ran, 200).await;
    // in any order
    let mut ran = node.seen.notes.lock().unwrap().clone();
    ran.sort();
    let sent: Vec<String> = (100..300).map(|number| number.to_string()).collect();
    assert_eq!(ran, sent);
}

pub(super) async fn a_server_that_refuses_is_asked_once(mut world: World) {
    let mut nodes = Vec::new();
    for name in ["a", "b", "c"] {
        nodes.push(
            world
                .serve_with(name, "", |server| server.concurrency(1).queue(0))
                .await,
        );
    }
    let client = world.client().await;
    meet(&client, &["a", "b", "c"]).await;
    for (node, name) in nodes.iter().zip(["a", "b", "c"]) {
        let named = client.prepare(|call| call.server(name));
        // the place of the call by which they met is given back just after its reply
        while named.hold_cast(&Context::new(), 1).await.is_err() {}
        Seen::wait(&node.seen.held, 1).await;
    }
    let refused = |node: &Node| node.server.stats().refused;
    let before: Vec<u64> = nodes.iter().map(refused).collect();
    let error = client.name(&Context::new()).await.unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Overloaded);
    for (node, before) in nodes.iter().zip(before) {
        assert_eq!(refused(node), before + 1);
    }
}
