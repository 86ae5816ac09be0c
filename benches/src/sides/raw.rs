//! The floor of sockets: frames over one TCP connection, and a table of who waits for what.
//!
//! A frame is a length (4 bytes), what is asked for (1 byte), a number that tells requests apart (8 bytes), and a body. The
//! server answers each frame where it reads it. The client has one connection, whatever the number of its tasks: frames that wait
//! while one is written leave together.

use super::floor::{self, Echo, Floor, Noted, Waiting, lock};
use crate::load;
use crate::process::Serving;
use crate::side::{Job, Sample, Work};
use crate::work::{echo, idle};
use crate::{Outcome, because};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
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
    Ok(Serving::new([port], async move {
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
                    put_frame(&mut out, NOTED, number, &Noted::bytes(noted, since.take()));
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

/// Does one round of a benchmark.
pub(super) async fn run(job: Job) -> Outcome<Sample> {
    let client = Client::connect(job.port()).await?;
    match job.work {
        Work::Echo(echoes) => {
            let echo = |body| Echo(Arc::clone(&client.shared), body);
            echo::round(echoes, &job, echo).await
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
        Work::StreamReady | Work::StreamPaced | Work::Many => job.not_done(),
    }
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
    waiting: Waiting,
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
            waiting: Waiting::default(),
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
            shared.waiting.answer(frame.number, frame.body);
        }
        received.reserve(ROOM);
    }
    shared.waiting.give_up();
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
        let (number, waits) = self.waiting.add();
        self.send(kind, number, body).await?;
        waits.answer().await
    }
}

impl Floor for Shared {
    async fn echo(&self, body: &[u8]) -> Outcome<Bytes> {
        self.ask(ECHO, body).await
    }

    /// Waits until it is written.
    async fn note(&self, body: &[u8]) -> Outcome {
        self.send(NOTE, 0, body).await
    }

    async fn noted(&self) -> Outcome<Bytes> {
        self.ask(NOTED, &[]).await
    }
}
