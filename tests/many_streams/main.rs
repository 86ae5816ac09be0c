//! Ten thousand streams at once, in a process of their own so that its memory is theirs.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing has failed")]

use futures_util::{StreamExt, stream};
use rpc_core::{Context, Multicall, Server, Stream, Target, Transport, Transports, rpc_api};
use std::time::Duration;

const STREAMS: usize = 10_000;

/// What a stream with nothing but small items takes at both ends together, as the guide says.
const PER_STREAM: usize = 12 * 1024;

/// Places that one client alone does not get, and what a node must be allowed to hold for so many streams: see the guide.
const SPARED: usize = 256;
const HELD: usize = 2_000_000_000;

/// More than a server sends before the first of them are read.
const ITEMS: u64 = 1000;

#[rpc_api(version = "1.0", topic = "counting")]
trait Counting {
    #[rpc(multicall)]
    fn count(&self, ctx: &Context, to: u64) -> impl Stream<Item = u64> + Send;
}

struct Counter;

impl Counting for Counter {
    fn count(&self, _: &Context, to: u64) -> impl Stream<Item = u64> + Send {
        stream::iter(0..to)
    }
}

async fn open(url: &str) -> Transport {
    let schemes = Transports::new().with(rpc_zmq::scheme());
    schemes.open(url).await.unwrap()
}

async fn serve(transport: &Transport) -> Server {
    Server::builder(transport.clone())
        .target(Target::new().server("one"))
        .endpoint(CountingDispatcher::new(Counter))
        .concurrency(STREAMS + SPARED)
        .start()
        .await
        .unwrap()
}

/// The memory that this process has now.
fn memory() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// Opens all streams, and reads the first item of each. What the servers are allowed to send then has arrived or is on its way.
async fn opened(client: &CountingClient) -> Vec<Multicall<u64>> {
    let mut streams = Vec::new();
    for _ in 0..STREAMS {
        let mut stream = client.count(&Context::new(), ITEMS);
        streams.push(tokio::spawn(async move {
            assert_eq!(stream.next().await.unwrap().unwrap(), (0, 0));
            stream
        }));
    }
    let mut open = Vec::new();
    for stream in streams {
        open.push(stream.await.unwrap());
    }
    open
}

async fn ten_thousand(transport: &str, server: &Server, url: &str) {
    let client = CountingClient::new(open(url).await);
    let mut taken = Vec::new();
    for _ in 0..2 {
        let before = memory();
        let streams = opened(&client).await;
        // until nothing arrives any more
        let mut now = memory();
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let then = std::mem::replace(&mut now, memory());
            if now == then {
                break;
            }
        }
        let stats = server.stats();
        assert_eq!(stats.accepted - stats.finished, STREAMS as u64);
        taken.push((now - before.min(now)) / STREAMS);
        for mut stream in streams {
            for expected in 1..ITEMS {
                assert_eq!(stream.next().await.unwrap().unwrap(), (expected, expected));
            }
            assert!(stream.next().await.is_none());
        }
    }
    // what was taken once is taken again, and no more
    let total: usize = taken.iter().sum();
    assert!(total <= PER_STREAM, "{transport}: {taken:?} bytes a stream");
    server.stop().await;
    server.wait().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_streams_take_what_the_guide_says() {
    let window = format!("window={STREAMS}&held_bytes={HELD}");
    let node = open(&format!("zmq://?listen=127.0.0.1:0&{window}")).await;
    let listening = serve(&node).await;
    let url = format!("zmq://{}", node.local_addr().unwrap());
    ten_thousand("zmq", &listening, &url).await;
    let node = open(&format!("memory://many?{window}")).await;
    let listening = serve(&node).await;
    ten_thousand("memory", &listening, "memory://many").await;
}
