//! How long somebody is looked for who takes a message.

use crate::testing::probe::Seen;
use crate::testing::world::{World, meet, start};
use futures_util::{FutureExt, StreamExt};
use rpc_core::{Context, ErrorKind, FanoutError, RpcError, Transport, rpc_api};
use std::time::{Duration, Instant};

/// Long enough that no test waits for it.
const LONG: Duration = Duration::from_secs(25);

fn undeliverable(error: &RpcError) -> String {
    assert_eq!(error.kind(), ErrorKind::Undeliverable, "{error}");
    error.to_string()
}

pub(super) async fn without_retries_a_message_is_given_up_after_one_round(mut world: World) {
    let _node = world.serve("here").await;
    let _absent = world.list_absent();
    let client = world.client().await;
    let none = client.prepare(|call| call.retry(0).timeout(LONG));
    let ctx = Context::new();
    // somebody is there
    assert_eq!(none.name(&ctx).await.unwrap(), "here");
    // but not this one
    let begin = Instant::now();
    let error = none
        .prepare(|call| call.server("gone"))
        .name(&ctx)
        .await
        .unwrap_err();
    assert!(
        undeliverable(error.rpc().unwrap()).contains("in 1 round"),
        "{error}"
    );
    assert!(begin.elapsed() < LONG / 2);
}

pub(super) async fn retries_are_counted(mut world: World) {
    let _absent = world.list_absent();
    let client = world
        .client()
        .await
        .prepare(|call| call.retry(2).timeout(LONG));
    let error = client.name(&Context::new()).await.unwrap_err();
    assert!(
        undeliverable(error.rpc().unwrap()).contains("in 3 rounds"),
        "{error}"
    );
    let never = client.prepare(|call| call.retry(None).timeout(Duration::from_millis(50)));
    let error = never.name(&Context::new()).await.unwrap_err();
    assert!(
        undeliverable(error.rpc().unwrap()).contains("before the deadline"),
        "{error}"
    );
}

async fn serve_at(world: &World, address: &str) -> (rpc_core::Server, Transport) {
    let transport = world.appear(address).await;
    let probe = crate::testing::probe::Probe::new("late", Seen::default().into());
    let probe = crate::testing::probe::ProbeDispatcher::new(probe);
    let server = start(&transport, "late", probe).start().await.unwrap();
    (server, transport)
}

pub(super) async fn a_server_that_comes_in_time_is_found(mut world: World) {
    let address = world.list_absent();
    let patient = world
        .client()
        .await
        .prepare(|call| call.retry(1000).timeout(LONG));
    let mut call = patient.name(&Context::new());
    assert!((&mut call).now_or_never().is_none());
    let _server = serve_at(&world, &address).await;
    assert_eq!(call.await.unwrap(), "late");
}

pub(super) async fn a_mandatory_message_is_given_up_at_once(mut world: World) {
    let _node = world.serve("here").await;
    let _absent = world.list_absent();
    let client = world.client().await;
    meet(&client, &["here"]).await;
    let gone = client.prepare(|call| call.server("gone").mandatory(true).timeout(LONG));
    let ctx = Context::new();
    let begin = Instant::now();
    // the first may have to wait until the absent node was dialled; then its absence is known
    for _ in 0..50 {
        undeliverable(gone.name(&ctx).await.unwrap_err().rpc().unwrap());
    }
    assert!(begin.elapsed() < LONG / 2);
    // it goes before `retry`
    let many = gone.prepare(|call| call.retry(u32::MAX));
    undeliverable(many.name(&ctx).await.unwrap_err().rpc().unwrap());
    // and what can be delivered is
    assert_eq!(
        many.prepare(|call| call.server(None))
            .name(&ctx)
            .await
            .unwrap(),
        "here"
    );
}

pub(super) async fn by_default_somebody_is_waited_for(mut world: World) {
    let _node = world.serve("here").await;
    let client = world.client().await;
    meet(&client, &["here"]).await;
    let limit = Duration::from_millis(100);
    let gone = client.prepare(|call| call.server("gone").timeout(limit));
    let begin = Instant::now();
    let error = gone.name(&Context::new()).await.unwrap_err();
    undeliverable(error.rpc().unwrap());
    assert!(begin.elapsed() >= limit);
    // what was prepared is taken back
    let back = gone
        .prepare(|call| call.retry(0))
        .prepare(|call| call.retry(None).mandatory(None));
    let begin = Instant::now();
    undeliverable(back.name(&Context::new()).await.unwrap_err().rpc().unwrap());
    assert!(begin.elapsed() >= limit);
}

mod load {
    use super::{Context, rpc_api};

    #[rpc_api(version = "2.5", topic = "probe")]
    pub(super) trait Load {
        #[rpc(gather)]
        async fn load(&self, ctx: &Context) -> u64;
    }
}

pub(super) async fn every_kind_of_message_is_given_up(mut world: World) {
    let _absent = world.list_absent();
    let transport = world.client_transport().await;
    let ctx = Context::new();
    for server in [None, Some("gone")] {
        let client = crate::testing::probe::ProbeClient::new(transport.clone());
        let client = client.prepare(|call| call.mandatory(true).timeout(LONG).server(server));
        undeliverable(client.name(&ctx).await.unwrap_err().rpc().unwrap());
        undeliverable(&client.note(&ctx, "x").await.unwrap_err());
        let item = client.count(&ctx, 3).next().await.unwrap();
        undeliverable(item.unwrap_err().rpc().unwrap());
        match client.forget(&ctx).await.unwrap_err() {
            FanoutError::Rpc(error) => drop(undeliverable(&error)),
            incomplete @ FanoutError::Incomplete(_) => panic!("{incomplete}"),
        }
        let client = load::LoadClient::new(transport.clone());
        let client = client.prepare(|call| call.mandatory(true).timeout(LONG).server(server));
        let mut answers = client.load(&ctx);
        let (_, answer) = answers.next().await.unwrap();
        undeliverable(answer.unwrap_err().rpc().unwrap());
        assert!(answers.next().await.is_none());
    }
}

pub(super) async fn a_client_knows_when_it_is_ready(mut world: World) {
    let address = world.list_absent();
    let client = world.client().await;
    let error = client
        .rpc()
        .ready(Duration::from_millis(50))
        .await
        .unwrap_err();
    undeliverable(&error);
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.rpc().ready(LONG).await }
    });
    let _server = serve_at(&world, &address).await;
    waiting.await.unwrap().unwrap();
    let named = |name| client.prepare(|call| call.server(name));
    named("late").rpc().ready(LONG).await.unwrap();
    undeliverable(
        &named("other")
            .rpc()
            .ready(Duration::ZERO)
            .await
            .unwrap_err(),
    );
    assert_eq!(client.rpc().transport().stats().requests_sent, 0);
}

mod newer {
    use super::{Context, rpc_api};

    /// What the probe is going to be.
    #[rpc_api(version = "3.1", also = "2.7", topic = "probe")]
    pub(super) trait Probing {
        async fn name(&self, ctx: &Context) -> String;
    }
}

pub(super) async fn a_server_that_is_too_old_is_not_ready(mut world: World) {
    let _node = world.serve("here").await;
    let newer = newer::ProbingClient::new(world.client_transport().await);
    let short = Duration::from_millis(50);
    // to wait for the link
    newer
        .prepare(|call| call.version_cap("2.5"))
        .rpc()
        .ready(LONG)
        .await
        .unwrap();
    let error = newer.rpc().ready(short).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedVersion);
    assert!(
        error
            .to_string()
            .contains("3.1 or 2.7; the servers speak Probing 2.5"),
        "{error}"
    );
    let error = newer
        .prepare(|call| call.version_cap("2.6"))
        .rpc()
        .ready(short)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedVersion, "{error}");
    let error = newer
        .prepare(|call| call.version_cap("4.0"))
        .rpc()
        .ready(LONG)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::VersionCap, "{error}");
    let other = newer.prepare(|call| call.namespace("other"));
    let error = other.rpc().ready(short).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedVersion, "{error}");
}
