//! What comes back: values of every kind, each at whoever waits for it.

use crate::testing::world::World;
use futures_util::FutureExt;
use rpc_core::{Context, rpc_api};
use std::collections::BTreeMap;
use tokio::sync::watch;

/// Gives back what it gets.
#[rpc_api(version = "1.0", topic = "probe")]
trait Mirror {
    async fn nothing(&self, ctx: &Context);
    async fn option(&self, ctx: &Context, value: Option<u64>) -> Option<u64>;
    async fn number(&self, ctx: &Context, value: i64) -> i64;
    async fn float(&self, ctx: &Context, value: f64) -> f64;
    async fn flag(&self, ctx: &Context, value: bool) -> bool;
    async fn text(&self, ctx: &Context, value: &str) -> String;
    async fn list(&self, ctx: &Context, value: Vec<u64>) -> Vec<u64>;
    async fn map(&self, ctx: &Context, value: BTreeMap<String, u64>) -> BTreeMap<String, u64>;

    /// Waits until it is its turn; the highest is first.
    async fn turn(&self, ctx: &Context, place: u64) -> u64;
}

struct Glass(watch::Sender<u64>);

/// Whose turn it is first.
const LAST: u64 = 9;

impl Mirror for Glass {
    async fn nothing(&self, _: &Context) {}
    async fn option(&self, _: &Context, value: Option<u64>) -> Option<u64> {
        value
    }
    async fn number(&self, _: &Context, value: i64) -> i64 {
        value
    }
    async fn float(&self, _: &Context, value: f64) -> f64 {
        value
    }
    async fn flag(&self, _: &Context, value: bool) -> bool {
        value
    }
    async fn text(&self, _: &Context, value: &str) -> String {
        value.into()
    }
    async fn list(&self, _: &Context, value: Vec<u64>) -> Vec<u64> {
        value
    }
    async fn map(&self, _: &Context, value: BTreeMap<String, u64>) -> BTreeMap<String, u64> {
        value
    }

    async fn turn(&self, _: &Context, place: u64) -> u64 {
        let mut turns = self.0.subscribe();
        turns.wait_for(|turn| *turn == place).await.unwrap();
        self.0.send_modify(|turn| *turn = turn.wrapping_sub(1));
        place
    }
}

async fn mirror(world: &mut World) -> (rpc_core::Server, MirrorClient) {
    let endpoint = MirrorDispatcher::new(Glass(watch::Sender::new(LAST)));
    let server = world.serve_endpoint("mirror", endpoint).await.unwrap();
    (server, MirrorClient::new(world.client_transport().await))
}

pub(super) async fn a_value_arrives_as_it_is(mut world: World) {
    let (_server, client) = mirror(&mut world).await;
    let ctx = Context::new();
    client.nothing(&ctx).await.unwrap();
    for value in [None, Some(0), Some(u64::MAX)] {
        assert_eq!(client.option(&ctx, value).await.unwrap(), value);
    }
    for value in [0, -1, i64::MIN, i64::MAX] {
        assert_eq!(client.number(&ctx, value).await.unwrap(), value);
    }
    for value in [0.0, 21.1, f64::INFINITY] {
        assert_eq!(
            client.float(&ctx, value).await.unwrap().to_bits(),
            value.to_bits()
        );
    }
    for value in [false, true] {
        assert_eq!(client.flag(&ctx, value).await.unwrap(), value);
    }
    for value in ["", "é\n\u{0}", "0"] {
        assert_eq!(client.text(&ctx, value).await.unwrap(), value);
    }
    for value in [vec![], vec![0, 1]] {
        assert_eq!(client.list(&ctx, value.clone()).await.unwrap(), value);
    }
    for value in [BTreeMap::new(), BTreeMap::from([("".into(), 0)])] {
        assert_eq!(client.map(&ctx, value.clone()).await.unwrap(), value);
    }
}

pub(super) async fn replies_in_any_order_find_their_callers(mut world: World) {
    let (_server, client) = mirror(&mut world).await;
    let calls: Vec<_> = (0..=LAST)
        .map(|place| tokio::spawn(client.turn(&Context::new(), place)))
        .collect();
    for (place, call) in (0..).zip(calls) {
        assert_eq!(call.await.unwrap().unwrap(), place);
    }
}

pub(super) async fn a_reply_that_comes_before_it_is_waited_for_is_kept(mut world: World) {
    let (_server, client) = mirror(&mut world).await;
    let ctx = Context::new();
    client.nothing(&ctx).await.unwrap();
    let transport = client.rpc().transport();
    let before = transport.stats().frames_received;
    let mut call = client.number(&ctx, 7);
    // it is sent, and then nobody looks after it
    let early = (&mut call).now_or_never();
    while transport.stats().frames_received == before {
        tokio::task::yield_now().await;
    }
    let answer = match early {
        // another thread was that quick
        Some(answer) => answer,
        None => call.await,
    };
    assert_eq!(answer.unwrap(), 7);
}
