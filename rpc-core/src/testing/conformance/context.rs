//! What travels with a message beside its arguments, and what a handler learns of who sent it.

use crate::testing::world::{World, start};
use rpc_core::{
    Context, Entry, ErrorKind, MAX_METADATA, MAX_METADATA_KEYS, Metadata, Never, RequestId, rpc_api,
};

/// Tells what it was sent.
#[rpc_api(version = "1.0", topic = "probe")]
trait Mirror {
    async fn id(&self, ctx: &Context) -> Option<String>;
    /// What another mirror sees when this one asks it: id, user and trace.
    async fn relayed(&self, ctx: &Context) -> Result<Vec<Option<String>>, Never>;
    async fn seen(&self, ctx: &Context) -> Vec<Option<String>>;
    async fn user(&self, ctx: &Context) -> Option<(String, u32)>;
    async fn secret(&self, ctx: &Context) -> bool;
    async fn peer(&self, ctx: &Context) -> Option<(String, String)>;
}

#[derive(Clone, Debug, PartialEq)]
struct User {
    name: String,
    age: u32,
}

impl Entry for User {
    fn write(&self, metadata: &mut Metadata) {
        metadata.insert("user", &self.name);
        metadata.insert("user-age", self.age.to_string());
    }

    fn read(metadata: &Metadata) -> Option<Self> {
        Some(Self {
            name: metadata.get("user")?.into(),
            age: metadata.get("user-age")?.parse().ok()?,
        })
    }
}

#[derive(Clone)]
struct Secret;

impl Entry for Secret {}

#[derive(Default)]
struct Glass(Option<MirrorClient>);

impl Mirror for Glass {
    async fn id(&self, ctx: &Context) -> Option<String> {
        ctx.request_id().map(|id| id.to_string())
    }

    async fn relayed(&self, ctx: &Context) -> Result<Vec<Option<String>>, Never> {
        let next = self.0.as_ref().unwrap();
        Ok(next.seen(ctx).await.unwrap())
    }

    async fn seen(&self, ctx: &Context) -> Vec<Option<String>> {
        let id = ctx.request_id().map(|id| id.to_string());
        let texts = [ctx.metadata("user"), ctx.traceparent()];
        let texts = texts.map(|text| text.map(Into::into));
        [id].into_iter().chain(texts).collect()
    }

    async fn user(&self, ctx: &Context) -> Option<(String, u32)> {
        ctx.get::<User>().map(|user| (user.name, user.age))
    }

    async fn secret(&self, ctx: &Context) -> bool {
        ctx.get::<Secret>().is_some()
    }

    async fn peer(&self, ctx: &Context) -> Option<(String, String)> {
        ctx.peer()
            .map(|peer| (peer.transport().into(), peer.name().into()))
    }
}

async fn mirror(world: &mut World) -> (rpc_core::Server, MirrorClient) {
    let server = world
        .serve_endpoint("node-1", MirrorDispatcher::new(Glass::default()))
        .await
        .unwrap();
    (server, MirrorClient::new(world.client_transport().await))
}

pub(super) async fn each_message_has_an_id_of_its_own(mut world: World) {
    let (_server, client) = mirror(&mut world).await;
    let ctx = Context::new();
    let first = client.id(&ctx).await.unwrap().unwrap();
    let second = client.id(&ctx).await.unwrap().unwrap();
    assert!(first.parse::<RequestId>().is_ok(), "{first}");
    assert_ne!(first, second);
    assert_eq!(ctx.request_id(), None);
}

pub(super) async fn messages_of_one_context_share_the_id_that_it_was_given(mut world: World) {
    let (_server, client) = mirror(&mut world).await;
    let id = RequestId::random();
    let ctx = Context::new().with_request_id(id);
    for _ in 0..2 {
        assert_eq!(client.id(&ctx).await.unwrap(), Some(id.to_string()));
    }
}

pub(super) async fn a_handlers_calls_inherit_id_metadata_and_trace(mut world: World) {
    let (_server, far) = mirror(&mut world).await;
    let near = world.node("").await;
    let far = far.prepare(|call| call.server("node-1"));
    let relay = start(&near, "node-2", MirrorDispatcher::new(Glass(Some(far))));
    let _relay = relay.start().await.unwrap();
    world.list(&near);
    let client = MirrorClient::new(world.client_transport().await);
    let id = RequestId::random();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let ctx = Context::new()
        .with("user", "ada")
        .with_traceparent(trace)
        .with_request_id(id);
    let seen = client
        .prepare(|call| call.server("node-2"))
        .relayed(&ctx)
        .await
        .unwrap();
    let expected = [id.to_string(), "ada".into(), trace.into()];
    assert_eq!(seen, expected.map(Some));
}

pub(super) async fn a_typed_entry_travels_if_its_type_says_so(mut world: World) {
    let (_server, client) = mirror(&mut world).await;
    let ada = User {
        name: "ada".into(),
        age: 36,
    };
    let ctx = Context::new().with_entry(ada);
    let user = client.user(&ctx).await.unwrap();
    assert_eq!(user, Some(("ada".into(), 36)));
    assert_eq!(client.user(&Context::new()).await.unwrap(), None);
}

pub(super) async fn an_entry_that_does_not_travel_stays(mut world: World) {
    let (_server, client) = mirror(&mut world).await;
    let ctx = Context::new().with_entry(Secret);
    assert!(ctx.get::<Secret>().is_some());
    assert!(!client.secret(&ctx).await.unwrap());
}

pub(super) async fn a_handler_sees_who_sent_the_request(mut world: World) {
    let (_server, client) = mirror(&mut world).await;
    let (transport, name) = client.peer(&Context::new()).await.unwrap().unwrap();
    assert!(["memory", "zmq"].contains(&&*transport), "{transport}");
    assert!(!name.is_empty());
    assert!(Context::new().peer().is_none());
}

pub(super) async fn more_metadata_than_may_travel_is_refused_before_it_is_sent(mut world: World) {
    let (server, client) = mirror(&mut world).await;
    let long = Context::new().with("a", "x".repeat(MAX_METADATA));
    let many = (0..=MAX_METADATA_KEYS).fold(Context::new(), |ctx, at| ctx.with(at.to_string(), ""));
    for ctx in [long, many] {
        let error = client.id(&ctx).await.unwrap_err();
        assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Encode);
    }
    assert_eq!(server.stats().accepted + server.stats().refused, 0);
    let most = (1..MAX_METADATA_KEYS).fold(Context::new(), |ctx, at| ctx.with(at.to_string(), ""));
    assert!(client.id(&most).await.is_ok());
}
