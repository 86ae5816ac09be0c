//! What a cap and a version let through.

use crate::testing::conformance::places::{places, v1};
use crate::testing::world::World;
use rpc_core::{CallError, Client, Context, ErrorKind, Target, UntypedClient};

fn kind<E>(error: &CallError<E>) -> ErrorKind {
    error.rpc().unwrap().kind()
}

pub(super) async fn what_is_above_the_cap_is_not_sent(mut world: World) {
    let (_servers, transport) = places(&mut world).await;
    let plain = UntypedClient::new(transport, Target::topic("prepared"));
    let none = serde_json::json!({});
    // the cap at first, the one that is prepared, the version, and whether it is sent
    let table = [
        (None, None, None, true),
        (Some("1.1"), None, Some("1.0"), true),
        (Some("1.0"), Some(Some("1.1")), Some("1.0"), true),
        (Some("1.1"), Some(None), None, true),
        (Some("1.0"), Some(None), Some("2.0"), true),
        (Some("1.0"), None, Some("1.1"), false),
        (Some("2.0"), None, Some("1.0"), false),
        (Some("1.0"), None, None, false),
    ];
    for (cap, prepared, version, sent) in table {
        let mut client = plain.prepare(|call| match cap {
            Some(cap) => call.version_cap(cap),
            None => call,
        });
        client = client.prepare(|call| match prepared {
            Some(Some(cap)) => call.version_cap(cap),
            Some(None) => call.version_cap(None),
            None => call,
        });
        if let Some(version) = version {
            client = client.version(version);
        }
        let ctx = Context::new();
        let called = client
            .call::<String>(&ctx, "place", &none)
            .await
            .map_err(|error| kind(&error));
        let cast = client
            .cast(&ctx, "note", &none)
            .await
            .map_err(|error| error.kind());
        if sent {
            assert!(
                called.is_ok() && cast.is_ok(),
                "{cap:?} {prepared:?} {version:?}: {called:?} {cast:?}"
            );
        } else {
            assert_eq!(
                (called, cast),
                (Err(ErrorKind::VersionCap), Err(ErrorKind::VersionCap))
            );
        }
    }
}

pub(super) async fn what_may_be_sent_is_known_before(mut world: World) {
    let (_servers, transport) = places(&mut world).await;
    let client = v1::PlaceClient::new(transport);
    let none = None::<rpc_core::Version>;
    // the cap at first, the one that is prepared, the version that is asked for, and the answer
    let table = [
        (None, None, Some("1.0"), true),
        (Some("1.1"), None, Some("1.0"), true),
        (Some("1.0"), Some(Some("1.1")), Some("1.0"), true),
        (Some("2.0"), Some(None), Some("1.0"), true),
        (Some("2.0"), None, Some("1.0"), false),
        (None, None, Some("1.a"), false),
        (None, None, None, true),
        (Some("1.0"), None, None, false),
        (Some("1.0"), Some(None), None, true),
    ];
    let ask = |client: &Client, version: Option<&str>| match version {
        Some(version) => client.can_send_version(version),
        None => client.can_send_version(none),
    };
    for (cap, prepared, version, may) in table {
        let capped = client.prepare(|call| match cap {
            Some(cap) => call.version_cap(cap),
            None => call,
        });
        let prepared = capped.prepare(|call| match prepared {
            Some(Some(cap)) => call.version_cap(cap),
            Some(None) => call.version_cap(None),
            None => call,
        });
        assert_eq!(ask(prepared.rpc(), version), may, "{cap:?} {version:?}");
    }
}

pub(super) async fn a_version_that_is_none_is_an_error(mut world: World) {
    let (_servers, transport) = places(&mut world).await;
    for version in ["5", "5.a", "5.5.a"] {
        let client = v1::PlaceClient::new(transport.clone());
        let client = client.prepare(|call| call.version(version));
        let error = client.place(&Context::new()).await.unwrap_err();
        assert_eq!(kind(&error), ErrorKind::VersionCap);
        assert!(error.to_string().contains(version), "{error}");
    }
    assert_eq!(transport.stats().requests_sent, 0);
}
