//! Several endpoints behind one server: which of them a message is for.

use crate::testing::world::{World, start};
use rpc_core::{Context, Endpoint, ErrorKind, Server, rpc_api};
use std::sync::{Arc, Mutex};

mod one {
    use super::{Context, rpc_api};

    #[rpc_api(version = "1.5", topic = "probe")]
    pub(super) trait Ladder {
        async fn climb(&self, ctx: &Context) -> String;
    }
}

mod three {
    use super::{Context, rpc_api};

    #[rpc_api(version = "3.0", topic = "probe")]
    pub(super) trait Ladder {
        async fn rest(&self, ctx: &Context);
    }
}

mod three_four {
    use super::{Context, rpc_api};

    #[rpc_api(version = "3.4", topic = "probe")]
    pub(super) trait Ladder {
        async fn rest(&self, ctx: &Context);
        #[rpc(since = "3.2")]
        async fn climb(&self, ctx: &Context) -> String;
    }
}

mod extra {
    use super::{Context, rpc_api};

    /// What `Ladder` 3.4 has, in a namespace.
    #[rpc_api(version = "3.4", topic = "probe", namespace = "extra")]
    pub(super) trait Ladder {
        #[rpc(since = "3.2")]
        async fn climb(&self, ctx: &Context) -> String;
        async fn carry(&self, ctx: &Context, load: u32, to: &str);
    }
}

/// Notes what it runs.
#[derive(Clone, Default)]
struct Rungs(Arc<Mutex<Vec<String>>>);

impl one::Ladder for Rungs {
    async fn climb(&self, _: &Context) -> String {
        "1.5".into()
    }
}

impl three::Ladder for Rungs {
    async fn rest(&self, _: &Context) {}
}

impl three_four::Ladder for Rungs {
    async fn rest(&self, _: &Context) {}
    async fn climb(&self, _: &Context) -> String {
        "3.4".into()
    }
}

impl extra::Ladder for Rungs {
    async fn climb(&self, _: &Context) -> String {
        "extra".into()
    }
    async fn carry(&self, ctx: &Context, load: u32, to: &str) {
        let who = ctx.metadata("who").unwrap_or_default();
        self.0
            .lock()
            .unwrap()
            .push(format!("{who} carries {load} to {to}"));
    }
}

async fn serve(world: &mut World, one: impl Endpoint, other: impl Endpoint) -> Server {
    let transport = world.node("").await;
    let server = start(&transport, "ladder", one)
        .endpoint(other)
        .start()
        .await
        .unwrap();
    world.list(&transport);
    server
}

pub(super) async fn the_endpoint_that_serves_the_version_answers(mut world: World) {
    let _server = serve(
        &mut world,
        one::LadderDispatcher::new(Rungs::default()),
        three_four::LadderDispatcher::new(Rungs::default()),
    )
    .await;
    let (transport, ctx) = (world.client_transport().await, Context::new());
    let newer = three_four::LadderClient::new(transport.clone());
    assert_eq!(newer.climb(&ctx).await.unwrap(), "3.4");
    let older = one::LadderClient::new(transport);
    assert_eq!(older.climb(&ctx).await.unwrap(), "1.5");
}

pub(super) async fn a_version_between_two_endpoints_is_unsupported(mut world: World) {
    let server = serve(
        &mut world,
        one::LadderDispatcher::new(Rungs::default()),
        three::LadderDispatcher::new(Rungs::default()),
    )
    .await;
    let client = three_four::LadderClient::new(world.client_transport().await);
    let error = client.climb(&Context::new()).await.unwrap_err();
    let error = error.rpc().unwrap();
    assert_eq!(error.kind(), ErrorKind::UnsupportedVersion);
    let text = error.message();
    assert!(
        text.contains("3.2") && text.contains("1.5") && text.contains("3.0"),
        "{text}"
    );
    assert_eq!(server.stats().accepted, 0);
}

pub(super) async fn one_endpoint_runs_a_message_with_its_context_and_arguments(mut world: World) {
    let (plain, extra) = (Rungs::default(), Rungs::default());
    let server = serve(
        &mut world,
        three_four::LadderDispatcher::new(plain.clone()),
        extra::LadderDispatcher::new(extra.clone()),
    )
    .await;
    let client = extra::LadderClient::new(world.client_transport().await);
    let ctx = Context::new().with("who", "ada");
    assert_eq!(client.climb(&ctx).await.unwrap(), "extra");
    client.carry(&ctx, 7, "the roof").await.unwrap();
    assert_eq!(*extra.0.lock().unwrap(), ["ada carries 7 to the roof"]);
    assert!(plain.0.lock().unwrap().is_empty());
    assert_eq!(server.stats().accepted, 2);
}
