//! Two major versions, spoken side by side.

use super::guests::{new, next, refusal};
use crate::testing::world::World;
use rpc_core::{Context, ErrorKind};

pub(super) async fn one_implementation_serves_two_majors(mut world: World) {
    let _server = world.guests("a", next::endpoint()).await;
    let ctx = Context::new();
    let client = world.new_client().await;
    assert_eq!(
        client.start(&ctx, 1).clean(true).await.unwrap(),
        "next 1 Some(true) 10 None"
    );
    client.stop(&ctx).await.unwrap();
    let client = world.next_client().await;
    assert_eq!(
        client
            .start(&ctx, 1, Some(true), 3, None)
            .zone(String::from("z"))
            .await
            .unwrap(),
        r#"next 1 Some(true) 3 Some("z")"#
    );
    // what the newest major does not have is sent in the one before
    client.stop(&ctx).await.unwrap();
    let capped = client.prepare(|call| call.version_cap("3.0"));
    assert_eq!(
        refusal(capped.stop(&ctx).await).1,
        "it was removed in version 3.0, the client's cap is 3.0"
    );
    let older = client.prepare(|call| call.version_cap("2.5"));
    assert_eq!(
        older.start(&ctx, 1, None, 3, None).await.unwrap(),
        "next 1 None 3 None"
    );
    assert_eq!(
        refusal(
            older
                .start(&ctx, 1, None, 3, None)
                .zone(String::from("z"))
                .await
        )
        .1,
        "argument `zone` needs version 3.1, the client's cap is 2.5"
    );
}

pub(super) async fn a_client_steps_down_a_major_when_all_servers_are_older(mut world: World) {
    let _new = world.guests("new", new::endpoint()).await;
    let (client, ctx) = (world.next_client().await, Context::new());
    assert_eq!(
        client.start(&ctx, 7, None, 10, None).await.unwrap(),
        "new 7 None 10 None"
    );
    let named = client.prepare(|call| call.server("new"));
    assert_eq!(
        named.start(&ctx, 8, Some(false), 10, None).await.unwrap(),
        "new 8 Some(false) 10 None"
    );
    let zone = String::from("z");
    assert_eq!(
        refusal(named.start(&ctx, 8, None, 10, None).zone(zone).await),
        (
            ErrorKind::VersionCap,
            "argument `zone` needs version 3.1, the server announced 2.5".into()
        )
    );
    // with one that is newer, the newer major is spoken
    let _next = world.guests("next", next::endpoint()).await;
    let client = world.next_client().await;
    for _ in 0..3 {
        let answer = loop {
            let answer = client.start(&ctx, 7, None, 10, None).await.unwrap();
            if answer.starts_with("next") {
                break answer;
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(answer, "next 7 None 10 None");
    }
}

pub(super) async fn a_fanout_goes_to_each_server_in_a_version_that_it_speaks(mut world: World) {
    mod fan {
        use rpc_core::{Context, rpc_api};

        #[rpc_api(version = "3.1", also = "2.5", topic = "guests")]
        pub(super) trait Guests {
            #[rpc(cast, fanout)]
            async fn forget(&self, ctx: &Context, #[rpc(since = "3.1")] deep: Option<bool>);
        }
    }
    let _old = world.guests("old", new::endpoint()).await;
    let _next = world.guests("next", next::endpoint()).await;
    let client = fan::GuestsClient::new(world.client_transport().await);
    let ctx = Context::new();
    // both are known then
    client.rpc().negotiate().await.unwrap();
    let client = fan::GuestsClient::new(client.rpc().transport().clone());
    let sent = client.forget(&ctx).await.unwrap();
    assert_eq!(sent.accepted, ["next", "old"]);
    match client.forget(&ctx).deep(true).await {
        Err(rpc_core::FanoutError::Incomplete(incomplete)) => {
            let (server, error) = &incomplete.refused[0];
            assert_eq!((&**server, error.kind()), ("old", ErrorKind::VersionCap));
            assert!(error.message().contains("argument `deep`"), "{error}");
        }
        other => panic!("{other:?}"),
    }
}
