//! The client of the floor of ZeroMQ.

use super::{ECHO, NOTE, NOTED, PACED, PREFIX, READY, number};
use crate::side::{Echoes, Job, Sample, Work};
use crate::sides::floor::{self, Echo, Floor, Waiting, lock};
use crate::work::{echo, idle};
use crate::{Outcome, because, load};
use ::zeromq::{DealerRecvHalf, DealerSendHalf, DealerSocket, Socket, SocketRecv, SocketSend};
use bytes::Bytes;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How long the server is waited for.
const CONNECT: Duration = Duration::from_secs(10);

/// The part of a prefix that is a number.
const NUMBER: u64 = u64::MAX >> 8;

fn framed(kind: u8, number: u64, body: &[u8]) -> Bytes {
    let mut prefix = number.to_be_bytes();
    prefix[0] = kind;
    let mut frame = Vec::with_capacity(PREFIX + body.len());
    frame.extend_from_slice(&prefix);
    frame.extend_from_slice(body);
    frame.into()
}

/// Does one round of a benchmark.
pub(in crate::sides) async fn run(job: Job) -> Outcome<Sample> {
    let client = Client::connect(job.port()).await?;
    let echo = |body| Echo(Arc::clone(&client.shared), body);
    match job.work {
        Work::Echo(echoes) => echo::round(echoes, &job, echo).await,
        Work::StreamReady => Ok(vec![Some(
            client.shared.stream_ready(job.scale.items).await?,
        )]),
        Work::StreamPaced => {
            let mut sample = echo::round(Echoes::Sequential, &job, echo).await?;
            let delay = client.shared.stream_paced(job.scale.paced_items).await?;
            sample.push(Some(delay));
            Ok(sample)
        }
        Work::Cast => floor::notes(&client.shared, &job).await,
        Work::Idle => {
            idle::round(&job, || async {
                let client = Client::connect(job.port()).await?;
                client.shared.echo(&load::small_body()).await?;
                Ok(client)
            })
            .await
        }
        Work::Many => job.not_done(),
    }
}

/// A connection. Closed when it is dropped.
struct Client {
    shared: Arc<Shared>,
    reader: JoinHandle<()>,
}

/// What the client's tasks share.
struct Shared {
    sender: tokio::sync::Mutex<DealerSendHalf>,
    waiting: Waiting,
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
            waiting: Waiting::default(),
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
    shared.waiting.give_up();
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
        let (number, waits) = self.waiting.add();
        self.send(framed(kind, number, body)).await?;
        waits.answer().await
    }

    fn answered(&self, frame: &Bytes) {
        if let Some(prefix) = frame.get(..PREFIX).and_then(number) {
            self.waiting.answer(prefix & NUMBER, frame.slice(PREFIX..));
        }
    }

    fn item(&self, frame: &Bytes) {
        let mut stream = lock(&self.stream);
        let Some(arriving) = &mut *stream else {
            return;
        };
        let Some(number) = frame.get(PREFIX..).and_then(number) else {
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
}

impl Floor for Shared {
    async fn echo(&self, body: &[u8]) -> Outcome<Bytes> {
        self.ask(ECHO, body).await
    }

    /// Waits only for a place in the socket's queue.
    async fn note(&self, body: &[u8]) -> Outcome {
        self.send(framed(NOTE, 0, body)).await
    }

    async fn noted(&self) -> Outcome<Bytes> {
        self.ask(NOTED, &[]).await
    }
}
