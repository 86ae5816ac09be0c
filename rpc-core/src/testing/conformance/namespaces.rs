//! Endpoints beside each other: namespaces, older namespaces, versions.

use crate::testing::conformance::guests::refusal;
use crate::testing::world::World;
use rpc_core::{Context, Endpoint, ErrorKind, Server, ServerBuilder, StartError, Target};

mod plain {
    use rpc_core::{Context, rpc_api};

    #[rpc_api(version = "1.5", topic = "things")]
    pub(super) trait Things {
        async fn which(&self, ctx: &Context) -> String;
        async fn gone(&self, ctx: &Context);
    }
}

mod newer {
    use rpc_core::{Context, rpc_api};

    /// The same thing after it got a namespace.
    #[rpc_api(
        version = "1.5",
        topic = "things",
        namespace = "things",
        legacy_namespaces("base", none)
    )]
    pub(super) trait Things {
        async fn which(&self, ctx: &Context) -> String;
    }
}

mod base {
    use rpc_core::{Context, rpc_api};

    #[rpc_api(version = "1.2", topic = "things", namespace = "base")]
    pub(super) trait Base {
        async fn which(&self, ctx: &Context) -> String;
    }
}

mod foreign {
    use rpc_core::{Context, rpc_api};

    #[rpc_api(version = "1.0", topic = "things", namespace = "foreign")]
    pub(super) trait Foreign {
        async fn which(&self, ctx: &Context) -> String;
    }
}

mod third {
    use rpc_core::{Context, rpc_api};

    #[rpc_api(version = "3.4", topic = "things")]
    pub(super) trait Things {
        async fn which(&self, ctx: &Context) -> String;
    }

    /// A client that is ahead of it.
    pub(super) mod ahead {
        use rpc_core::{Context, rpc_api};

        #[rpc_api(version = "3.5", topic = "things")]
        pub(in super::super) trait Things {
            #[rpc(since = "3.2")]
            async fn which(&self, ctx: &Context) -> String;
            #[rpc(since = "3.5")]
            async fn later(&self, ctx: &Context);
        }
    }
}

struct Named(&'static str);

impl plain::Things for Named {
    async fn which(&self, _: &Context) -> String {
        self.0.into()
    }

    async fn gone(&self, _: &Context) {}
}

impl newer::Things for Named {
    async fn which(&self, _: &Context) -> String {
        self.0.into()
    }
}

impl base::Base for Named {
    async fn which(&self, _: &Context) -> String {
        self.0.into()
    }
}

impl foreign::Foreign for Named {
    async fn which(&self, _: &Context) -> String {
        self.0.into()
    }
}

impl third::Things for Named {
    async fn which(&self, _: &Context) -> String {
        self.0.into()
    }
}

fn plain() -> impl Endpoint {
    plain::ThingsDispatcher::new(Named("plain"))
}

fn newer() -> impl Endpoint {
    newer::ThingsDispatcher::new(Named("newer"))
}

fn foreign() -> impl Endpoint {
    foreign::ForeignDispatcher::new(Named("foreign"))
}

async fn serve(
    world: &mut World,
    endpoints: impl FnOnce(ServerBuilder) -> ServerBuilder,
) -> Result<Server, StartError> {
    let transport = world.node("").await;
    let builder =
        Server::builder(transport.clone()).target(Target::topic("things").server("node-1"));
    let server = endpoints(builder).start().await?;
    world.list(&transport);
    Ok(server)
}

pub(super) async fn a_namespace_picks_its_endpoint(mut world: World) {
    let both = |server: ServerBuilder| server.endpoint(plain()).endpoint(foreign());
    let _server = serve(&mut world, both).await.unwrap();
    let transport = world.client_transport().await;
    let client = plain::ThingsClient::new(transport.clone());
    assert_eq!(client.which(&Context::new()).await.unwrap(), "plain");
    let client = foreign::ForeignClient::new(transport.clone());
    assert_eq!(client.which(&Context::new()).await.unwrap(), "foreign");
    let client = base::BaseClient::new(transport);
    let (kind, message) = refusal(client.which(&Context::new()).await);
    assert_eq!(kind, ErrorKind::UnsupportedVersion);
    assert!(message.contains("Things 1.5"), "{message}");
}

pub(super) async fn a_version_picks_its_endpoint(mut world: World) {
    let both = |server: ServerBuilder| {
        server
            .endpoint(plain())
            .endpoint(third::ThingsDispatcher::new(Named("third")))
    };
    let _server = serve(&mut world, both).await.unwrap();
    let client = third::ahead::ThingsClient::new(world.client_transport().await);
    assert_eq!(client.which(&Context::new()).await.unwrap(), "third");
}

pub(super) async fn a_version_that_no_endpoint_serves_is_unsupported(mut world: World) {
    let both = |server: ServerBuilder| {
        server
            .endpoint(plain())
            .endpoint(third::ThingsDispatcher::new(Named("third")))
    };
    let _server = serve(&mut world, both).await.unwrap();
    let client = third::ahead::ThingsClient::new(world.client_transport().await);
    let (kind, _) = refusal(client.later(&Context::new()).await);
    assert_eq!(kind, ErrorKind::UnsupportedVersion);
}

pub(super) async fn an_api_is_served_in_its_older_namespaces(mut world: World) {
    let _server = serve(&mut world, |server| server.endpoint(newer()))
        .await
        .unwrap();
    let transport = world.client_transport().await;
    let client = newer::ThingsClient::new(transport.clone());
    assert_eq!(client.which(&Context::new()).await.unwrap(), "newer");
    let client = plain::ThingsClient::new(transport.clone());
    assert_eq!(client.which(&Context::new()).await.unwrap(), "newer");
    let client = base::BaseClient::new(transport.clone());
    assert_eq!(client.which(&Context::new()).await.unwrap(), "newer");
    let negotiated = client.rpc().negotiate().await.unwrap();
    assert_eq!(negotiated.servers.len(), 1);
    let client = foreign::ForeignClient::new(transport);
    let (kind, message) = refusal(client.which(&Context::new()).await);
    assert_eq!(kind, ErrorKind::UnsupportedVersion);
    assert!(message.contains("(base)"), "{message}");
}

pub(super) async fn a_client_uses_the_apis_own_namespace(mut world: World) {
    let _server = serve(&mut world, |server| server.endpoint(plain()))
        .await
        .unwrap();
    let client = newer::ThingsClient::new(world.client_transport().await);
    let (kind, _) = refusal(client.which(&Context::new()).await);
    assert_eq!(kind, ErrorKind::UnsupportedVersion);
}

pub(super) async fn a_method_that_is_missing_in_an_older_namespace_is_no_such_method(
    mut world: World,
) {
    let _server = serve(&mut world, |server| server.endpoint(newer()))
        .await
        .unwrap();
    let client = plain::ThingsClient::new(world.client_transport().await);
    let (kind, message) = refusal(client.gone(&Context::new()).await);
    assert_eq!(kind, ErrorKind::NoSuchMethod);
    assert!(message.contains("`gone`"), "{message}");
}

pub(super) async fn older_namespaces_may_not_clash(mut world: World) {
    for clash in [true, false] {
        let both = |server: ServerBuilder| match clash {
            true => server
                .endpoint(base::BaseDispatcher::new(Named("base")))
                .endpoint(newer()),
            false => server.endpoint(newer()).endpoint(foreign()),
        };
        match serve(&mut world, both).await {
            Ok(_) => assert!(!clash),
            Err(error) => {
                let text = error.to_string();
                assert!(clash && text.contains("namespace base"), "{text}");
            }
        }
    }
}

pub(super) async fn describe_shows_the_older_namespaces(mut world: World) {
    let _server = serve(&mut world, |server| server.endpoint(newer()))
        .await
        .unwrap();
    let client = newer::ThingsClient::new(world.client_transport().await);
    let described = client.rpc().describe(&Context::new()).await.unwrap();
    let api = &described.apis[0];
    assert_eq!(api.namespace.as_deref(), Some("things"));
    assert_eq!(api.legacy_namespaces, [Some("base".to_owned()), None]);
}
