//! Clients and servers of different versions.

use crate::rules;
use crate::world::World;
use rpc_core::{CallError, Context, ErrorKind, RpcError, Target, version};
use std::time::Duration;

rules! {
    an_old_server_serves_what_a_new_client_leaves_out,
    a_new_server_fills_in_defaults,
    an_argument_that_is_set_goes_where_it_is_known,
    what_a_named_server_announced_is_a_cap,
    a_cap_names_the_argument_that_it_refuses,
    a_release_is_a_version_wherever_one_is_configured,
    a_floor_is_the_lowest_version_sent,
    pins_and_proofs,
    an_argument_set_twice_counts_once,
    a_call_that_is_changed_after_it_was_sent_fails,
    a_call_without_a_value_can_be_cast,
    negotiation_finds_the_lowest_minor,
    negotiation_asks_again_and_never_raises_a_configured_cap,
    negotiation_fails_when_a_node_is_missing,
    negotiation_does_not_remember_nobody,
    negotiation_needs_a_common_major,
    one_implementation_serves_two_majors,
    a_fanout_goes_to_each_server_in_a_version_that_it_speaks,
    a_client_steps_down_a_major_when_all_servers_are_older,
    ping_and_describe,
}

/// The API as it was, and as it is.
mod old {
    use rpc_core::{Context, rpc_api};

    #[rpc_api(version = "2.2", topic = "guests")]
    pub(crate) trait Guests {
        async fn start(&self, ctx: &Context, id: u32) -> String;
        #[rpc(cast)]
        async fn forget(&self, ctx: &Context);
    }

    pub(crate) struct Old;

    impl Guests for Old {
        async fn start(&self, _: &Context, id: u32) -> String {
            format!("old {id}")
        }
        async fn forget(&self, _: &Context) {}
    }

    pub(crate) fn endpoint() -> GuestsDispatcher<Old> {
        GuestsDispatcher::new(Old)
    }
}

mod new {
    use rpc_core::{Context, rpc_api};

    /// Starts guests.
    #[rpc_api(
        version = "2.5",
        topic = "guests",
        aliases(autumn = "2.2", spring = "2.4")
    )]
    pub(crate) trait Guests {
        /// Starts one.
        async fn start(
            &self,
            ctx: &Context,
            id: u32,
            #[rpc(since = "2.3")] clean: Option<bool>,
            #[rpc(since = "2.4", default = 10)] limit: u32,
            #[rpc(since = "2.5", lossy)] hint: Option<u8>,
        ) -> String;
        #[rpc(cast)]
        async fn forget(&self, ctx: &Context);
        #[rpc(since = "2.4")]
        async fn stop(&self, ctx: &Context);
    }

    pub(crate) struct New(pub(crate) tokio::sync::mpsc::UnboundedSender<()>);

    impl Guests for New {
        async fn start(
            &self,
            _: &Context,
            id: u32,
            clean: Option<bool>,
            limit: u32,
            hint: Option<u8>,
        ) -> String {
            format!("new {id} {clean:?} {limit} {hint:?}")
        }
        async fn forget(&self, _: &Context) {}
        async fn stop(&self, _: &Context) {
            let _ = self.0.send(());
        }
    }

    pub(crate) fn endpoint() -> GuestsDispatcher<New> {
        GuestsDispatcher::new(New(tokio::sync::mpsc::unbounded_channel().0))
    }
}

/// The next major, which speaks the end of the one before as well.
mod next {
    use rpc_core::{Context, rpc_api};

    #[rpc_api(version = "3.1", also = "2.5", topic = "guests")]
    pub(crate) trait Guests {
        async fn start(
            &self,
            ctx: &Context,
            #[rpc(was(name = "id", until = "3.0"))] guest: u32,
            #[rpc(since = "2.3")] clean: Option<bool>,
            #[rpc(since = "2.4", default = 10)] limit: u32,
            #[rpc(since = "2.5", lossy)] hint: Option<u8>,
            #[rpc(since = "3.1")] zone: Option<String>,
        ) -> String;
        #[rpc(cast)]
        async fn forget(&self, ctx: &Context);
        #[rpc(since = "2.4", until = "3.0")]
        async fn stop(&self, ctx: &Context);
    }

    pub(crate) struct Next;

    impl Guests for Next {
        async fn start(
            &self,
            _: &Context,
            guest: u32,
            clean: Option<bool>,
            limit: u32,
            _hint: Option<u8>,
            zone: Option<String>,
        ) -> String {
            format!("next {guest} {clean:?} {limit} {zone:?}")
        }
        async fn forget(&self, _: &Context) {}
        async fn stop(&self, _: &Context) {}
    }

    pub(crate) fn endpoint() -> GuestsDispatcher<Next> {
        GuestsDispatcher::new(Next)
    }
}

fn guests(server: &str) -> Target {
    Target::topic("guests").server(server)
}

impl World {
    async fn guests(&mut self, name: &str, endpoint: impl rpc_core::Endpoint) -> rpc_core::Server {
        let transport = self.node("").await;
        let server = rpc_core::Server::builder(transport.clone())
            .target(guests(name))
            .endpoint(endpoint)
            .start()
            .await
            .unwrap();
        self.list(&transport);
        server
    }

    async fn new_client(&self) -> new::GuestsClient {
        new::GuestsClient::new(self.client_transport().await)
            .prepare(|call| call.timeout(Duration::from_secs(5)))
    }

    async fn next_client(&self) -> next::GuestsClient {
        next::GuestsClient::new(self.client_transport().await)
            .prepare(|call| call.timeout(Duration::from_secs(5)))
    }
}

fn refusal<T, E: std::fmt::Debug>(result: Result<T, CallError<E>>) -> (ErrorKind, String) {
    match result {
        Err(CallError::Rpc(error)) => (error.kind(), error.message().to_owned()),
        Err(CallError::Method(error)) => panic!("{error:?}"),
        Ok(_) => panic!("it was sent"),
    }
}

async fn an_old_server_serves_what_a_new_client_leaves_out(mut world: World) {
    let _server = world.guests("a", old::endpoint()).await;
    let (client, ctx) = (world.new_client().await, Context::new());
    assert_eq!(client.start(&ctx, 1).await.unwrap(), "old 1");
    let at_default = client.start(&ctx, 2).clean(None).limit(10);
    assert_eq!(at_default.await.unwrap(), "old 2");
}

async fn a_new_server_fills_in_defaults(mut world: World) {
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

async fn an_argument_that_is_set_goes_where_it_is_known(mut world: World) {
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

async fn what_a_named_server_announced_is_a_cap(mut world: World) {
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

async fn a_cap_names_the_argument_that_it_refuses(mut world: World) {
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

async fn a_release_is_a_version_wherever_one_is_configured(mut world: World) {
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

async fn a_floor_is_the_lowest_version_sent(mut world: World) {
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

async fn pins_and_proofs(mut world: World) {
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

async fn an_argument_set_twice_counts_once(mut world: World) {
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

async fn a_call_that_is_changed_after_it_was_sent_fails(mut world: World) {
    let _server = world.guests("a", new::endpoint()).await;
    let (client, ctx) = (world.new_client().await, Context::new());
    // it waits for a server that does not come
    let client = client.prepare(|call| call.server("nobody"));
    let mut call = client.start(&ctx, 1);
    assert!(futures_util::poll!(&mut call).is_pending());
    assert_eq!(refusal(call.limit(2).await).0, ErrorKind::Cancelled);
}

async fn a_call_without_a_value_can_be_cast(mut world: World) {
    let (sender, mut stopped) = tokio::sync::mpsc::unbounded_channel();
    let endpoint = new::GuestsDispatcher::new(new::New(sender));
    let _server = world.guests("a", endpoint).await;
    let client = world.new_client().await;
    client.stop(&Context::new()).cast().await.unwrap();
    stopped.recv().await.unwrap();
}

async fn negotiation_finds_the_lowest_minor(mut world: World) {
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

async fn negotiation_asks_again_and_never_raises_a_configured_cap(mut world: World) {
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

async fn negotiation_fails_when_a_node_is_missing(mut world: World) {
    let _old = world.guests("old", old::endpoint()).await;
    let absent = world.list_absent();
    let client = world.new_client().await;
    let asked = client.rpc().negotiate();
    if absent.starts_with("memory") {
        // the directory of a bus is the bus: nobody is missing there
        asked.await.unwrap();
        return;
    }
    let error = asked.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Undeliverable);
    let address = absent.trim_start_matches("zmq://");
    assert!(error.message().contains(address), "{error}");
    assert!(client.rpc().can_send_version("2.5"), "nothing is capped");
    let found = client.rpc().negotiate().allow_unreached().await.unwrap();
    assert_eq!(found.cap, version!("2.2"));
    assert_eq!(found.unreached.len(), 1);
}

async fn negotiation_does_not_remember_nobody(mut world: World) {
    let url = world.list_absent();
    let client = world.new_client().await;
    let briefly = client.prepare(|call| call.timeout(Duration::from_millis(200)));
    let error: RpcError = briefly.rpc().negotiate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Undeliverable);
    assert!(client.rpc().can_send_version("2.5"));
    let transport = crate::world::open(&url).await;
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

async fn negotiation_needs_a_common_major(mut world: World) {
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

async fn one_implementation_serves_two_majors(mut world: World) {
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

async fn a_client_steps_down_a_major_when_all_servers_are_older(mut world: World) {
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

async fn a_fanout_goes_to_each_server_in_a_version_that_it_speaks(mut world: World) {
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

async fn ping_and_describe(mut world: World) {
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
