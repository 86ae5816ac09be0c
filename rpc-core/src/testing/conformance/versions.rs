//! Clients and servers of different versions.

use super::guests::{new, old, refusal};
use crate::testing::world::World;
use rpc_core::{CallError, Context, ErrorKind, version};

pub(super) async fn an_old_server_serves_what_a_new_client_leaves_out(mut world: World) {
    let _server = world.guests("a", old::endpoint()).await;
    let (client, ctx) = (world.new_client().await, Context::new());
    assert_eq!(client.start(&ctx, 1).await.unwrap(), "old 1");
    let at_default = client.start(&ctx, 2).clean(None).limit(10);
    assert_eq!(at_default.await.unwrap(), "old 2");
}

pub(super) async fn a_new_server_fills_in_defaults(mut world: World) {
    let _server = world.guests("a", new::endpoint()).await;
    let ctx = Context::new();
    let client = old::GuestsClient::new(world.client_transport().await);
    assert_eq!(client.start(&ctx, 1).await.unwrap(), "new 1 None 10 None");
    let client = world.new_client().await;
    assert_eq!(
        client.start(&ctx, 2).clean(true).await.unwrap(),
        "new 2 Some(true) 10 None"
    );
    assert_eq!(
        client.start(&ctx, 3).hint(4).limit(5).await.unwrap(),
        "new 3 None 5 Some(4)"
    );
}

pub(super) async fn an_argument_that_is_set_goes_where_it_is_known(mut world: World) {
    let _old = world.guests("old", old::endpoint()).await;
    let (client, ctx) = (world.new_client().await, Context::new());
    assert_eq!(client.start(&ctx, 0).await.unwrap(), "old 0");
    let (kind, text) = refusal(client.start(&ctx, 1).limit(9).await);
    assert_eq!(kind, ErrorKind::UnsupportedVersion);
    assert_eq!(
        text,
        "argument `limit` needs version 2.4, no server announced more than 2.2; the servers speak Guests 2.2"
    );
    // what is lossy is lost where nobody is new enough
    assert_eq!(client.start(&ctx, 0).hint(1).await.unwrap(), "old 0");

    let _new = world.guests("new", new::endpoint()).await;
    let client = world.new_client().await;
    for id in 0..4 {
        let answer = client.start(&ctx, id).limit(9).await.unwrap();
        assert_eq!(answer, format!("new {id} None 9 None"));
    }
}

pub(super) async fn what_a_named_server_announced_is_a_cap(mut world: World) {
    let _server = world.guests("old", old::endpoint()).await;
    let (client, ctx) = (world.new_client().await, Context::new());
    let named = client.prepare(|call| call.server("old"));
    // lossy arguments are left out
    assert_eq!(named.start(&ctx, 1).hint(3).await.unwrap(), "old 1");
    let (kind, text) = refusal(named.start(&ctx, 1).clean(false).await);
    assert_eq!(kind, ErrorKind::VersionCap);
    assert_eq!(
        text,
        "argument `clean` needs version 2.3, the server announced 2.2"
    );
    let (kind, text) = refusal(named.stop(&ctx).await);
    assert_eq!(kind, ErrorKind::VersionCap);
    assert_eq!(text, "it needs version 2.4, the server announced 2.2");
}

pub(super) async fn a_cap_names_the_argument_that_it_refuses(mut world: World) {
    let _server = world.guests("a", new::endpoint()).await;
    let (client, ctx) = (world.new_client().await, Context::new());
    let capped = client.prepare(|call| call.version_cap("2.3"));
    assert_eq!(
        capped.start(&ctx, 1).clean(true).hint(1).await.unwrap(),
        "new 1 Some(true) 10 None"
    );
    let (kind, text) = refusal(capped.start(&ctx, 1).limit(1).await);
    assert_eq!(kind, ErrorKind::VersionCap);
    assert_eq!(
        text,
        "argument `limit` needs version 2.4, the client's cap is 2.3"
    );
    // without a cap, what is lossy is not lost
    assert_eq!(
        client.start(&ctx, 1).hint(1).await.unwrap(),
        "new 1 None 10 Some(1)"
    );
}

pub(super) async fn a_release_is_a_version_wherever_one_is_configured(mut world: World) {
    let _server = world.guests("a", new::endpoint()).await;
    let (client, ctx) = (world.new_client().await, Context::new());
    let capped = client.prepare(|call| call.version_cap("autumn"));
    assert!(capped.rpc().can_send_version("autumn"));
    assert!(!capped.rpc().can_send_version("spring"));
    assert_eq!(
        refusal(capped.stop(&ctx).await).1,
        "it needs version 2.4, the client's cap is 2.2"
    );
    let misspelt = client.prepare(|call| call.version_cap("sprign"));
    let (kind, text) = refusal(misspelt.start(&ctx, 1).await);
    assert_eq!(kind, ErrorKind::VersionCap);
    assert!(
        text.contains("\"sprign\"") && text.contains("autumn, spring"),
        "{text}"
    );
    assert!(!misspelt.rpc().can_send_version("2.0"));
}

pub(super) async fn a_floor_is_the_lowest_version_sent(mut world: World) {
    let _old = world.guests("old", old::endpoint()).await;
    let _new = world.guests("new", new::endpoint()).await;
    let (client, ctx) = (world.new_client().await, Context::new());
    let newer = client.prepare(|call| call.version("spring"));
    for id in 0..4 {
        let answer = newer.start(&ctx, id).await.unwrap();
        assert_eq!(answer, format!("new {id} None 10 None"));
    }
    let capped = newer.prepare(|call| call.version_cap("2.3"));
    assert_eq!(
        refusal(capped.start(&ctx, 1).await).1,
        "the client asks for at least version 2.4, the client's cap is 2.3"
    );
}

/// Written for clients that may send 2.4, however they know it.
async fn stop_all<V: new::guests_api::Since2_4>(
    client: &new::GuestsClient<V>,
) -> Result<(), CallError<rpc_core::Never>> {
    client.stop(&Context::new()).await
}

pub(super) async fn pins_and_proofs(mut world: World) {
    let _server = world.guests("a", new::endpoint()).await;
    let (client, ctx) = (world.new_client().await, Context::new());
    assert!(client.at_least::<2, 4>().is_none(), "no cap is known");
    let pinned = client.pin::<2, 4>();
    stop_all(&pinned).await.unwrap();
    assert_eq!(
        pinned.start(&ctx, 1).clean(true).await.unwrap(),
        "new 1 Some(true) 10 None"
    );
    // a pin is a cap, which prepare does not raise
    let prepared = pinned.prepare(|call| call.version_cap("2.5"));
    assert!(!prepared.rpc().can_send_version("2.5"));
    assert!(prepared.rpc().can_send_version("2.4"));
    let lower = client.prepare(|call| call.version_cap("2.3")).pin::<2, 4>();
    assert_eq!(
        refusal(stop_all(&lower).await).1,
        "it needs version 2.4, the client's cap is 2.3"
    );

    let negotiated = client.rpc().negotiate().await.unwrap();
    assert_eq!(negotiated.cap, version!("2.5"));
    stop_all(&client.at_least::<2, 4>().unwrap()).await.unwrap();
    assert!(pinned.at_least::<2, 5>().is_none());
}

pub(super) async fn an_argument_set_twice_counts_once(mut world: World) {
    let _server = world.guests("a", new::endpoint()).await;
    let (client, ctx) = (world.new_client().await, Context::new());
    let call = client
        .start(&ctx, 1)
        .limit(3)
        .clean(true)
        .limit(4)
        .clean(None);
    assert_eq!(call.await.unwrap(), "new 1 None 4 None");
}

pub(super) async fn a_call_that_is_changed_after_it_was_sent_fails(mut world: World) {
    let _server = world.guests("a", new::endpoint()).await;
    let (client, ctx) = (world.new_client().await, Context::new());
    // it waits for a server that does not come
    let client = client.prepare(|call| call.server("nobody"));
    let mut call = client.start(&ctx, 1);
    assert!(futures_util::poll!(&mut call).is_pending());
    assert_eq!(refusal(call.limit(2).await).0, ErrorKind::Cancelled);
}

pub(super) async fn a_call_without_a_value_can_be_cast(mut world: World) {
    let (sender, mut stopped) = tokio::sync::mpsc::unbounded_channel();
    let endpoint = new::GuestsDispatcher::new(new::New(sender));
    let _server = world.guests("a", endpoint).await;
    let client = world.new_client().await;
    client.stop(&Context::new()).cast().await.unwrap();
    stopped.recv().await.unwrap();
}
