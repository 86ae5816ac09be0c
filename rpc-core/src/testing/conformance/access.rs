//! Which methods a client may call.

use crate::testing::conformance::works::{Log, WorksClient};
use crate::testing::world::World;
use rpc_core::{
    AllMethods, ApiInfo, Context, ErrorKind, MethodInfo, OnlyMethods, Peer, PublicMethods,
    ServerBuilder, StartError,
};

fn kind<T: std::fmt::Debug, E: std::fmt::Debug>(
    result: Result<T, rpc_core::CallError<E>>,
) -> ErrorKind {
    result.unwrap_err().rpc().unwrap().kind()
}

pub(super) async fn everything_may_be_called_without_a_policy(mut world: World) {
    let _one = world.works("node-1").await;
    let _two = world
        .works_with("node-2", "", None, |server| server.access(AllMethods))
        .await;
    let client = world.works_client().await;
    for server in ["node-1", "node-2"] {
        let named = client.prepare(|call| call.server(server));
        named.reset(&Context::new()).await.unwrap();
        named.name(&Context::new()).await.unwrap();
    }
}

pub(super) async fn names_with_an_underscore_can_be_hidden(mut world: World) {
    let _works = world
        .works_with("node-1", "", None, |server| server.access(PublicMethods))
        .await;
    let client = world.works_client().await;
    client.name(&Context::new()).await.unwrap();
    let hidden = client.reset(&Context::new()).await;
    assert_eq!(kind(hidden), ErrorKind::NoSuchMethod);
}

pub(super) async fn only_what_is_listed_can_be_called(mut world: World) {
    let only = |server: ServerBuilder| server.access(OnlyMethods::new(["_reset"]));
    let _works = world.works_with("node-1", "", None, only).await;
    let client = world.works_client().await;
    client.reset(&Context::new()).await.unwrap();
    assert_eq!(
        kind(client.name(&Context::new()).await),
        ErrorKind::NoSuchMethod
    );
    let ping = client.rpc().ping(&Context::new()).await.unwrap_err();
    assert_eq!(ping.kind(), ErrorKind::NoSuchMethod);
    let described = client.rpc().describe(&Context::new()).await.unwrap_err();
    assert_eq!(described.kind(), ErrorKind::NoSuchMethod);
}

pub(super) async fn a_list_with_a_name_that_does_not_exist_does_not_start(world: World) {
    let transport = world.node("").await;
    let probe = crate::testing::probe::Probe::new("x", Default::default());
    let started = crate::testing::world::start(
        &transport,
        "x",
        crate::testing::probe::ProbeDispatcher::new(probe),
    )
    .access(OnlyMethods::new(["ping", "ecoh"]))
    .start()
    .await;
    let error = started.unwrap_err();
    assert!(
        matches!(error, StartError::Endpoints(_)) && error.to_string().contains("`ecoh`"),
        "{error}"
    );
}

pub(super) async fn a_policy_goes_by_peer_api_and_method(mut world: World) {
    let policy = |peer: &Peer, api: &ApiInfo, method: &MethodInfo| {
        assert!(["memory", "zmq"].contains(&peer.transport()) && !peer.name().is_empty());
        api.name() != "Works" || method.name() != "name"
    };
    let _works = world
        .works_with("node-1", "", None, |server| server.access(policy))
        .await;
    let client = world.works_client().await;
    assert_eq!(
        kind(client.name(&Context::new()).await),
        ErrorKind::NoSuchMethod
    );
    client.reset(&Context::new()).await.unwrap();
    client.rpc().ping(&Context::new()).await.unwrap();
}

pub(super) async fn a_policy_that_panics_says_no(mut world: World) {
    let policy = |_: &Peer, _: &ApiInfo, method: &MethodInfo| {
        assert_ne!(method.name(), "name", "nobody asks for that");
        true
    };
    let _works = world
        .works_with("node-1", "", None, |server| server.access(policy))
        .await;
    let client = world.works_client().await;
    assert_eq!(
        kind(client.name(&Context::new()).await),
        ErrorKind::NoSuchMethod
    );
    client.reset(&Context::new()).await.unwrap();
}

pub(super) async fn a_hidden_cast_is_refused_and_does_not_run(mut world: World) {
    let policy = |_: &Peer, _: &ApiInfo, method: &MethodInfo| method.name() != "note";
    let works = world
        .works_with("node-1", "", None, |server| server.access(policy))
        .await;
    let client = world.works_client().await;
    let error = client.note(&Context::new(), "x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchMethod);
    assert_eq!(works.server.stats().accepted, 0);
    client.reset(&Context::new()).await.unwrap();
    Log::wait(&works.log.noted, 1).await;
    assert_eq!(works.log.notes(), ["reset"]);
}

pub(super) async fn describe_shows_what_may_be_called(mut world: World) {
    let _works = world
        .works_with("node-1", "", None, |server| server.access(PublicMethods))
        .await;
    let client: WorksClient = world.works_client().await;
    let described = client.rpc().describe(&Context::new()).await.unwrap();
    let methods: Vec<_> = described.apis[0]
        .methods
        .iter()
        .map(|method| method.name.as_str())
        .collect();
    assert!(
        methods.contains(&"name") && !methods.contains(&"_reset"),
        "{methods:?}"
    );
}
