//! Far more calls at once than a server takes: those past its limits wait or are refused, memory is bounded, and when the rush is over,
//! everything is as before.
//!
//! `CROWD_CALLS=100000` says how many.

use crate::memory;
use rpc_core::{CallError, Context, ErrorKind, Server, Target, Transport, rpc_api};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};
use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The limits that nobody has set.
const WINDOW: usize = 1024;
const RUN: usize = 1024;
const QUEUE: usize = 1024;

/// Some are not so patient.
const SHORT: Duration = Duration::from_secs(3);
const LONG: Duration = Duration::from_secs(120);

/// What a call that waits for a place may hold, its task included.
const EACH: usize = 4096;

#[rpc_api(version = "1.0", topic = "crowd")]
trait Crowded {
    async fn enter(&self, ctx: &Context, number: u32) -> u32;
}

/// A server that answers nobody until it is opened, and then takes its time.
struct Slow(watch::Receiver<bool>);

impl Crowded for Slow {
    async fn enter(&self, _: &Context, number: u32) -> u32 {
        let _ = self.0.clone().wait_for(|open| *open).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        number
    }
}

type Answer = Result<u32, CallError<rpc_core::Never>>;

/// Calls, each in a task of its own; `polled` counts those that have begun.
fn call(
    calls: &mut JoinSet<(bool, Answer)>,
    client: &CrowdedClient,
    number: usize,
    polled: &Arc<AtomicUsize>,
) {
    let short = number.is_multiple_of(2);
    let timeout = if short { SHORT } else { LONG };
    let client = client.prepare(|call| call.timeout(timeout));
    let polled = Arc::clone(polled);
    calls.spawn(async move {
        polled.fetch_add(1, SeqCst);
        let number = u32::try_from(number).expect("few enough");
        (short, client.enter(&Context::new(), number).await)
    });
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let limit = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < limit, "in vain it was waited until {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn crowd(name: &str, node: Transport, connect: impl AsyncFn(&Transport) -> Transport) {
    let count = crate::number("CROWD_CALLS").unwrap_or(10_000);
    let open = watch::Sender::new(true);
    let server = Server::builder(node.clone())
        .target(Target::new().server("slow"))
        .endpoint(CrowdedDispatcher::new(Slow(open.subscribe())))
        .start()
        .await
        .expect("a server");
    let [crowd, second, third] = [
        connect(&node).await,
        connect(&node).await,
        connect(&node).await,
    ]
    .map(CrowdedClient::new);
    for client in [&crowd, &second, &third] {
        client.enter(&Context::new(), 0).await.expect("an answer");
    }
    open.send_replace(false);
    let before = memory::live();
    let accepted = server.stats().accepted;

    let polled = Arc::new(AtomicUsize::new(0));
    let mut calls = JoinSet::new();
    for number in 0..count {
        call(&mut calls, &crowd, number, &polled);
    }
    until("all have been sent", || polled.load(SeqCst) == count).await;
    until("as many run as may", || {
        server.stats().accepted - accepted >= RUN as u64
    })
    .await;
    let each = memory::live().saturating_sub(before) / count;
    assert_eq!(server.stats().refused, 0, "a client keeps to its window");

    // who was not so patient was in flight, or surely did not run
    let (mut timed_out, mut overloaded) = (0, 0);
    let mut long = 0;
    while timed_out + overloaded < count.div_ceil(2) {
        let (short, answer) = calls.join_next().await.expect("more").expect("no panic");
        assert!(short, "nobody is answered yet: {answer:?}");
        match kind(&answer) {
            Some(ErrorKind::Timeout) => timed_out += 1,
            // a place became free too late, or none at all
            Some(ErrorKind::Overloaded | ErrorKind::Undeliverable) => overloaded += 1,
            _ => panic!("{answer:?}"),
        }
    }
    assert!(overloaded > 0, "there was a place for everybody");

    // other clients have windows of their own: what they send waits at the server, and past its queue it is refused at once
    let (mut others, mut too_many) = (JoinSet::new(), JoinSet::new());
    let began = Instant::now();
    for number in 0..QUEUE {
        call(&mut others, &second, number * 2 + 1, &polled);
    }
    for number in 0..WINDOW {
        call(&mut too_many, &third, number * 2 + 1, &polled);
    }
    let refused = tokio::select! {
        Some(refused) = others.join_next() => refused,
        Some(refused) = too_many.join_next() => refused,
    };
    assert_eq!(
        kind(&refused.expect("no panic").1),
        Some(ErrorKind::Overloaded)
    );
    assert!(began.elapsed() < SHORT, "at once");
    too_many.shutdown().await;

    open.send_replace(true);
    let began = Instant::now();
    while let Some(ended) = calls.join_next().await {
        assert!(ended.expect("no panic").1.is_ok(), "who waits has its turn");
        long += 1;
    }
    while let Some(ended) = others.join_next().await {
        let (_, answer) = ended.expect("no panic");
        let refused = kind(&answer) == Some(ErrorKind::Overloaded);
        assert!(answer.is_ok() || refused, "{answer:?}");
    }
    let served = began.elapsed();
    let began = Instant::now();
    for client in [&crowd, &second, &third] {
        client.enter(&Context::new(), 0).await.expect("an answer");
    }
    let normal = began.elapsed();
    assert!(normal < Duration::from_secs(1), "as before: {normal:?}");
    drop((calls, others));
    let after = memory::live().saturating_sub(before);
    println!(
        "{name}: {count} calls at once hold {each} bytes each; {overloaded} overloaded and {timed_out} timed out at their deadline, \
         {long} answered in {served:.1?}; as before {normal:.1?} later, with {after} bytes more"
    );
    assert!(each <= EACH, "{each} bytes");
    assert!(after < count * each / 10, "{after} bytes stay");
}

fn kind(answer: &Answer) -> Option<ErrorKind> {
    let error = answer.as_ref().err()?;
    error.rpc().map(rpc_core::RpcError::kind)
}

#[test]
fn a_crowd_over_memory_waits_or_is_refused() {
    memory::run_alone(Builder::new_multi_thread().worker_threads(2), async {
        let transport = || rpc_core::transport::memory("crowd");
        crowd("memory", transport(), async |_| transport()).await;
    });
}

#[test]
fn a_crowd_over_zeromq_waits_or_is_refused() {
    memory::run_alone(Builder::new_multi_thread().worker_threads(2), async {
        let open = async |url: &str| rpc_zmq::connect(url).await.expect("a good URL");
        let node = open("zmq://?listen=127.0.0.1:0").await;
        crowd("zmq", node, async |node| {
            let address = node.local_addr().expect("it listens");
            open(&format!("zmq://{address}")).await
        })
        .await;
    });
}
