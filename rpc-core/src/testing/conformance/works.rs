//! A service whose methods run in every way that a method can.

use crate::testing::world::World;
use futures_util::{StreamExt, stream};
use rpc_core::{Context, Server, ServerBuilder, Stream, Target, Transport, rpc_api};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

#[rpc_api(version = "1.0", topic = "works")]
pub(crate) trait Works {
    async fn name(&self, ctx: &Context) -> String;

    /// Runs until it is released, or dropped.
    async fn hold(&self, ctx: &Context, id: u64) -> u64;

    /// The same, of another method.
    async fn hold_too(&self, ctx: &Context, id: u64) -> u64;

    #[rpc(name = "_reset")]
    async fn reset(&self, ctx: &Context);

    #[rpc(cast)]
    async fn note(&self, ctx: &Context, text: &str);

    #[rpc(cast)]
    async fn watch_cast(&self, ctx: &Context);

    #[rpc(during_drain)]
    async fn finish(&self, ctx: &Context) -> String;

    #[rpc(during_drain)]
    async fn finish_slowly(&self, ctx: &Context);

    #[rpc(cast, fanout, during_drain)]
    async fn tell(&self, ctx: &Context);

    #[rpc(no_cancel)]
    async fn commit(&self, ctx: &Context);

    /// Blocks its thread until it is released.
    #[rpc(blocking)]
    async fn block(&self, ctx: &Context);

    /// Blocks its thread until nobody waits any more.
    #[rpc(blocking)]
    async fn block_while_wanted(&self, ctx: &Context);

    /// Waits on one of the threads that may be blocked.
    #[rpc(blocking)]
    async fn wait_on_thread(&self, ctx: &Context);

    #[rpc(blocking)]
    async fn panic_on_thread(&self, ctx: &Context);

    #[rpc(blocking, multicall)]
    fn count_on_thread(&self, ctx: &Context, to: u64) -> impl Stream<Item = u64> + Send;

    /// Spawns tasks that wait until the request is cancelled.
    async fn spawn_watchers(&self, ctx: &Context, count: u32);

    /// The same, of a stream that yields nothing.
    #[rpc(multicall)]
    fn watched_stream(&self, ctx: &Context) -> impl Stream<Item = u64> + Send;

    /// Spawns a call of `hold` at another server, with its own context or with a detached one, and waits.
    async fn spawn_call(&self, ctx: &Context, detached: bool);

    /// Spawns a reader of `watched_stream` at another server, and waits.
    async fn spawn_stream(&self, ctx: &Context);

    async fn deadline_in_ms(&self, ctx: &Context) -> Option<u64>;
}

/// What happened, and what handlers wait for.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) notes: Mutex<Vec<String>>,
    /// A permit for each note.
    pub(crate) noted: Semaphore,
    /// A permit for each handler that began to wait.
    pub(crate) began: Semaphore,
    /// A permit for each that was dropped.
    pub(crate) dropped: Semaphore,
    released: watch::Sender<bool>,
    /// For threads.
    blocked: (Mutex<bool>, Condvar),
}

impl Log {
    fn new() -> Self {
        Self {
            notes: Mutex::default(),
            noted: Semaphore::new(0),
            began: Semaphore::new(0),
            dropped: Semaphore::new(0),
            released: watch::Sender::new(false),
            blocked: Default::default(),
        }
    }

    pub(crate) fn release(&self) {
        self.released.send_replace(true);
        *self.blocked.0.lock().unwrap() = true;
        self.blocked.1.notify_all();
    }

    pub(crate) fn note(&self, text: &str) {
        self.notes.lock().unwrap().push(text.into());
        self.noted.add_permits(1);
    }

    pub(crate) fn notes(&self) -> Vec<String> {
        self.notes.lock().unwrap().clone()
    }

    pub(crate) async fn wait(what: &Semaphore, count: u32) {
        what.acquire_many(count).await.unwrap().forget();
    }

    async fn held(self: &Arc<Self>) {
        let _dropped = Dropped(Arc::clone(self));
        self.began.add_permits(1);
        let mut released = self.released.subscribe();
        released.wait_for(|released| *released).await.unwrap();
    }

    fn blocked(&self) {
        self.began.add_permits(1);
        let (released, changed) = &self.blocked;
        let mut released = released.lock().unwrap();
        while !*released {
            released = changed.wait(released).unwrap();
        }
    }
}

struct Dropped(Arc<Log>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.dropped.add_permits(1);
    }
}

pub(crate) struct Worker {
    name: String,
    log: Arc<Log>,
    /// Whom it calls.
    other: Option<WorksClient>,
}

impl Worker {
    fn watch(&self, ctx: &Context, text: &'static str) {
        let (ctx, log) = (ctx.clone(), Arc::clone(&self.log));
        tokio::spawn(async move {
            ctx.cancelled().await;
            assert!(ctx.is_cancelled());
            log.note(text);
        });
    }
}

impl Works for Worker {
    async fn name(&self, _: &Context) -> String {
        self.name.clone()
    }

    async fn hold(&self, _: &Context, id: u64) -> u64 {
        self.log.held().await;
        id
    }

    async fn hold_too(&self, _: &Context, id: u64) -> u64 {
        self.log.note(&id.to_string());
        self.log.held().await;
        id
    }

    async fn reset(&self, _: &Context) {
        self.log.note("reset");
    }

    async fn note(&self, _: &Context, text: &str) {
        self.log.note(text);
    }

    async fn watch_cast(&self, ctx: &Context) {
        self.watch(ctx, "cancelled");
        let deadline = ctx.deadline();
        self.log
            .note(&format!("{} {deadline:?}", ctx.is_cancelled()));
        self.log.held().await;
    }

    async fn finish(&self, _: &Context) -> String {
        self.name.clone()
    }

    async fn finish_slowly(&self, _: &Context) {
        self.log.held().await;
    }

    async fn tell(&self, _: &Context) {
        self.log.note("told");
    }

    async fn commit(&self, ctx: &Context) {
        self.watch(ctx, "cancelled");
        self.log.held().await;
        self.log.note("committed");
    }

    async fn block(&self, _: &Context) {
        self.log.blocked();
    }

    async fn block_while_wanted(&self, ctx: &Context) {
        self.log.began.add_permits(1);
        while !ctx.is_cancelled() {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.log.note("not wanted");
    }

    async fn wait_on_thread(&self, _: &Context) {
        self.log.held().await;
    }

    async fn panic_on_thread(&self, _: &Context) {
        panic!("on a thread");
    }

    fn count_on_thread(&self, _: &Context, to: u64) -> impl Stream<Item = u64> + Send {
        stream::iter((0..to).inspect(|_| std::thread::sleep(Duration::from_micros(10))))
    }

    async fn spawn_watchers(&self, ctx: &Context, count: u32) {
        for _ in 0..count {
            self.watch(ctx, "cancelled");
        }
        self.log.held().await;
    }

    fn watched_stream(&self, ctx: &Context) -> impl Stream<Item = u64> + Send {
        self.watch(ctx, "cancelled");
        self.log.began.add_permits(1);
        stream::pending()
    }

    async fn spawn_call(&self, ctx: &Context, detached: bool) {
        let ctx = if detached {
            ctx.detached()
        } else {
            ctx.clone()
        };
        let call = self.other.as_ref().unwrap().hold(&ctx, 5);
        let (log, other) = (Arc::clone(&self.log), self.other.clone().unwrap());
        tokio::spawn(async move {
            let kind = |result: Result<u64, rpc_core::CallError<rpc_core::Never>>| match result {
                Ok(id) => format!("answered {id}"),
                Err(error) => error.rpc().unwrap().kind().name().to_owned(),
            };
            log.note(&kind(call.await));
            log.note(&kind(other.hold(&ctx, 6).await));
        });
        self.log.held().await;
    }

    async fn spawn_stream(&self, ctx: &Context) {
        let mut items = self.other.as_ref().unwrap().watched_stream(ctx);
        let log = Arc::clone(&self.log);
        tokio::spawn(async move {
            let item = items.next().await.unwrap();
            log.note(item.unwrap_err().rpc().unwrap().kind().name());
            assert!(items.next().await.is_none());
        });
        self.log.held().await;
    }

    async fn deadline_in_ms(&self, ctx: &Context) -> Option<u64> {
        let left = ctx.deadline()?.duration_since(tokio::time::Instant::now());
        Some(u64::try_from(left.as_millis()).unwrap())
    }
}

/// A server of a worker, on a node of its own.
pub(crate) struct Workshop {
    pub(crate) server: Server,
    pub(crate) transport: Transport,
    pub(crate) log: Arc<Log>,
}

impl World {
    pub(crate) async fn works(&mut self, name: &str) -> Workshop {
        self.works_with(name, "", None, |server| server).await
    }

    pub(crate) async fn works_with(
        &mut self,
        name: &str,
        options: &str,
        other: Option<WorksClient>,
        set: impl FnOnce(ServerBuilder) -> ServerBuilder,
    ) -> Workshop {
        let transport = self.node(options).await;
        let log = Arc::new(Log::new());
        let worker = Worker {
            name: name.into(),
            log: Arc::clone(&log),
            other,
        };
        let server = Server::builder(transport.clone())
            .target(Target::new().server(name))
            .endpoint(WorksDispatcher::new(worker));
        let server = set(server).start().await.unwrap();
        self.list(&transport);
        Workshop {
            server,
            transport,
            log,
        }
    }

    pub(crate) async fn works_client(&self) -> WorksClient {
        WorksClient::new(self.client_transport().await)
    }
}

/// Waits until a client has a link to all of these.
pub(crate) async fn meet(client: &WorksClient, servers: &[&str]) {
    for server in servers {
        let one = client.prepare(|call| call.server(*server));
        one.name(&Context::new()).await.unwrap();
    }
}
