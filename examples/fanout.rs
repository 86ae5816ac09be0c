//! A fanout: one message to every server of a topic, and what it says when some are not there.
//!
//! `cargo run --example fanout`

use rpc_core::{
    Context, Fanout, FanoutError, FanoutIncomplete, Server, Target, Transport, rpc_api,
};
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::timeout;

/// Keeps what is asked for often.
#[rpc_api(version = "1.0")]
pub trait Cache {
    /// Forgets everything, on every server.
    #[rpc(cast, fanout)]
    async fn clear(&self, ctx: &Context);
}

/// A cache that counts how often it was cleared.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicU64>);

impl Cache for Counting {
    async fn clear(&self, _: &Context) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// One server and the node that it is on.
struct Node {
    server: Server,
    transport: Transport,
    cleared: Counting,
}

impl Node {
    /// Starts a server that listens here; port 0 is any free one.
    async fn start(name: &str, listen: &str) -> Result<Self, Box<dyn Error>> {
        let transport = rpc_zmq::connect(&format!("zmq://{listen}")).await?;
        let cleared = Counting::default();
        let server = Server::builder(transport.clone())
            .target(Target::new().server(name))
            .endpoint(CacheDispatcher::new(cleared.clone()))
            .start()
            .await?;
        Ok(Self {
            server,
            transport,
            cleared,
        })
    }

    fn address(&self) -> Result<String, Box<dyn Error>> {
        Ok(self.transport.local_addr().ok_or("it listens nowhere")?)
    }

    /// Runs what was accepted, takes the node down, and tells how often the cache was cleared.
    async fn stop(self) -> u64 {
        self.server.stop().await;
        self.server.wait().await;
        self.transport.close(Duration::from_secs(1)).await;
        self.cleared.0.load(Ordering::Relaxed)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let red = Node::start("red", "127.0.0.1:0").await?;
    let green = Node::start("green", "127.0.0.1:0").await?;
    let blue = Node::start("blue", "127.0.0.1:0").await?;
    let (a, b, c) = (red.address()?, green.address()?, blue.address()?);
    let transport = rpc_zmq::connect(&format!("zmq://{a},{b},{c}")).await?;
    let client = CacheClient::new(transport).prepare(|call| call.timeout(Duration::from_secs(5)));
    let ctx = Context::new();

    println!("Three servers:");
    let fanout = client.clear(&ctx).await?;
    let mut fanouts = 1;
    println!("  accepted by {}", fanout.accepted.join(", "));
    assert_eq!(fanout.accepted, ["blue", "green", "red"]);

    println!("\nblue is stopped, and its node with it:");
    let cleared_before = blue.stop().await;
    let incomplete = loop {
        fanouts += 1;
        match client.clear(&ctx).await {
            Err(FanoutError::Incomplete(incomplete)) => break incomplete,
            // a server that says that it is draining is not asked; the link to it is about to go
            Ok(fanout) => println!("  accepted by {}", fanout.accepted.join(", ")),
            Err(error) => return Err(error.into()),
        }
    };
    println!("  {incomplete}");
    println!("  accepted:  {}", incomplete.accepted.join(", "));
    for (address, reason) in &incomplete.unreached {
        println!("  unreached: {address} ({reason})");
    }
    assert_eq!(incomplete.accepted, ["green", "red"]);
    assert!(incomplete.refused.is_empty() && incomplete.unknown.is_empty());

    println!("\nblue is back, and the same fanout is tried again where it did not run:");
    let blue = Node::start("blue", &c).await?;
    let fanout = timeout(Duration::from_secs(10), complete(incomplete)).await??;
    println!("  accepted by {}", fanout.accepted.join(", "));
    assert_eq!(fanout.accepted, ["blue", "green", "red"]);

    println!("\nHow often each was cleared:");
    let (red, green, blue) = (red.stop().await, green.stop().await, blue.stop().await);
    println!("  red {red}, green {green}, blue {cleared_before} and, after its return, {blue}");
    assert_eq!((red, green, cleared_before, blue), (fanouts, fanouts, 1, 1));
    Ok(())
}

/// Retries until every server has it. One that may have run it is not asked again, so with one of those this gives up.
async fn complete(mut incomplete: FanoutIncomplete) -> Result<Fanout, FanoutError> {
    while incomplete.unknown.is_empty() {
        match incomplete.retry().await {
            Err(FanoutError::Incomplete(again)) => incomplete = again,
            done => return done,
        }
    }
    Err(incomplete.into())
}
