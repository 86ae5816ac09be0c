//! The server of the floor of ZeroMQ.

use super::{ECHO, NOTE, NOTED, PACED, PREFIX, READY, number};
use crate::process::Serving;
use crate::sides::floor::Noted;
use crate::{Outcome, because, load};
use ::zeromq::{
    Endpoint, RouterRecvHalf, RouterSendHalf, RouterSocket, Socket, SocketRecv, SocketSend,
    ZmqMessage,
};
use bytes::Bytes;
use futures_util::StreamExt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Starts the server on a free port.
pub(in crate::sides) async fn serve() -> Outcome<Serving> {
    let mut socket = RouterSocket::new();
    let bound = socket
        .bind("tcp://127.0.0.1:0")
        .await
        .map_err(because("the floor can't listen"))?;
    let Endpoint::Tcp(_, port) = bound else {
        return Err(format!("the floor listens on {bound}, which is no port"));
    };
    let (sender, receiver) = socket.split();
    Ok(Serving::new([port], answer(sender, receiver)))
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
                let Some(count) = frame.get(PREFIX..).and_then(number) else {
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
    let body = Noted::bytes(notes.taken_in, notes.since);
    answering.send(&body).await;
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
