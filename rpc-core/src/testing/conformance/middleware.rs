//! What stands around messages and requests: it sees all of them, and may refuse them.

use crate::testing::probe::{Probe, ProbeClient, ProbeDispatcher, Seen};
use crate::testing::world::{World, meet, start};
use futures_util::StreamExt;
use rpc_core::middleware::{
    Answer, Answered, ClientMiddleware, End, Ended, Handler, Next, Outgoing, Received,
    ServerMiddleware, async_trait,
};
use rpc_core::{Context, Entry, ErrorKind, RpcError, rpc_api};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

type Notes<T> = UnboundedReceiver<T>;

/// Notes how everything was answered.
struct Watch(UnboundedSender<(&'static str, Result<Answer, ErrorKind>)>);

#[async_trait]
impl ClientMiddleware for Watch {
    async fn send(&self, message: Outgoing, next: Next<'_>) -> Result<Answered, RpcError> {
        let (_, method) = message.info().unwrap();
        assert!(message.size() > 0 && message.target().topic_name() == "probe");
        let result = next.send(message).await;
        let answer = result.as_ref().map(Answered::answer);
        self.0
            .send((method.name(), answer.map_err(RpcError::kind)))
            .unwrap();
        result
    }
}

pub(super) async fn a_clients_middleware_sees_all_that_is_sent(mut world: World) {
    let (node, client) = world.pair().await;
    let (watch, mut notes) = unbounded_channel();
    let client = client.prepare(|call| call.middleware(Watch(watch)));
    let ctx = Context::new();
    client.name(&ctx).await.unwrap();
    client.fail(&ctx, 7).await.unwrap_err();
    client.panics(&ctx, "ouch").await.unwrap_err();
    client.note(&ctx, "x").await.unwrap();
    assert_eq!(client.forget(&ctx).await.unwrap().accepted, ["node-1"]);
    assert_eq!(client.count(&ctx, 3).count().await, 3);
    node.server.stop().await;
    let one = client.prepare(|call| call.server("node-1"));
    one.forget(&ctx).await.unwrap_err();
    let seen: Vec<_> = std::iter::from_fn(|| notes.try_recv().ok()).collect();
    assert_eq!(
        seen[..6],
        [
            ("name", Ok(Answer::Value)),
            ("fail", Ok(Answer::MethodError)),
            ("panics", Err(ErrorKind::Remote)),
            ("note", Ok(Answer::Accepted)),
            ("forget", Ok(Answer::Accepted)),
            ("count", Ok(Answer::Accepted)),
        ]
    );
    assert_eq!(seen.len(), 7);
    assert_ne!(seen[6].1, Ok(Answer::Accepted));
}

/// Adds its letter to what travels, and to what comes back.
struct Letter(char, Arc<Mutex<String>>);

#[async_trait]
impl ClientMiddleware for Letter {
    async fn send(&self, mut message: Outgoing, next: Next<'_>) -> Result<Answered, RpcError> {
        let letters = message.context().metadata("letters").unwrap_or_default();
        let letters = format!("{letters}{}", self.0);
        message.context_mut().insert("letters", letters);
        let result = next.send(message).await;
        self.1.lock().unwrap().push(self.0);
        result
    }
}

pub(super) async fn middleware_runs_in_the_order_in_which_it_was_given(mut world: World) {
    let _node = world.serve("node-1").await;
    let back = Arc::new(Mutex::new(String::new()));
    let letter = |letter| Letter(letter, Arc::clone(&back));
    let transport = world.client_transport().await.middleware(letter('a'));
    let client = ProbeClient::new(transport).prepare(|call| {
        let call = call.middleware(letter('b'));
        call.middleware(letter('c'))
    });
    let ctx = Context::new();
    let letters = client.metadata(&ctx, "letters").await.unwrap();
    assert_eq!(letters.as_deref(), Some("abc"));
    assert_eq!(*back.lock().unwrap(), "cba");
    assert_eq!(ctx.metadata("letters"), None);
}

/// Adds something to the context.
struct Adds(&'static str, String);

#[async_trait]
impl ClientMiddleware for Adds {
    async fn send(&self, mut message: Outgoing, next: Next<'_>) -> Result<Answered, RpcError> {
        message.context_mut().insert(self.0, &self.1);
        next.send(message).await
    }
}

pub(super) async fn what_a_clients_middleware_adds_to_the_context_arrives(mut world: World) {
    let (_node, client) = world.pair().await;
    let client = client.prepare(|call| call.middleware(Adds("token", "7f".into())));
    let token = client.metadata(&Context::new(), "token").await.unwrap();
    assert_eq!(token.as_deref(), Some("7f"));
}

pub(super) async fn what_it_adds_is_bounded_too(mut world: World) {
    let (node, client) = world.pair().await;
    let large = Adds("token", "x".repeat(rpc_core::MAX_METADATA));
    let client = client.prepare(|call| call.middleware(large));
    let error = client.name(&Context::new()).await.unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Encode);
    assert_eq!(node.server.stats().accepted, 0);
}

/// Refuses with this kind, before or after it was sent.
struct Refuses(ErrorKind, bool);

#[async_trait]
impl ClientMiddleware for Refuses {
    async fn send(&self, message: Outgoing, next: Next<'_>) -> Result<Answered, RpcError> {
        if self.1 {
            let _ = next.send(message).await;
        }
        Err(RpcError::new(self.0, "refused"))
    }
}

pub(super) async fn a_clients_middleware_refuses_before_anything_is_sent(mut world: World) {
    let (node, client) = world.pair().await;
    for kind in [ErrorKind::Denied, ErrorKind::Overloaded] {
        let client = client.prepare(|call| call.middleware(Refuses(kind, false)));
        let error = client.name(&Context::new()).await.unwrap_err();
        let error = error.rpc().unwrap();
        assert_eq!((error.kind(), error.may_have_run()), (kind, false));
        assert!(error.to_string().contains("`name` to probe"), "{error}");
        let error = client.note(&Context::new(), "x").await.unwrap_err();
        assert_eq!(error.kind(), kind);
    }
    assert_eq!(node.server.stats().accepted, 0);
}

pub(super) async fn an_error_after_it_was_sent_never_says_that_it_did_not_run(mut world: World) {
    let (node, client) = world.pair().await;
    let late = client.prepare(|call| {
        let call = call.server("node-1");
        call.middleware(Refuses(ErrorKind::Denied, true))
    });
    let error = late.name(&Context::new()).await.unwrap_err();
    let error = error.rpc().unwrap();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(error.may_have_run());
    assert_eq!(node.server.stats().accepted, 1);
    // what was refused did not run, whoever says so
    node.server.stop().await;
    let error = late.name(&Context::new()).await.unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Denied);
}

/// Waits for ever, before or after it was sent.
struct Hangs(bool);

#[async_trait]
impl ClientMiddleware for Hangs {
    async fn send(&self, message: Outgoing, next: Next<'_>) -> Result<Answered, RpcError> {
        if self.0 {
            next.send(message).await?;
        }
        std::future::pending().await
    }
}

pub(super) async fn a_clients_middleware_that_hangs_ends_by_the_deadline(mut world: World) {
    let (_node, client) = world.pair().await;
    for (is_sent, kind) in [
        (false, ErrorKind::Undeliverable),
        (true, ErrorKind::Timeout),
    ] {
        let client = client.prepare(|call| {
            let call = call.timeout(Duration::from_millis(100));
            call.middleware(Hangs(is_sent))
        });
        let started = Instant::now();
        let error = client.name(&Context::new()).await.unwrap_err();
        assert_eq!(error.rpc().unwrap().kind(), kind);
        assert!(started.elapsed() < Duration::from_secs(10));
    }
}

/// Takes in what has the token, by what it does with the rest.
struct Gate(ErrorKind);

#[derive(Clone)]
struct User(String);

impl Entry for User {}

impl ServerMiddleware for Gate {
    fn admit(&self, request: &mut Received) -> Result<(), RpcError> {
        assert!(request.size() > 0 && request.context().peer().is_some());
        let Some(token) = request.context().metadata("token") else {
            return Err(RpcError::new(self.0, "no token"));
        };
        let user = User(format!("owner of {token}"));
        request.context_mut().set(user);
        Ok(())
    }
}

pub(super) async fn a_refused_cast_is_refused_for_its_caller(mut world: World) {
    let gate = Gate(ErrorKind::Denied);
    let node = world
        .serve_with("node-1", "", |server| server.middleware(gate))
        .await;
    let client = world.client().await;
    let ctx = Context::new();
    let error = client.note(&ctx, "x").await.unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::Denied, "no token")
    );
    assert!(!error.may_have_run() && !error.is_retryable());
    let error = client.name(&ctx).await.unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Denied);
    let ended = client.count(&ctx, 3).next().await.unwrap().unwrap_err();
    assert_eq!(ended.rpc().unwrap().kind(), ErrorKind::Denied);
    client.forget(&ctx).await.unwrap_err();
    client.note(&ctx.with("token", "7f"), "y").await.unwrap();
    Seen::wait(&node.seen.ran, 1).await;
    assert_eq!(*node.seen.notes.lock().unwrap(), ["y"]);
    let stats = node.server.stats();
    assert_eq!((stats.accepted, stats.refused), (1, 4));
}

pub(super) async fn a_refusal_that_says_so_goes_to_another_server(mut world: World) {
    let gate = Gate(ErrorKind::Overloaded);
    let _busy = world
        .serve_with("node-1", "", |server| server.middleware(gate))
        .await;
    let _free = world.serve("node-2").await;
    let client = world.client().await;
    meet(&client, &["node-2"]).await;
    for _ in 0..4 {
        assert_eq!(client.name(&Context::new()).await.unwrap(), "node-2");
    }
}

/// Says whom it takes the caller for.
#[rpc_api(version = "1.0", topic = "probe")]
trait WhoAmI {
    async fn user(&self, ctx: &Context) -> Option<String>;
}

struct Myself;

impl WhoAmI for Myself {
    async fn user(&self, ctx: &Context) -> Option<String> {
        ctx.get::<User>().map(|user| user.0)
    }
}

pub(super) async fn a_request_that_is_admitted_brings_what_was_set(mut world: World) {
    let transport = world.node("").await;
    let server = start(&transport, "node-1", WhoAmIDispatcher::new(Myself));
    let server = server.middleware(Gate(ErrorKind::Denied));
    let _server = server.start().await.unwrap();
    world.list(&transport);
    let client = WhoAmIClient::new(world.client_transport().await);
    let ctx = Context::new()
        .with("token", "7f")
        .with_entry(User("forged".into()));
    let user = client.user(&ctx).await.unwrap();
    assert_eq!(user.as_deref(), Some("owner of 7f"));
}

/// Notes how handlers end.
struct Ends(UnboundedSender<(&'static str, End)>);

#[async_trait]
impl ServerMiddleware for Ends {
    async fn handle(&self, request: Received, handler: Handler<'_>) -> Result<Ended, RpcError> {
        let method = request.method().name();
        let ended = handler.run(request).await?;
        self.0.send((method, ended.end())).unwrap();
        Ok(ended)
    }
}

async fn watched(
    world: &mut World,
) -> (
    crate::testing::world::Node,
    ProbeClient,
    Notes<(&'static str, End)>,
) {
    let (ends, notes) = unbounded_channel();
    let node = world
        .serve_with("node-1", "", |server| server.middleware(Ends(ends)))
        .await;
    (node, world.client().await, notes)
}

mod wrong {
    use rpc_core::{Context, rpc_api};

    /// The probe, as somebody calls it who is wrong.
    #[rpc_api(version = "2.5", topic = "probe")]
    pub(super) trait Wrong {
        async fn fail(&self, ctx: &Context, code: &str);
    }
}

pub(super) async fn the_end_of_a_handler_is_seen_whatever_it_is(mut world: World) {
    let (node, client, mut notes) = watched(&mut world).await;
    let ctx = Context::new();
    client.name(&ctx).await.unwrap();
    assert_eq!(notes.recv().await, Some(("name", End::Done)));
    client.fail(&ctx, 7).await.unwrap_err();
    assert_eq!(notes.recv().await, Some(("fail", End::MethodError)));
    client.panics(&ctx, "ouch").await.unwrap_err();
    assert_eq!(notes.recv().await, Some(("panics", End::Panicked)));
    client.note(&ctx, "x").await.unwrap();
    assert_eq!(notes.recv().await, Some(("note", End::Done)));
    assert_eq!(client.count(&ctx, 300).count().await, 300);
    assert_eq!(notes.recv().await, Some(("count", End::Done)));
    let wrong = wrong::WrongClient::new(client.rpc().transport().clone());
    wrong.fail(&ctx, "x").await.unwrap_err();
    assert_eq!(notes.recv().await, Some(("fail", End::Failed)));
    let call = tokio::spawn(client.hold(&ctx, 1));
    Seen::wait(&node.seen.held, 1).await;
    call.abort();
    assert_eq!(notes.recv().await, Some(("hold", End::Cancelled)));
    Seen::wait(&node.seen.dropped, 1).await;
    node.server.stop().await;
    node.server.wait().await;
    let stats = node.server.stats();
    assert_eq!(
        (stats.panicked, stats.cancelled, stats.undecodable),
        (1, 1, 1)
    );
}

pub(super) async fn a_handler_that_is_cut_off_is_seen(mut world: World) {
    let (node, client, mut notes) = watched(&mut world).await;
    let call = tokio::spawn(client.hold(&Context::new(), 1));
    Seen::wait(&node.seen.held, 1).await;
    let stopped = node.server.wait_at_most(Duration::ZERO).await;
    assert_eq!(stopped.cut_off, 1);
    assert_eq!(notes.recv().await, Some(("hold", End::CutOff)));
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::PeerLost);
}

/// Answers in place of the handler, or after it.
struct Instead;

#[async_trait]
impl ServerMiddleware for Instead {
    async fn handle(&self, request: Received, handler: Handler<'_>) -> Result<Ended, RpcError> {
        if request.method().name() == "fail" {
            handler.run(request).await?;
        }
        Err(RpcError::denied("not today"))
    }
}

pub(super) async fn a_servers_middleware_answers_in_place_of_the_handler(mut world: World) {
    let node = world
        .serve_with("node-1", "", |server| server.middleware(Instead))
        .await;
    let client = world.client().await;
    let ctx = Context::new();
    let error = client.hold(&ctx, 1).await.unwrap_err();
    let error = error.rpc().unwrap();
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::Denied, "not today")
    );
    assert_eq!(node.seen.held.available_permits(), 0);
    // it ran, so nobody is told that it did not
    let error = client.fail(&ctx, 7).await.unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Remote);
}

/// Panics in the one place or the other.
struct Panics(&'static str);

#[async_trait]
impl ServerMiddleware for Panics {
    fn admit(&self, request: &mut Received) -> Result<(), RpcError> {
        assert!(
            self.0 != "admit" || request.method().name() == "name",
            "ouch"
        );
        Ok(())
    }

    async fn handle(&self, request: Received, handler: Handler<'_>) -> Result<Ended, RpcError> {
        assert!(
            self.0 != "handle" || request.method().name() == "name",
            "ouch"
        );
        handler.run(request).await
    }
}

pub(super) async fn a_middleware_that_panics_fails_that_request_only(mut world: World) {
    for place in ["admit", "handle"] {
        let transport = world.node("").await;
        let probe = ProbeDispatcher::new(Probe::new(place, Arc::default()));
        let server = start(&transport, place, probe).middleware(Panics(place));
        let server = server.start().await.unwrap();
        world.list(&transport);
        let client = world.client().await.prepare(|call| call.server(place));
        let ctx = Context::new();
        let error = client.hold(&ctx, 1).await.unwrap_err();
        let error = error.rpc().unwrap();
        assert_eq!(error.kind(), ErrorKind::Remote);
        assert!(error.message().contains("panic id"), "{error}");
        assert_eq!(client.name(&ctx).await.unwrap(), place);
        server.stop().await;
        server.wait().await;
    }
}

pub(super) async fn ping_goes_through_middleware_of_both_sides(mut world: World) {
    let gate = Gate(ErrorKind::Denied);
    let _node = world
        .serve_with("node-1", "", |server| server.middleware(gate))
        .await;
    let client = world.client().await;
    let error = client.rpc().ping(&Context::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    let client = client.prepare(|call| call.middleware(Adds("token", "7f".into())));
    client.rpc().ping(&Context::new()).await.unwrap();
}
