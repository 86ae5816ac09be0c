//! What `prepare` sets, and takes back.

use crate::probe::Seen;
use crate::rules;
use crate::world::World;
use futures_util::StreamExt;
use rpc_core::{
    CallError, Client, Context, ErrorKind, Server, Stream, Target, Transport, UntypedClient,
    rpc_api, version,
};
use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

rules! {
    an_option_overrides_what_was_set_and_none_takes_it_back,
    an_api_says_what_is_not_set,
    timeouts_go_prepare_method_default,
    a_timeout_of_zero_is_zero,
    a_call_or_multicall_of_a_fanout_is_an_invalid_target,
    what_is_above_the_cap_is_not_sent,
    what_may_be_sent_is_known_before,
    a_version_that_is_none_is_an_error,
    another_namespace_is_looked_up_as_it_is_announced,
    what_was_negotiated_holds_for_one_namespace,
    a_cast_goes_to_all_when_it_is_prepared_to,
    a_prepared_fanout_that_some_refuse_says_that_it_may_have_run,
    a_cast_can_be_a_fanout,
}

/// APIs that say where a message arrived: a namespace, and a major version.
macro_rules! places {
    ($($module:ident $version:literal $(, namespace = $namespace:literal)?;)*) => {$(
        mod $module {
            use rpc_core::{Context, rpc_api};

            #[rpc_api(version = $version, topic = "prepared" $(, namespace = $namespace)?)]
            pub(super) trait Place {
                async fn place(&self, ctx: &Context) -> String;
                #[rpc(cast)]
                async fn note(&self, ctx: &Context);
            }

            pub(super) struct Here(pub(super) String);

            impl Place for Here {
                async fn place(&self, _: &Context) -> String {
                    format!("{} {}", self.0, stringify!($module))
                }

                async fn note(&self, _: &Context) {}
            }
        }
    )*};
}

places! {
    v1 "1.0";
    v2 "2.0";
    v3 "3.0";
    n1 "1.0", namespace = "n1";
    n2 "1.0", namespace = "n2";
}

async fn serve(transport: &Transport, target: Target) -> Server {
    let here = target.to_string();
    Server::builder(transport.clone())
        .target(target)
        .endpoint(v1::PlaceDispatcher::new(v1::Here(here.clone())))
        .endpoint(v2::PlaceDispatcher::new(v2::Here(here.clone())))
        .endpoint(v3::PlaceDispatcher::new(v3::Here(here.clone())))
        .endpoint(n1::PlaceDispatcher::new(n1::Here(here.clone())))
        .endpoint(n2::PlaceDispatcher::new(n2::Here(here)))
        .start()
        .await
        .unwrap()
}

/// Servers of two exchanges besides the unnamed one, of three topics, with two names.
async fn places(world: &mut World) -> (Vec<Server>, Transport) {
    let node = world.node("").await;
    let prepared = || Target::topic("prepared");
    let targets = [
        prepared().server("s1"),
        prepared().server("s2"),
        prepared().exchange("e1").server("s1"),
        prepared().exchange("e2").server("s1"),
        Target::topic("t1").server("s1"),
        Target::topic("t2").server("s1"),
    ];
    let mut servers = Vec::new();
    for target in targets {
        servers.push(serve(&node, target).await);
    }
    world.list(&node);
    // kept by the servers
    (servers, world.client_transport().await)
}

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

async fn an_option_overrides_what_was_set_and_none_takes_it_back(mut world: World) {
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

async fn an_api_says_what_is_not_set(mut world: World) {
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

mod time {
    use super::{AtomicU64, Context, Seen, SeqCst, Stream, rpc_api};
    use std::sync::Arc;
    use std::time::Duration;

    #[rpc_api(version = "2.5", topic = "probe")]
    pub(super) trait Time {
        async fn left(&self, ctx: &Context) -> Option<Duration>;

        #[rpc(timeout = "10s")]
        async fn left_of_ten(&self, ctx: &Context) -> Option<Duration>;

        #[rpc(multicall)]
        fn items(&self, ctx: &Context) -> impl Stream<Item = u64> + Send;

        #[rpc(cast)]
        async fn note(&self, ctx: &Context, #[rpc(since = "2.3")] text: Option<String>);
    }

    #[derive(Default)]
    pub(super) struct Clock {
        pub(super) notes: AtomicU64,
        pub(super) seen: Arc<Seen>,
    }

    impl Time for Clock {
        async fn left(&self, ctx: &Context) -> Option<Duration> {
            ctx.remaining()
        }

        async fn left_of_ten(&self, ctx: &Context) -> Option<Duration> {
            ctx.remaining()
        }

        fn items(&self, _: &Context) -> impl Stream<Item = u64> + Send {
            futures_util::stream::iter(0..3)
        }

        async fn note(&self, _: &Context, _: Option<String>) {
            self.notes.fetch_add(1, SeqCst);
            self.seen.ran.add_permits(1);
        }
    }
}
use time::{Clock, TimeClient, TimeDispatcher};

async fn timeouts_go_prepare_method_default(mut world: World) {
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

async fn a_timeout_of_zero_is_zero(mut world: World) {
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

async fn a_call_or_multicall_of_a_fanout_is_an_invalid_target(mut world: World) {
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

async fn what_is_above_the_cap_is_not_sent(mut world: World) {
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

async fn what_may_be_sent_is_known_before(mut world: World) {
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

async fn a_version_that_is_none_is_an_error(mut world: World) {
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

mod renamed {
    use super::{Context, rpc_api};

    /// What `n1` is going to be.
    #[rpc_api(version = "1.4", topic = "prepared")]
    pub(super) trait Place {
        async fn place(&self, ctx: &Context, #[rpc(since = "1.4")] detail: Option<bool>) -> String;
    }
}

async fn another_namespace_is_looked_up_as_it_is_announced(mut world: World) {
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

async fn what_was_negotiated_holds_for_one_namespace(mut world: World) {
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

async fn a_cast_goes_to_all_when_it_is_prepared_to(mut world: World) {
    let nodes = [world.serve("a").await, world.serve("b").await];
    let client = world.client().await;
    let ctx = Context::new();
    let all = client.prepare(|call| call.fanout(true));
    all.note(&ctx, "to all").await.unwrap();
    all.fail(&ctx, 3).cast().await.unwrap();
    for node in &nodes {
        Seen::wait(&node.seen.ran, 1).await;
        assert_eq!(*node.seen.notes.lock().unwrap(), ["to all"]);
    }
    all.prepare(|call| call.server("b"))
        .note(&ctx, "to b")
        .await
        .unwrap();
    Seen::wait(&nodes[1].seen.ran, 1).await;
    all.prepare(|call| call.fanout(None))
        .note(&ctx, "to one")
        .await
        .unwrap();
    let one = async |at: usize| Seen::wait(&nodes[at].seen.ran, 1).await;
    tokio::select! { () = one(0) => {}, () = one(1) => {} }
    let notes = |at: usize| nodes[at].seen.notes.lock().unwrap().len();
    assert_eq!(notes(0) + notes(1), 4);
}

async fn a_prepared_fanout_that_some_refuse_says_that_it_may_have_run(mut world: World) {
    let clock = Arc::new(Clock::default());
    let _a = world
        .serve_endpoint("a", TimeDispatcher::from(Arc::clone(&clock)))
        .await
        .unwrap();
    let (_b, transport) = (world.serve("b").await, world.client_transport().await);
    let ctx = Context::new();
    // `b` has another API, without this method's argument
    let client = TimeClient::new(transport).prepare(|call| call.fanout(true));
    let gone = client.prepare(|call| call.namespace("nowhere"));
    let error = gone.note(&ctx).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedVersion);
    assert!(!error.may_have_run());

    let old = world
        .serve_endpoint("old", older::TimeDispatcher::new(older::Clock))
        .await
        .unwrap();
    let client = TimeClient::new(world.client_transport().await).prepare(|call| call.fanout(true));
    let error = client.note(&ctx).text("new".to_owned()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incomplete, "{error}");
    assert!(error.may_have_run() && !error.is_retryable());
    let source = error.source().unwrap();
    let incomplete = source.downcast_ref::<rpc_core::FanoutIncomplete>().unwrap();
    assert!(
        incomplete.accepted.contains(&"a".to_owned()),
        "{incomplete:?}"
    );
    assert!(incomplete.refused.iter().any(|(server, _)| server == "old"));
    Seen::wait(&clock.seen.ran, 1).await;
    drop(old);
}

mod older {
    use super::{Context, rpc_api};

    #[rpc_api(version = "2.0", topic = "probe")]
    pub(super) trait Time {
        #[rpc(cast)]
        async fn note(&self, ctx: &Context);
    }

    pub(super) struct Clock;

    impl Time for Clock {
        async fn note(&self, _: &Context) {}
    }
}

async fn a_cast_can_be_a_fanout(mut world: World) {
    let nodes = [world.serve("a").await, world.serve("b").await];
    let client = world.client().await;
    let ctx = Context::new();
    let fanout = client.note(&ctx, "to all").fanout().await.unwrap();
    assert_eq!(fanout.accepted, ["a", "b"]);
    let fanout = client.fail(&ctx, 3).cast().fanout().await.unwrap();
    assert_eq!(fanout.accepted, ["a", "b"]);
    for node in &nodes {
        Seen::wait(&node.seen.ran, 1).await;
    }
    let one = client.prepare(|call| call.server("b"));
    assert_eq!(one.note(&ctx, "x").fanout().await.unwrap().accepted, ["b"]);

    let clock = Arc::new(Clock::default());
    let _c = world
        .serve_endpoint("c", TimeDispatcher::from(Arc::clone(&clock)))
        .await
        .unwrap();
    let client = TimeClient::new(world.client_transport().await).prepare(|call| call.server("c"));
    let fanout = client
        .note(&ctx)
        .text("later".to_owned())
        .fanout()
        .await
        .unwrap();
    assert_eq!(fanout.accepted, ["c"]);
}
