//! What clients find out about servers: what all of them speak, that they are there, and what they can do.

use super::guests::{guests, new, next, old, refusal};
use crate::testing::world::World;
use rpc_core::{Context, ErrorKind, RpcError, Target, version};
use std::time::Duration;

pub(super) async fn negotiation_finds_the_lowest_minor(mut world: World) {
    let _old = world.guests("old", old::endpoint()).await;
    let _new = world.guests("new", new::endpoint()).await;
    let (client, ctx) = (world.new_client().await, Context::new());
    let clone = client.clone();
    let found = client.rpc().negotiate().await.unwrap();
    assert_eq!(found.cap, version!("2.2"));
    let text = found.to_string();
    assert!(text.contains("old@") && text.contains("2.2"), "{text}");
    assert!(text.contains("new@") && text.contains("2.5"), "{text}");
    for client in [&client, &clone, &client.prepare(|call| call.server("new"))] {
        assert_eq!(
            refusal(client.stop(&ctx).await).1,
            "it needs version 2.4, the servers were found to speak 2.2"
        );
    }
    let elsewhere = client.prepare(|call| call.target(Target::topic("elsewhere")));
    assert!(elsewhere.rpc().can_send_version("2.4"), "other servers");
}

pub(super) async fn negotiation_asks_again_and_never_raises_a_configured_cap(mut world: World) {
    let old = world.guests("old", old::endpoint()).await;
    let _new = world.guests("new", new::endpoint()).await;
    let client = world.new_client().await;
    assert_eq!(client.rpc().negotiate().await.unwrap().cap, version!("2.2"));
    // the fleet moves: what drains is not asked any more
    old.stop().await;
    let found = loop {
        let found = client.rpc().negotiate().await.unwrap();
        if found.servers.len() == 1 {
            break found;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(found.cap, version!("2.5"));
    let capped = client.prepare(|call| call.version_cap("2.3"));
    assert_eq!(capped.rpc().negotiate().await.unwrap().cap, version!("2.3"));
    assert!(!capped.rpc().can_send_version("2.4"));
}

pub(super) async fn negotiation_fails_when_a_node_is_missing(mut world: World) {
    let _old = world.guests("old", old::endpoint()).await;
    let absent = world.list_absent();
    let client = world.new_client().await;
    let error = client.rpc().negotiate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Undeliverable);
    assert!(error.message().contains(&absent), "{error}");
    assert!(client.rpc().can_send_version("2.5"), "nothing is capped");
    let found = client.rpc().negotiate().allow_unreached().await.unwrap();
    assert_eq!(found.cap, version!("2.2"));
    assert_eq!(found.unreached.len(), 1);
}

pub(super) async fn negotiation_does_not_remember_nobody(mut world: World) {
    let address = world.list_absent();
    let client = world.new_client().await;
    let briefly = client.prepare(|call| call.timeout(Duration::from_millis(200)));
    let error: RpcError = briefly.rpc().negotiate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Undeliverable);
    assert!(client.rpc().can_send_version("2.5"));
    let transport = world.appear(&address).await;
    let _server = rpc_core::Server::builder(transport)
        .target(guests("late"))
        .endpoint(old::endpoint())
        .start()
        .await
        .unwrap();
    let found = loop {
        if let Ok(found) = client.rpc().negotiate().await {
            break found;
        }
    };
    assert_eq!(found.cap, version!("2.2"));
}

pub(super) async fn negotiation_needs_a_common_major(mut world: World) {
    let _new = world.guests("new", new::endpoint()).await;
    let _next = world.guests("next", next::endpoint()).await;
    let client = world.next_client().await;
    let found = client.rpc().negotiate().await.unwrap();
    assert_eq!(found.cap, version!("2.5"), "both speak 2");

    #[rpc_core::rpc_api(version = "4.0", topic = "guests")]
    trait Guests {
        async fn start(&self, ctx: &Context, id: u32) -> String;
    }
    let client = GuestsClient::new(world.client_transport().await);
    let error = client.rpc().negotiate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedVersion);
    let text = error.message();
    assert!(
        text.contains("this client 4.0") && text.contains("3.1 and 2.5"),
        "{text}"
    );
}

pub(super) async fn ping_and_describe(mut world: World) {
    let _server = world.guests("a", new::endpoint()).await;
    let transport = world.node("").await;
    let _quiet = rpc_core::Server::builder(transport.clone())
        .target(guests("quiet"))
        .endpoint(old::endpoint())
        .introspection(false)
        .start()
        .await
        .unwrap();
    world.list(&transport);
    let (client, ctx) = (world.new_client().await, Context::new());
    let one = client.prepare(|call| call.server("a").version_cap("2.0"));
    assert_eq!(one.rpc().ping(&ctx).await.unwrap().server, "a");
    let description = one.rpc().describe(&ctx).await.unwrap();
    assert_eq!(description.topic, "guests");
    let [api] = &description.apis[..] else {
        panic!("{description:?}");
    };
    assert_eq!((&*api.name, &*api.docs), ("Guests", "Starts guests."));
    assert_eq!(api.versions, ["2.5"]);
    let start = &api.methods[0];
    assert_eq!(
        (&*start.name, &*start.kind, &*start.since, &*start.answer),
        ("start", "call", "2.0", "String")
    );
    let clean = &start.args[1];
    assert_eq!(
        (&*clean.name, &*clean.type_name, clean.since.as_deref()),
        ("clean", "Option<bool>", Some("2.3"))
    );
    let quiet = client.prepare(|call| call.server("quiet"));
    let error = quiet.rpc().ping(&ctx).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedVersion);
}
