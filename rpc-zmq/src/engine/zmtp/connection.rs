//! A connection: a handshake, then one task that reads and one that writes.

use super::command::{self, Command};
use super::handshake::{Handshake, LONGEST};
use super::intake::Intake;
use super::mechanism::{Security, Session};
use super::outlet::Outlet;
use super::socket::{ReadHalf, Socket, WriteHalf};
use super::{Options, text};
use crate::curve::Sealer;
use crate::engine::{AbortOnDrop, End, Ended};
use crate::keyring::Holder;
use bytes::{BufMut, Bytes};
use futures_util::FutureExt;
use futures_util::task::AtomicWaker;
use std::future::{pending, poll_fn};
use std::io::{self, IoSlice};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// How many frames are taken at a time.
const BATCH: usize = 64;

/// How many bytes are read of one peer before others have their turn.
const TURN: usize = 256 * 1024;

/// After so many ticks of silence a peer is asked for a sign of life, and after so many it is given up. A tick is a quarter of the
/// limit, so that one is never waited for longer than that.
const ASKED: u32 = 1;
const GIVEN_UP: u32 = 3;

/// With fewer reads since the last tick, a link rests: it has a buffer only while there is something to read.
const BUSY: u32 = 8;

/// How long a peer may take to close its side once this one is closed. It reads what was written before that.
const LINGER: Duration = Duration::from_secs(1);

/// A connection that can carry frames.
#[derive(Debug)]
pub(crate) struct Connection {
    reader: ReadHalf,
    writer: WriteHalf,
    intake: Intake,
    sealer: Option<Sealer>,
    /// Who the peer is, if it was asked to prove that.
    holder: Option<Arc<Holder>>,
    /// How long nothing may be heard of the peer. `None`: for ever.
    silence: Option<Duration>,
    /// Whether the peer answers PINGs.
    pings: bool,
}

impl Connection {
    /// Shakes hands. What comes of it is boxed: each future through which it goes would keep a place for it.
    pub(super) async fn establish(
        (mut reader, mut writer): Socket,
        security: Security,
        options: &Options,
    ) -> Result<Box<Self>, Ended> {
        let handshake = async {
            let mut out = Vec::new();
            let mut handshake = Handshake::new(security, &mut out);
            loop {
                write_all(&mut writer, &mut [IoSlice::new(&out)], None, pending()).await?;
                out.clear();
                let received = handshake.received();
                let room = LONGEST - received.len();
                let read = reader.read(&mut received.limit(room)).await;
                if read.map_err(|error| Ended::Closed(reason(&error)))? == 0 {
                    return Err(Ended::Closed(
                        "it closed the connection during the handshake".into(),
                    ));
                }
                match handshake.advance(&mut out) {
                    Ok(None) => {}
                    Ok(Some(agreed)) => {
                        write_all(&mut writer, &mut [IoSlice::new(&out)], None, pending()).await?;
                        return Ok(agreed);
                    }
                    Err(broken) => {
                        // perhaps it reads why
                        let _ = writer.write(&[IoSlice::new(&out)]).now_or_never();
                        return Err(Ended::Dropped(broken));
                    }
                }
            }
        };
        let agreed = timeout(HANDSHAKE, handshake)
            .await
            .map_err(|_| Ended::Silent)??;
        let (holder, sealer, opener) = match agreed.session {
            None => (None, None, None),
            Some(Session {
                holder,
                sealer,
                opener,
            }) => (Some(holder), Some(sealer), Some(opener)),
        };
        Ok(Box::new(Self {
            reader,
            writer,
            intake: Intake::new(options.message_limits(), opener, agreed.rest),
            sealer,
            holder,
            silence: options.silence,
            pings: agreed.pings,
        }))
    }

    /// Who the peer is, if it was asked to prove that.
    pub(crate) fn holder(&self) -> Option<&Arc<Holder>> {
        self.holder.as_ref()
    }

    /// Carries frames until the connection is lost, or the link closed, or the peer's key not listed any more. The box is gone when
    /// this returns: the future would keep it, empty.
    pub(crate) fn carry(self: Box<Self>, end: Arc<impl End>) -> impl Future<Output = Ended> + Send {
        let Self {
            mut reader,
            writer,
            mut intake,
            sealer,
            holder,
            silence,
            pings,
        } = *self;
        let commands = Arc::new(Commands::default());
        // in a task of its own: what arrives and what leaves do not wait for each other
        let mut writing = AbortOnDrop(tokio::spawn(write(
            writer,
            Outlet::new(sealer),
            Arc::clone(&end),
            Arc::clone(&commands),
            silence,
        )));
        let silence = silence.filter(|_| pings);
        async move {
            let reading = read(&mut reader, &mut intake, &*end, &commands, silence);
            let written = tokio::select! {
                ended = reading => return ended,
                written = &mut writing.0 => written,
                () = async { if let Some(holder) = &holder { holder.revoked().await } }, if holder.is_some() => {
                    return Ended::Dropped("its key is not listed any more".into());
                }
            };
            match written {
                Ok(Ok(())) => Ended::Shut(Unread(reader)),
                Ok(Err(ended)) => ended,
                Err(error) => Ended::Closed(error.to_string()),
            }
        }
    }
}

/// Commands that the reader wants to be written.
#[derive(Debug, Default)]
pub(super) struct Commands {
    waiting: Mutex<Vec<u8>>,
    writer: AtomicWaker,
}

impl Commands {
    /// How many bytes of them wait at most. A peer that asks more often than it reads is not answered each time.
    const MOST: usize = 1024;

    fn push(&self, put: impl FnOnce(&mut Vec<u8>)) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < Self::MOST {
            put(&mut waiting);
        }
        drop(waiting);
        self.writer.wake();
    }

    /// Moves them to where they are written from. `false` if there are none.
    fn take(&self, outlet: &mut Outlet) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        outlet.put_commands(&waiting);
        !std::mem::take(&mut *waiting).is_empty()
    }
}

/// Reads until the connection is lost.
pub(super) async fn read(
    reader: &mut ReadHalf,
    intake: &mut Intake,
    end: &impl End,
    commands: &Commands,
    silence: Option<Duration>,
) -> Ended {
    let tick = silence.map_or(Duration::MAX, |silence| silence / (GIVEN_UP + 1));
    let mut next_tick = pin!(sleep(tick));
    let mut silent = 0;
    let mut reads = 0;
    let mut arriving = 0;
    let mut turn = 0;
    let mut frames = Vec::new();
    loop {
        // what came with the handshake is first
        loop {
            let taken = intake.take(&mut frames, |command| match command {
                Command::Ping(context) => {
                    commands.push(|out| command::put_pong(out, context));
                    Ok(())
                }
                Command::Error(reason) => Err(format!("it reported an error: {}", text(reason))),
                Command::Ready(_) => Err("it sent a second READY".into()),
                Command::Pong | Command::Other(_) => Ok(()),
            });
            if !frames.is_empty() {
                // what is whole is held as a request from now on
                let rest = intake.arriving();
                if rest < arriving {
                    arriving = rest;
                    let _ = end.arriving(arriving);
                }
                end.receive(&mut frames);
            }
            match taken {
                // whoever sends a flood of little waits for its turn after each part
                Ok(true) => tokio::task::yield_now().await,
                Ok(false) => break,
                Err(broken) => return Ended::Dropped(broken),
            }
        }
        if intake.arriving() != arriving {
            arriving = intake.arriving();
            if !end.arriving(arriving) {
                return Ended::Dropped(
                    "the node holds as much of it, or of all its peers, as it may".into(),
                );
            }
        }
        // others have their turn as well
        if turn >= TURN {
            turn = 0;
            tokio::task::yield_now().await;
        }
        let rests = reads < BUSY;
        if rests {
            frames = Vec::new();
            intake.give_back();
        }
        let arrival = async {
            if rests {
                reader.readable().await?;
            }
            reader.read(&mut intake.room()).await
        };
        tokio::select! {
            // what has arrived counts, even if nobody had time to read it before the tick
            biased;
            read = arrival => match read {
                Ok(0) => return Ended::Closed("it closed the connection".into()),
                Ok(count) => {
                    silent = 0;
                    reads = BUSY.min(reads + 1);
                    turn += count;
                    intake.arrived(count);
                }
                Err(error) => return Ended::Closed(reason(&error)),
            },
            () = &mut next_tick, if silence.is_some() => {
                next_tick.as_mut().reset(Instant::now() + tick);
                reads = 0;
                silent += 1;
                if silent > GIVEN_UP {
                    return Ended::Dropped("nothing was heard of it for too long".into());
                }
                if silent > ASKED {
                    commands.push(command::put_ping);
                }
                if silent > 1 {
                    intake.rest();
                    // it takes no more than before
                    let _ = end.arriving(arriving);
                }
            }
        }
    }
}

/// What is left of a connection when this side has written everything.
pub(crate) struct Unread(ReadHalf);

impl Unread {
    /// Reads to the end what is of no interest any more: to close while bytes are unread would take back what the peer has not
    /// read yet.
    pub(crate) async fn linger(mut self) {
        let discard = async {
            let mut bytes = Vec::with_capacity(4096);
            while let Ok(1..) = self.0.read(&mut (&mut bytes).limit(4096)).await {
                bytes.clear();
            }
        };
        let _ = timeout(LINGER, discard).await;
    }
}

/// Writes until the link is closed: then everything has been written, and the peer told that nothing more comes.
#[expect(
    clippy::manual_async_fn,
    reason = "the future of an `async fn` has its arguments twice, and each link has one of these"
)]
fn write(
    mut writer: WriteHalf,
    mut outlet: Outlet,
    end: Arc<impl End>,
    commands: Arc<Commands>,
    limit: Option<Duration>,
) -> impl Future<Output = Result<(), Ended>> + Send {
    async move {
        let mut batch: Vec<Bytes> = Vec::new();
        loop {
            let open = {
                let mut frames = pin!(end.next_frames(&mut batch, BATCH));
                poll_fn(|cx| {
                    if let Poll::Ready(open) = frames.as_mut().poll(cx) {
                        return Poll::Ready(open);
                    }
                    commands.writer.register(cx.waker());
                    if commands.take(&mut outlet) {
                        return Poll::Ready(true);
                    }
                    Poll::Pending
                })
                .await
            };
            if !open {
                return Ok(());
            }
            let idle = batch.is_empty();
            outlet.put(&mut batch);
            let slices = &mut outlet.slices();
            write_all(&mut writer, slices, limit, end.given_up()).await?;
            outlet.clear();
            // only signs of life are asked for
            if idle {
                batch = Vec::new();
                outlet.rest();
            }
        }
    }
}

/// Writes all of it. Each step must get on within the limit, and before the peer is given up.
async fn write_all(
    writer: &mut WriteHalf,
    mut slices: &mut [IoSlice<'_>],
    limit: Option<Duration>,
    given_up: impl Future<Output = ()>,
) -> Result<(), Ended> {
    let mut given_up = pin!(given_up);
    // empty ones in front would look like an end
    IoSlice::advance_slices(&mut slices, 0);
    while !slices.is_empty() {
        // the clock is asked only if it does not fit at once
        let written = match writer.write(slices).now_or_never() {
            Some(written) => written,
            None => tokio::select! {
                written = writer.write(slices) => written,
                () = sleep(limit.unwrap_or(Duration::MAX)), if limit.is_some() => {
                    return Err(Ended::Dropped("it did not read for too long".into()));
                }
                () = &mut given_up => {
                    return Err(Ended::Closed("it was given up, since it does not read".into()));
                }
            },
        };
        match written.map_err(|error| Ended::Closed(reason(&error)))? {
            0 => return Err(Ended::Closed("nothing can be written any more".into())),
            count => IoSlice::advance_slices(&mut slices, count),
        }
    }
    Ok(())
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            "the connection was reset".into()
        }
        _ => error.to_string(),
    }
}
