//! What `prepare` sets, and takes back.

use crate::testing::conformance::places::{n1, places};
use crate::testing::conformance::timed::{Clock, TimeClient, TimeDispatcher};
use crate::testing::world::World;
use futures_util::StreamExt;
use rpc_core::{CallError, Context, ErrorKind, Target, UntypedClient, rpc_api, version};
use std::collections::BTreeSet;
use std::time::Duration;

/// Where a call arrives: a server each, as long as they take turns; or why nowhere.
async fn arrives(client: &UntypedClient) -> BTreeSet<String> {
    let mut places = BTreeSet::new();
    for _ in 0..2 {
        let none = serde_json::json!({});
        let place = client.call::<String>(&Context::new(), "place", &none).await;
        places.insert(place.unwrap_or_else(|error| error.rpc().unwrap().kind().name().to_owned()));
    }
    places
}

/// One option: what sets it, and where a call arrives that has none, or the first or second value.
struct Named {
    set: fn(&UntypedClient, Option<usize>) -> UntypedClient,
    none: &'static [&'static str],
    values: [&'static str; 2],
}

pub(super) async fn an_option_overrides_what_was_set_and_none_takes_it_back(mut world: World) {
    let (_servers, transport) = places(&mut world).await;
    let both = &["prepared/s1 v1", "prepared/s2 v1"];
    let options = [
        Named {
            set: |client, value| {
                let value = value.map(|value| ["e1", "e2"][value]);
                client.prepare(|call| call.exchange(value))
            },
            none: both,
            values: ["e1:prepared/s1 v1", "e2:prepared/s1 v1"],
        },
        Named {
            set: |client, value| {
                let value = value.map(|value| ["t1", "t2"][value]);
                client.prepare(|call| call.topic(value))
            },
            none: &["InvalidTarget"],
            values: ["t1/s1 v1", "t2/s1 v1"],
        },
        Named {
            set: |client, value| {
                let value = value.map(|value| ["n1", "n2"][value]);
                client.prepare(|call| call.namespace(value))
            },
            none: both,
            values: ["n1", "n2"],
        },
        Named {
            set: |client, value| {
                let value = value.map(|value| [version!("2.0"), version!("3.0")][value]);
                client.prepare(|call| call.version(value))
            },
            none: both,
            values: ["v2", "v3"],
        },
        Named {
            set: |client, value| {
                let value = value.map(|value| ["s1", "s2"][value]);
                client.prepare(|call| call.server(value))
            },
            none: both,
            values: ["prepared/s1 v1", "prepared/s2 v1"],
        },
        Named {
            set: |client, value| {
                let value = value.map(|value| [true, false][value]);
                client.prepare(|call| call.fanout(value))
            },
            none: both,
            values: ["InvalidTarget", "v1"],
        },
    ];
    let mut scenarios = 0;
    for (index, Named { set, none, values }) in options.iter().enumerate() {
        // what a client without a topic cannot do is what the second option is about
        let target = match index {
            1 => Target::new(),
            _ => Target::topic("prepared"),
        };
        let plain = UntypedClient::new(transport.clone(), target);
        // what was set at first; and what is said then: nothing, `None` or another value
        for first in [None, Some(0)] {
            for then in [None, Some(None), Some(Some(1))] {
                for twice in [false, true] {
                    let mut client = set(&plain, first);
                    for _ in 0..=usize::from(twice) {
                        client = match then {
                            None => client.prepare(|call| call),
                            Some(value) => set(&client, value),
                        };
                    }
                    let places = arrives(&client).await;
                    match then.unwrap_or(first) {
                        Some(value) => assert!(
                            places.iter().all(|place| place.ends_with(values[value])),
                            "{places:?}"
                        ),
                        None => assert!(
                            places.iter().eq(none.iter()),
                            "{index}: {places:?} instead of {none:?}"
                        ),
                    }
                    scenarios += 1;
                }
            }
        }
    }
    assert_eq!(scenarios, 72);
}

pub(super) async fn an_api_says_what_is_not_set(mut world: World) {
    let (_servers, transport) = places(&mut world).await;
    let client = n1::PlaceClient::new(transport);
    let ctx = Context::new();
    let there = client.prepare(|call| {
        let call = call.topic("t1").exchange("").server("s1");
        call.namespace("n2")
            .timeout(Duration::from_secs(9))
            .version("1.0")
            .version_cap("1.0")
            .retry(2)
            .mandatory(false)
    });
    assert_eq!(there.place(&ctx).await.unwrap(), "t1/s1 n2");
    let back = there.prepare(|call| {
        let call = call.topic(None).exchange(None).server(None).fanout(None);
        call.namespace(None)
            .timeout(None)
            .version(None)
            .version_cap(None)
            .retry(None)
            .mandatory(None)
    });
    let place = back.place(&ctx).await.unwrap();
    assert!(
        place.starts_with("prepared/s") && place.ends_with(" n1"),
        "{place}"
    );
}

pub(super) async fn timeouts_go_prepare_method_default(mut world: World) {
    let _server = world
        .serve_endpoint("a", TimeDispatcher::new(Clock::default()))
        .await
        .unwrap();
    let client = TimeClient::new(world.client_transport().await);
    let ctx = Context::new();
    let about = |left: Option<Duration>, all: f64| {
        let left = left.unwrap().as_secs_f64();
        assert!(all - 1.0 < left && left <= all, "{left} of {all}");
    };
    about(client.left(&ctx).await.unwrap(), 60.0);
    about(client.left_of_ten(&ctx).await.unwrap(), 10.0);
    let prepared = client.prepare(|call| call.timeout(Duration::from_millis(4500)));
    about(prepared.left(&ctx).await.unwrap(), 4.5);
    about(prepared.left_of_ten(&ctx).await.unwrap(), 4.5);
    let longer = prepared.prepare(|call| call.timeout(Duration::from_secs(30)));
    about(longer.left_of_ten(&ctx).await.unwrap(), 30.0);
    let back = longer.prepare(|call| call.timeout(None));
    about(back.left(&ctx).await.unwrap(), 60.0);
    about(back.left_of_ten(&ctx).await.unwrap(), 10.0);
}

pub(super) async fn a_timeout_of_zero_is_zero(mut world: World) {
    let (_node, client) = world.pair().await;
    let client = client.prepare(|call| call.timeout(Duration::ZERO));
    let before = client.rpc().transport().stats().requests_sent;
    let error = client.name(&Context::new()).await.unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Undeliverable);
    assert_eq!(client.rpc().transport().stats().requests_sent, before);
}

fn kind<E>(error: &CallError<E>) -> ErrorKind {
    error.rpc().unwrap().kind()
}

pub(super) async fn a_call_or_multicall_of_a_fanout_is_an_invalid_target(mut world: World) {
    let (_node, client) = world.pair().await;
    let ctx = Context::new();
    let client = client.prepare(|call| call.fanout(true));
    let one = client.prepare(|call| call.server("node-1"));
    for client in [&client, &one] {
        assert_eq!(
            kind(&client.name(&ctx).await.unwrap_err()),
            ErrorKind::InvalidTarget
        );
        let item = client.count(&ctx, 3).next().await.unwrap();
        assert_eq!(kind(&item.unwrap_err()), ErrorKind::InvalidTarget);
    }
    assert_eq!(client.rpc().transport().stats().requests_sent, 0);
    // what is not for the API itself is not meant
    assert_eq!(client.rpc().ping(&ctx).await.unwrap().server, "node-1");
}

mod renamed {
    use super::{Context, rpc_api};

    /// What `n1` is going to be.
    #[rpc_api(version = "1.4", topic = "prepared")]
    pub(super) trait Place {
        async fn place(&self, ctx: &Context, #[rpc(since = "1.4")] detail: Option<bool>) -> String;
    }
}

pub(super) async fn another_namespace_is_looked_up_as_it_is_announced(mut world: World) {
    let (_servers, transport) = places(&mut world).await;
    let client =
        renamed::PlaceClient::new(transport).prepare(|call| call.namespace("n1").server("s1"));
    let ctx = Context::new();
    assert_eq!(client.place(&ctx).await.unwrap(), "prepared/s1 n1");
    // there, 1.0 is announced
    let error = client.place(&ctx).detail(true).await.unwrap_err();
    assert_eq!(kind(&error), ErrorKind::VersionCap);
    let nowhere = client.prepare(|call| call.namespace("n3"));
    let error = nowhere.place(&ctx).await.unwrap_err();
    assert_eq!(kind(&error), ErrorKind::UnsupportedVersion, "{error}");
}

pub(super) async fn what_was_negotiated_holds_for_one_namespace(mut world: World) {
    let (_servers, transport) = places(&mut world).await;
    let client = renamed::PlaceClient::new(transport);
    let there = client.prepare(|call| call.namespace("n1"));
    let found = there.rpc().negotiate().await.unwrap();
    assert_eq!(found.cap, version!("1.0"));
    assert!(!there.rpc().can_send_version("1.4"));
    assert!(client.rpc().can_send_version("1.4"));
    assert!(
        there
            .prepare(|call| call.namespace(None))
            .rpc()
            .can_send_version("1.4")
    );
}
