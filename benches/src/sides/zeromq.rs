//! The floor: a bare `zeromq` echo, with what no program of that kind can do without.
//!
//! A message is one frame: a prefix of 8 bytes, then a body. The first byte of the prefix is what is asked for, the others are
//! a number that tells requests apart. The server answers each message in a task of its own, through a clone of its sending
//! half. The client has one connection, whatever the number of its tasks: they share the sending half, and one task reads.

use crate::load::{self, Act, Scale};
use crate::process::Serving;
use crate::side::{Sample, Work};
use crate::{Outcome, because};
use ::zeromq::{
    DealerRecvHalf, DealerSendHalf, DealerSocket, Endpoint, RouterRecvHalf, RouterSendHalf,
    RouterSocket, Socket, SocketRecv, SocketSend, ZmqMessage,
};
use bytes::Bytes;
use futures_util::StreamExt;
use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How long the server is waited for.
const CONNECT: Duration = Duration::from_secs(10);

/// How many bytes are in front of a body.
const PREFIX: usize = 8;

/// What may be asked for.
const ECHO: u8 = 0;
/// Nothing comes back.
const NOTE: u8 = 1;
/// How many notes there were, and in how many nanoseconds.
const NOTED: u8 = 2;
/// Numbers from 0 upwards.
const READY: u8 = 3;
/// A stamp every millisecond.
const PACED: u8 = 4;

fn framed(kind: u8, number: u64, body: &[u8]) -> Bytes {
    let mut prefix = number.to_be_bytes();
    prefix[0] = kind;
    let mut frame = Vec::with_capacity(PREFIX + body.len());
    frame.extend_from_slice(&prefix);
    frame.extend_from_slice(body);
    frame.into()
}

/// The numbers of 8 bytes each in a body.
fn numbers<const N: usize>(body: &[u8]) -> Option<[u64; N]> {
    let (chunks, rest) = body.as_chunks::<8>();
    let chunks: &[[u8; 8]; N] = chunks.try_into().ok()?;
    rest.is_empty().then(|| chunks.map(u64::from_be_bytes))
}

// ---- the server

/// Starts the server on a free port.
pub(super) async fn serve() -> Outcome<Serving> {
    let mut socket = RouterSocket::new();
    let bound = socket
        .bind("tcp://127.0.0.1:0")
        .await
        .map_err(because("the floor can't listen"))?;
    let Endpoint::Tcp(_, port) = bound else {
        return Err(format!("the floor listens on {bound}, which is no port"));
    };
    let (sender, receiver) = socket.split();
    Ok(Serving::new(port, answer(sender, receiver)))
}

/// The notes that have arrived.
#[derive(Default)]
struct Notes {
    /// When the first one did.
    since: Option<Instant>,
    taken_in: u64,
    counted: Arc<AtomicU64>,
}

async fn answer(sender: RouterSendHalf, mut receiver: RouterRecvHalf) -> Outcome {
    let mut notes = Notes::default();
    loop {
        let message = receiver
            .recv()
            .await
            .map_err(because("the floor can't receive"))?;
        let Some((peer, frame)) = message.get(0).zip(message.get(1)) else {
            continue;
        };
        match frame.first() {
            Some(&ECHO) => {
                let mut sender = sender.clone();
                tokio::spawn(async move {
                    // a client that is gone wants no answer
                    let _ = sender.send(message).await;
                });
            }
            Some(&NOTE) => {
                notes.since.get_or_insert_with(Instant::now);
                notes.taken_in += 1;
                let counted = Arc::clone(&notes.counted);
                tokio::spawn(async move { counted.fetch_add(1, Ordering::Relaxed) });
            }
            Some(&NOTED) => {
                let answering = Answering::new(&sender, peer, frame);
                tokio::spawn(noted(answering, std::mem::take(&mut notes)));
            }
            Some(&kind @ (READY | PACED)) => {
                let Some([count]) = frame.get(PREFIX..).and_then(numbers) else {
                    continue;
                };
                let answering = Answering::new(&sender, peer, frame);
                if kind == READY {
                    tokio::spawn(ready(answering, count));
                } else {
                    tokio::spawn(paced(answering, count));
                }
            }
            _ => {}
        }
    }
}

/// Where the answers to a request go.
struct Answering {
    sender: RouterSendHalf,
    peer: Bytes,
    prefix: [u8; PREFIX],
}

impl Answering {
    fn new(sender: &RouterSendHalf, peer: &Bytes, frame: &Bytes) -> Self {
        let prefix = frame.first_chunk::<PREFIX>();
        Self {
            sender: sender.clone(),
            peer: peer.clone(),
            prefix: prefix.copied().unwrap_or_default(),
        }
    }

    /// `false` once the client is gone.
    async fn send(&mut self, body: &[u8]) -> bool {
        let mut frame = Vec::with_capacity(PREFIX + body.len());
        frame.extend_from_slice(&self.prefix);
        frame.extend_from_slice(body);
        let mut message = ZmqMessage::from(frame);
        message.push_front(self.peer.clone());
        self.sender.send(message).await.is_ok()
    }
}

/// Says how many notes came before this, once their tasks have all run.
async fn noted(mut answering: Answering, notes: Notes) {
    while notes.counted.load(Ordering::Relaxed) < notes.taken_in {
        tokio::task::yield_now().await;
    }
    let elapsed = notes.since.map_or(Duration::ZERO, |since| since.elapsed());
    let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
    let body = [notes.taken_in.to_be_bytes(), nanos.to_be_bytes()];
    answering.send(body.as_flattened()).await;
}

async fn ready(mut answering: Answering, count: u64) {
    for number in 0..count {
        if !answering.send(&number.to_be_bytes()).await {
            return;
        }
    }
}

async fn paced(mut answering: Answering, count: u64) {
    let mut stamps = pin!(load::paced(count));
    while let Some(stamp) = stamps.next().await {
        if !answering.send(&stamp.to_be_bytes()).await {
            return;
        }
    }
}

// ---- the client

/// Does one round of a benchmark with the server that listens on a port.
pub(super) async fn run(work: Work, scale: &Scale, port: u16, server: u32) -> Outcome<Sample> {
    let client = Client::connect(port).await?;
    let echo = |body| Echo {
        client: Arc::clone(&client.shared),
        body,
    };
    Ok(match work {
        Work::Sequential => {
            let times =
                load::sequential(scale.warm_up, scale.calls, echo(load::small_body())).await?;
            vec![Some(load::median_micros(times)?)]
        }
        Work::InFlight => {
            let echo = echo(load::small_body());
            load::together(scale.span / 4, server, &echo).await?;
            load::together(scale.span, server, &echo).await?.sample()
        }
        Work::StreamReady => vec![Some(client.shared.stream_ready(scale.items).await?)],
        Work::StreamPaced => {
            let times =
                load::sequential(scale.warm_up, scale.calls, echo(load::small_body())).await?;
            let delay = client.shared.stream_paced(scale.paced_items).await?;
            vec![Some(load::median_micros(times)?), Some(delay)]
        }
        Work::Cast => {
            let note = Note(echo(load::small_body()));
            let warm_up = load::together(scale.span / 4, server, &note).await?;
            client.shared.noted(warm_up.count).await?;
            let done = load::together(scale.span, server, &note).await?;
            vec![Some(client.shared.noted(done.count).await?)]
        }
        Work::Large => {
            let warm_up = scale.warm_up / 50;
            let times =
                load::sequential(warm_up, scale.large_calls, echo(load::large_body())).await?;
            vec![Some(load::mebibytes_per_second(&times))]
        }
    })
}

/// A connection. Closed when it is dropped.
struct Client {
    shared: Arc<Shared>,
    reader: JoinHandle<()>,
}

/// What the client's tasks share.
struct Shared {
    sender: tokio::sync::Mutex<DealerSendHalf>,
    last_number: AtomicU64,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Bytes>>>,
    stream: Mutex<Option<Arriving>>,
}

/// The items of a stream, as they arrive.
struct Arriving {
    kind: Items,
    expected: u64,
    arrived: u64,
    /// Gets the delays of stamps.
    done: oneshot::Sender<Outcome<Vec<u64>>>,
}

enum Items {
    Numbers,
    Stamps(Vec<u64>),
}

impl Client {
    async fn connect(port: u16) -> Outcome<Self> {
        let mut socket = DealerSocket::new();
        let address = format!("tcp://127.0.0.1:{port}");
        tokio::time::timeout(CONNECT, socket.connect(&address))
            .await
            .map_err(because("the floor's server can't be reached"))?
            .map_err(because("the floor's server can't be reached"))?;
        let (sender, receiver) = socket.split();
        let shared = Arc::new(Shared {
            sender: tokio::sync::Mutex::new(sender),
            last_number: AtomicU64::new(0),
            waiting: Mutex::default(),
            stream: Mutex::default(),
        });
        let reader = tokio::spawn(read(Arc::clone(&shared), receiver));
        Ok(Self { shared, reader })
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Hands what arrives to whoever waits for it.
async fn read(shared: Arc<Shared>, mut receiver: DealerRecvHalf) {
    while let Ok(message) = receiver.recv().await {
        let Some(frame) = message.into_vec().pop() else {
            continue;
        };
        match frame.first() {
            Some(&(READY | PACED)) => shared.item(&frame),
            _ => shared.answered(&frame),
        }
    }
    // nobody waits for what can't come
    lock(&shared.waiting).clear();
    lock(&shared.stream).take();
}

impl Shared {
    async fn send(&self, frame: Bytes) -> Outcome {
        let mut sender = self.sender.lock().await;
        sender
            .send(frame.into())
            .await
            .map_err(because("the floor can't send"))
    }

    /// Asks for something, and waits for its answer.
    async fn ask(&self, kind: u8, body: &[u8]) -> Outcome<Bytes> {
        let number = self.last_number.fetch_add(1, Ordering::Relaxed) + 1;
        let frame = framed(kind, number, body);
        let (answer, answered) = oneshot::channel();
        if let Some([id]) = frame.get(..PREFIX).and_then(numbers) {
            lock(&self.waiting).insert(id, answer);
        }
        self.send(frame).await?;
        answered
            .await
            .map_err(|_| "the floor's connection was lost".into())
    }

    fn answered(&self, frame: &Bytes) {
        let Some([id]) = frame.get(..PREFIX).and_then(numbers) else {
            return;
        };
        let waiting = lock(&self.waiting).remove(&id);
        if let Some(waiting) = waiting {
            let _ = waiting.send(frame.slice(PREFIX..));
        }
    }

    fn item(&self, frame: &Bytes) {
        let mut stream = lock(&self.stream);
        let Some(arriving) = &mut *stream else {
            return;
        };
        let Some([number]) = frame.get(PREFIX..).and_then(numbers) else {
            return;
        };
        match &mut arriving.kind {
            Items::Numbers if number != arriving.arrived => {
                let problem = format!("{number} arrived as number {}", arriving.arrived);
                if let Some(arriving) = stream.take() {
                    let _ = arriving.done.send(Err(problem));
                }
                return;
            }
            Items::Numbers => {}
            Items::Stamps(delays) => delays.push(load::stamp().saturating_sub(number)),
        }
        arriving.arrived += 1;
        if arriving.arrived == arriving.expected
            && let Some(arriving) = stream.take()
        {
            let delays = match arriving.kind {
                Items::Numbers => Vec::new(),
                Items::Stamps(delays) => delays,
            };
            let _ = arriving.done.send(Ok(delays));
        }
    }

    /// Asks for a stream, and waits for its end.
    async fn stream(&self, kind: u8, items: Items, count: u64) -> Outcome<Vec<u64>> {
        let (done, ended) = oneshot::channel();
        *lock(&self.stream) = Some(Arriving {
            kind: items,
            expected: count,
            arrived: 0,
            done,
        });
        self.send(framed(kind, 0, &count.to_be_bytes())).await?;
        ended.await.map_err(|_| "the floor's connection was lost")?
    }

    /// Items per second.
    async fn stream_ready(&self, count: u64) -> Outcome<f64> {
        let started = Instant::now();
        self.stream(READY, Items::Numbers, count).await?;
        Ok(count as f64 / started.elapsed().as_secs_f64())
    }

    /// The median of how long items were on their way, in microseconds.
    async fn stream_paced(&self, count: u64) -> Outcome<f64> {
        let items = Items::Stamps(Vec::new());
        load::median_micros(self.stream(PACED, items, count).await?)
    }

    /// Notes per second, of those since it was asked last. They must be as many as were sent.
    async fn noted(&self, sent: u64) -> Outcome<f64> {
        let answer = self.ask(NOTED, &[]).await?;
        match numbers(&answer) {
            Some([count, nanos]) if count == sent && nanos > 0 => {
                Ok(count as f64 * 1e9 / nanos as f64)
            }
            Some([count, _]) => Err(format!("{sent} notes were sent, and {count} arrived")),
            None => Err("the floor's count can't be read".into()),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A request that checks its echo.
#[derive(Clone)]
struct Echo {
    client: Arc<Shared>,
    body: Bytes,
}

impl Act for Echo {
    async fn act(&self) -> Outcome {
        let received = self.client.ask(ECHO, &self.body).await?;
        load::same(&self.body, &received)
    }
}

/// A message that nothing comes back for: it waits only for a place in the socket's queue.
#[derive(Clone)]
struct Note(Echo);

impl Act for Note {
    async fn act(&self) -> Outcome {
        self.0.client.send(framed(NOTE, 0, &self.0.body)).await
    }
}
