//! Commands and answers, within a time and a size.

use super::RedisServer;
use crate::directory::PATIENCE;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, FromRedisValue, Pipeline, RedisError, RedisResult};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long an answer is at most, in bytes.
const LONGEST: usize = 4 * 1024 * 1024;

/// A connection to a Redis server. After an error it is of no use any more.
pub(super) struct Connection {
    connection: MultiplexedConnection,
    /// Writes commands and reads answers, while somebody waits for one.
    driver: Pin<Box<dyn Future<Output = ()> + Send>>,
    room: Arc<Room>,
}

/// What an answer may still be long.
struct Room {
    left: AtomicUsize,
    exceeded: AtomicBool,
}

impl Connection {
    pub(super) async fn open(server: &RedisServer) -> Result<Self, String> {
        let opened = async {
            let stream = TcpStream::connect((server.host.as_str(), server.port))
                .await
                .map_err(|error| match error.kind() {
                    kind @ io::ErrorKind::ConnectionRefused => kind.to_string(),
                    _ => error.to_string(),
                })?;
            let room = Arc::new(Room {
                left: AtomicUsize::new(LONGEST),
                exceeded: AtomicBool::new(false),
            });
            let stream = Bounded {
                stream,
                room: Arc::clone(&room),
            };
            let config = AsyncConnectionConfig::new().set_response_timeout(None);
            let settings = server.info.redis_settings();
            let (connection, driver) =
                MultiplexedConnection::new_with_config(settings, stream, config)
                    .await
                    .map_err(|error| reason(&error))?;
            Ok(Self {
                connection,
                driver: Box::pin(driver),
                room,
            })
        };
        timeout(PATIENCE, opened)
            .await
            .unwrap_or_else(|_elapsed| Err("it did not answer in time".into()))
    }

    /// The clock of Redis, in milliseconds: those of its clients may differ.
    pub(super) async fn now(&mut self) -> Result<u64, String> {
        let mut commands = Pipeline::new();
        commands.cmd("TIME");
        let ((seconds, micros),): ((u64, u64),) = self.ask(&commands).await?;
        Ok(seconds.saturating_mul(1000).saturating_add(micros / 1000))
    }

    /// Sends commands together, and waits for their answers.
    pub(super) async fn ask<T: FromRedisValue>(
        &mut self,
        commands: &Pipeline,
    ) -> Result<T, String> {
        self.room.left.store(LONGEST, Ordering::Relaxed);
        let answered: RedisResult<T> = tokio::select! {
            answered = timeout(PATIENCE, commands.query_async(&mut self.connection)) => match answered {
                Ok(answered) => answered,
                Err(_elapsed) => return Err("it did not answer in time".into()),
            },
            () = &mut self.driver => return Err(self.too_long().unwrap_or_else(|| "the connection was closed".into())),
        };
        answered.map_err(|error| self.too_long().unwrap_or_else(|| reason(&error)))
    }

    /// Whether it is of no use any more since an answer was longer than one may be: why.
    pub(super) fn too_long(&self) -> Option<String> {
        let exceeded = self.room.exceeded.load(Ordering::Relaxed);
        exceeded.then(too_long)
    }
}

/// Errors of the library hold what the server said, and no password.
fn reason(error: &RedisError) -> String {
    if error.is_timeout() {
        return "it did not answer in time".into();
    }
    error.to_string()
}

fn too_long() -> String {
    format!("the answer is longer than {LONGEST} bytes")
}

/// A stream that ends with an error when more arrives than an answer may be long.
struct Bounded {
    stream: TcpStream,
    room: Arc<Room>,
}

impl AsyncRead for Bounded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let read = buf.filled().len() - before;
        let left = self.room.left.load(Ordering::Relaxed);
        Poll::Ready(match left.checked_sub(read) {
            Some(left) => {
                self.room.left.store(left, Ordering::Relaxed);
                Ok(())
            }
            None => {
                self.room.exceeded.store(true, Ordering::Relaxed);
                Err(io::Error::other(too_long()))
            }
        })
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
