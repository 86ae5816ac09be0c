//! A multicall: a stream of replies from one server.
//!
//! Items arrive as they are produced, numbered by the server. An error comes after the items before it. Whoever stops reading
//! ends the stream on the server, and a slow reader slows the server down.
//!
//! `cargo run --example streaming`

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use rpc_core::{CallError, Context, Server, Target, rpc_api, transport};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// How far a server is ahead of a reader, at most.
const AHEAD: u64 = 512;

/// How long a measurement takes.
const EVERY: Duration = Duration::from_millis(50);

/// Reads instruments.
#[rpc_api(version = "1.0")]
pub trait Sensor {
    /// The temperature, again and again, until the sensor breaks.
    #[rpc(multicall)]
    fn temperatures(&self, ctx: &Context) -> impl Stream<Item = Result<f64, Broken>> + Send;

    /// Counts, as fast as it can, for as long as somebody listens.
    #[rpc(multicall)]
    fn ticks(&self, ctx: &Context) -> impl Stream<Item = u64> + Send;
}

/// The sensor is broken.
#[derive(Debug, Serialize, Deserialize)]
pub struct Broken {
    /// The last temperature that it measured.
    pub last: f64,
}

/// A sensor that tells what its streams are doing.
#[derive(Default)]
struct Gauge {
    produced: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
}

impl Sensor for Gauge {
    fn temperatures(&self, _: &Context) -> impl Stream<Item = Result<f64, Broken>> + Send {
        let measured = [Ok(20.5), Ok(21.0), Ok(85.5), Err(Broken { last: 85.5 })];
        stream::iter(measured).then(async |item| {
            sleep(EVERY).await;
            item
        })
    }

    fn ticks(&self, _: &Context) -> impl Stream<Item = u64> + Send {
        let produced = Arc::clone(&self.produced);
        let guard = SetOnDrop(Arc::clone(&self.ended));
        stream::repeat(()).map(move |()| {
            // what a stream holds is dropped with it: a file, a lock, this
            let _held = &guard;
            produced.fetch_add(1, Ordering::Relaxed)
        })
    }
}

/// Says that it was dropped.
struct SetOnDrop(Arc<AtomicBool>);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let gauge = Gauge::default();
    let (produced, ended) = (Arc::clone(&gauge.produced), Arc::clone(&gauge.ended));
    let transport = transport::memory("streaming");
    let server = Server::builder(transport.clone())
        .target(Target::new().server("roof"))
        .endpoint(SensorDispatcher::new(gauge))
        .start()
        .await?;
    let client = SensorClient::new(transport);
    let ctx = Context::new();

    println!("Each temperature arrives when it is measured, and then the error:");
    let started = Instant::now();
    let mut temperatures = client.temperatures(&ctx);
    let mut arrived = 0;
    let broken = loop {
        match temperatures.try_next().await {
            Ok(Some((number, degrees))) => {
                let after = started.elapsed();
                println!("  item {number}: {degrees:.1} °C, after {after:.0?}");
                assert!(after >= EVERY * (arrived + 1));
                assert_eq!(number, u64::from(arrived));
                arrived += 1;
            }
            Err(CallError::Method(broken)) => break broken,
            other => return Err(format!("not what was expected: {other:?}").into()),
        }
    };
    println!("  error: {broken:?}");
    assert_eq!(arrived, 3, "the items before the error");
    assert!(temperatures.next().await.is_none(), "the error is the end");

    println!("\nA reader that takes its time; the server is at most {AHEAD} items ahead:");
    let mut ticks = client.ticks(&ctx);
    for read in 1..=800 {
        ticks.try_next().await?.ok_or("ticks have no end")?;
        if read % 200 == 0 {
            // the server has all the time that it could want
            sleep(Duration::from_millis(50)).await;
            let produced = produced.load(Ordering::Relaxed);
            println!("  {read:>3} read, {produced:>3} produced");
            assert!(produced > read && produced <= read + AHEAD);
        }
    }

    println!("\nThe reader stops:");
    assert!(!ended.load(Ordering::Relaxed));
    drop(ticks);
    timeout(Duration::from_secs(5), async {
        while !ended.load(Ordering::Relaxed) {
            sleep(Duration::from_millis(1)).await;
        }
    })
    .await?;
    println!("  the server has dropped its stream, too");

    server.stop().await;
    server.wait().await;
    assert_eq!(server.stats().cancelled, 1, "the stream nobody wanted");
    Ok(())
}
