//! One server and one client on a network that breaks as it is told to.

use futures_util::stream;
use rpc_core::testing::lossy::{Faults, Network};
use rpc_core::{Context, Server, Stream, Target, rpc_api};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;
use tokio::sync::Notify;

/// The kinds of frames, as `docs/wire-protocol.md` numbers them.
pub(crate) mod kind {
    pub(crate) const HELLO: u8 = 1;
    pub(crate) const ANNOUNCE: u8 = 2;
    pub(crate) const CALL: u8 = 3;
    pub(crate) const CAST: u8 = 4;
    pub(crate) const MULTICALL: u8 = 5;
    pub(crate) const REPLY: u8 = 6;
    pub(crate) const FAIL: u8 = 7;
    pub(crate) const ACCEPT: u8 = 8;
    pub(crate) const ITEMS: u8 = 9;
    pub(crate) const END: u8 = 10;
    pub(crate) const CREDIT: u8 = 11;
    pub(crate) const CANCEL: u8 = 12;
    pub(crate) const SEEN: u8 = 14;
}

#[rpc_api(version = "1.0", topic = "faults")]
pub(crate) trait Probe {
    /// How many handlers had begun before.
    async fn count(&self, ctx: &Context) -> u64;

    /// The same number.
    async fn echo(&self, ctx: &Context, number: u64) -> u64;

    /// Runs until it is cancelled.
    async fn hang(&self, ctx: &Context);

    /// Takes so many milliseconds.
    async fn take(&self, ctx: &Context, ms: u64);

    async fn fail(&self, ctx: &Context) -> Result<(), String>;

    #[rpc(cast)]
    async fn note(&self, ctx: &Context);

    #[rpc(multicall)]
    fn list(&self, ctx: &Context, items: u64) -> impl Stream<Item = Result<u64, String>> + Send;
}

#[derive(Default)]
pub(crate) struct Seen {
    begun: AtomicU64,
    dropped: AtomicU64,
    changed: Notify,
}

impl Seen {
    pub(crate) fn begun(&self) -> u64 {
        self.begun.load(SeqCst)
    }

    /// Waits until so many handlers of `hang` or `list` have been dropped.
    pub(crate) async fn dropped(&self, count: u64) {
        loop {
            let changed = self.changed.notified();
            if self.dropped.load(SeqCst) >= count {
                return;
            }
            changed.await;
        }
    }

    fn begin(&self) -> u64 {
        self.begun.fetch_add(1, SeqCst)
    }
}

struct Guard(Arc<Seen>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, SeqCst);
        self.0.changed.notify_waiters();
    }
}

struct Counting(Arc<Seen>);

impl Probe for Counting {
    async fn count(&self, _: &Context) -> u64 {
        self.0.begin()
    }

    async fn echo(&self, _: &Context, number: u64) -> u64 {
        number
    }

    async fn hang(&self, _: &Context) {
        self.0.begin();
        let _guard = Guard(Arc::clone(&self.0));
        std::future::pending::<()>().await;
    }

    async fn take(&self, _: &Context, ms: u64) {
        self.0.begin();
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }

    async fn fail(&self, _: &Context) -> Result<(), String> {
        self.0.begin();
        Err("as it was told to".into())
    }

    async fn note(&self, _: &Context) {
        self.0.begin();
    }

    fn list(&self, _: &Context, items: u64) -> impl Stream<Item = Result<u64, String>> + Send {
        self.0.begin();
        let guard = Guard(Arc::clone(&self.0));
        stream::iter((0..items).map(move |item| {
            let _held = &guard;
            Ok(item)
        }))
    }
}

/// How long requests may take.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(500);

/// A server, and a client with a link to it on which nothing has gone wrong yet.
pub(crate) struct World {
    pub(crate) network: Network,
    pub(crate) server: Server,
    pub(crate) seen: Arc<Seen>,
    pub(crate) client: ProbeClient,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    /// With options of the server's node.
    pub(crate) async fn with(options: &str) -> Self {
        let world = Self::unlinked(options, Faults::none()).await;
        world.client.count(&Context::new()).await.unwrap();
        world
    }

    /// Of which the client has no link yet.
    pub(crate) async fn unlinked(options: &str, faults: Faults) -> Self {
        let network = Network::new(1, faults);
        let (server, seen) = serve(&network, options).await;
        let client = ProbeClient::new(network.transport("client"));
        Self {
            client: client.prepare(|call| call.timeout(TIMEOUT)),
            network,
            server,
            seen,
        }
    }

    /// From now on, frames of these kinds are lost.
    pub(crate) fn lose(&self, kinds: &[u8]) {
        self.network
            .set_faults(Faults::none().loss(1.0).only(kinds));
    }

    pub(crate) fn lose_nothing(&self) {
        self.network.set_faults(Faults::none());
    }

    /// That the window has its place back: there must be only one.
    pub(crate) async fn has_its_place_back(&self) {
        // what was sent up to now is still lost
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.lose_nothing();
        for _ in 0..3 {
            self.client.count(&Context::new()).await.unwrap();
        }
    }
}

/// A server at the address `node`, in place of the one that was there.
pub(crate) async fn serve(network: &Network, options: &str) -> (Server, Arc<Seen>) {
    let seen = Arc::new(Seen::default());
    let server = Server::builder(network.transport_with("node", options).unwrap())
        .target(Target::new().server("node-1"))
        .endpoint(ProbeDispatcher::new(Counting(Arc::clone(&seen))))
        .start()
        .await
        .unwrap();
    (server, seen)
}
