//! The floor of sockets: frames over one TCP connection, and a table of who waits for what.
//!
//! A frame is a length (4 bytes), what is asked for (1 byte), a number that tells requests apart (8 bytes), and a body. The
//! server answers each frame where it reads it. The client has one connection, whatever the number of its tasks: frames that wait
//! while one is written leave together.

use crate::load::{self, Act, Scale};
use crate::process::Serving;
use crate::side::{Sample, Work};
use crate::{Outcome, because};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const HEAD: usize = 13;

/// What may be asked for.
const ECHO: u8 = 0;
/// Nothing comes back.
const NOTE: u8 = 1;
/// How many notes there were, and in how many nanoseconds.
const NOTED: u8 = 2;

/// How much is read at a time.
const ROOM: usize = 64 * 1024;

struct Frame {
    kind: u8,
    number: u64,
    body: Bytes,
}

/// Takes the next frame off the front, once it is complete.
fn next_frame(bytes: &mut BytesMut) -> Option<Frame> {
    let mut head: &[u8] = bytes.get(..HEAD)?;
    let (len, kind, number) = (head.get_u32() as usize, head.get_u8(), head.get_u64());
    if bytes.len() < HEAD + len {
        bytes.reserve(HEAD + len - bytes.len());
        return None;
    }
    bytes.advance(HEAD);
    Some(Frame {
        kind,
        number,
        body: bytes.split_to(len).freeze(),
    })
}

fn put_frame(out: &mut Vec<u8>, kind: u8, number: u64, body: &[u8]) {
    out.put_u32(u32::try_from(body.len()).unwrap_or(u32::MAX));
    out.put_u8(kind);
    out.put_u64(number);
    out.extend_from_slice(body);
}

// ---- the server

/// Starts the server on a free port.
pub(super) async fn serve() -> Outcome<Serving> {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .map_err(because("the floor can't listen"))?;
    let port = listener.local_addr().map_err(because("no address"))?.port();
    Ok(Serving::new(port, async move {
        loop {
            let (stream, _) = listener
                .accept()
                .await
                .map_err(because("the floor can't accept"))?;
            tokio::spawn(answer(stream));
        }
    }))
}

async fn answer(mut stream: TcpStream) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut received = BytesMut::with_capacity(ROOM);
    let mut out = Vec::new();
    let (mut since, mut noted): (Option<Instant>, u64) = (None, 0);
    loop {
        while let Some(Frame { kind, number, body }) = next_frame(&mut received) {
            match kind {
                ECHO => put_frame(&mut out, ECHO, number, &body),
                NOTE => {
                    since.get_or_insert_with(Instant::now);
                    noted += 1;
                }
                _ => {
                    let elapsed = since.take().map_or(0, |since| since.elapsed().as_nanos());
                    let elapsed = u64::try_from(elapsed).unwrap_or(u64::MAX);
                    let counts = [noted.to_be_bytes(), elapsed.to_be_bytes()];
                    put_frame(&mut out, NOTED, number, counts.as_flattened());
                    noted = 0;
                }
            }
        }
        stream.write_all(&out).await.ok()?;
        out.clear();
        received.reserve(ROOM);
        if stream.read_buf(&mut received).await.ok()? == 0 {
            return None;
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
        Work::StreamReady | Work::StreamPaced => {
            return Err("the floor of sockets has no streams".into());
        }
    })
}

/// A connection. Closed when it is dropped.
struct Client {
    shared: Arc<Shared>,
    reader: JoinHandle<()>,
}

struct Shared {
    /// What waits to be written.
    out: Mutex<Vec<u8>>,
    writer: tokio::sync::Mutex<OwnedWriteHalf>,
    last_number: AtomicU64,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Bytes>>>,
}

impl Client {
    async fn connect(port: u16) -> Outcome<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))
            .await
            .map_err(because("the floor's server can't be reached"))?;
        stream.set_nodelay(true).map_err(because("no connection"))?;
        let (reader, writer) = stream.into_split();
        let shared = Arc::new(Shared {
            out: Mutex::default(),
            writer: tokio::sync::Mutex::new(writer),
            last_number: AtomicU64::new(0),
            waiting: Mutex::default(),
        });
        let reader = tokio::spawn(read(Arc::clone(&shared), reader));
        Ok(Self { shared, reader })
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Hands what arrives to whoever waits for it.
async fn read(shared: Arc<Shared>, mut reader: OwnedReadHalf) {
    let mut received = BytesMut::with_capacity(ROOM);
    while let Ok(1..) = reader.read_buf(&mut received).await {
        while let Some(frame) = next_frame(&mut received) {
            let waiting = lock(&shared.waiting).remove(&frame.number);
            if let Some(waiting) = waiting {
                let _ = waiting.send(frame.body);
            }
        }
        received.reserve(ROOM);
    }
    // nobody waits for what can't come
    lock(&shared.waiting).clear();
}

impl Shared {
    /// Returns when the frame has been written, by whoever wrote it.
    async fn send(&self, kind: u8, number: u64, body: &[u8]) -> Outcome {
        put_frame(&mut lock(&self.out), kind, number, body);
        let mut writer = self.writer.lock().await;
        let out = std::mem::take(&mut *lock(&self.out));
        if out.is_empty() {
            return Ok(());
        }
        writer
            .write_all(&out)
            .await
            .map_err(because("the floor can't send"))
    }

    /// Asks for something, and waits for its answer.
    async fn ask(&self, kind: u8, body: &[u8]) -> Outcome<Bytes> {
        let number = self.last_number.fetch_add(1, Ordering::Relaxed) + 1;
        let (answer, answered) = oneshot::channel();
        lock(&self.waiting).insert(number, answer);
        self.send(kind, number, body).await?;
        answered
            .await
            .map_err(|_| "the floor's connection was lost".into())
    }

    /// Notes per second, of those since it was asked last. They must be as many as were sent.
    async fn noted(&self, sent: u64) -> Outcome<f64> {
        let mut answer = self.ask(NOTED, &[]).await?;
        if answer.len() != 16 {
            return Err("the floor's count can't be read".into());
        }
        let (count, nanos) = (answer.get_u64(), answer.get_u64());
        if count == sent && nanos > 0 {
            Ok(count as f64 * 1e9 / nanos as f64)
        } else {
            Err(format!("{sent} notes were sent, and {count} arrived"))
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

/// A message that nothing comes back for: it waits until it is written.
#[derive(Clone)]
struct Note(Echo);

impl Act for Note {
    async fn act(&self) -> Outcome {
        self.0.client.send(NOTE, 0, &self.0.body).await
    }
}
