//! The engine made of the `zeromq` crate, version 0.7.
//!
//! Between good peers it does what the other engine does: it passes the tests of the semantics. Of what peers may do by ZMTP (the tests in
//! `tests/zmtp`), it does not bear:
//!
//! - `a_message_of_endless_frames_is_refused`
//! - `a_message_of_endless_large_frames_is_refused`
//! - `a_peer_that_answers_pings_stays`
//! - `a_peer_that_does_not_read_is_dropped`
//! - `a_peer_that_says_nothing_is_asked_and_then_dropped`
//! - `a_ping_is_answered_with_its_context`
//! - `an_older_version_is_refused`
//! - `an_oversized_frame_is_refused_before_it_comes`
//! - `an_oversized_frame_is_refused_during_the_handshake`
//! - `another_mechanism_is_refused`
//! - `another_socket_type_is_refused_with_an_error`
//! - `clients_of_one_identity_are_two`
//! - `garbage_closes_the_connection`
//! - `silent_connections_keep_nobody_out_and_are_closed`
//! - `there_are_no_more_connections_than_may_be`

use super::{AbortOnDrop, Client, Closing, End, Ended};
use crate::address::Address;
use bytes::Bytes;
use futures_util::StreamExt;
use rpc_core::Peer;
use rpc_core::exchange::Inbound;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use zeromq::{
    DealerRecvHalf, DealerSendHalf, DealerSocket, RouterRecvHalf, RouterSendHalf, RouterSocket,
    Socket, SocketEvent, SocketOptions, SocketRecv, SocketSend, ZmqError, ZmqMessage,
};

/// How long one attempt to connect takes at most. The crate retries within it when a connection is refused.
const CONNECT: Duration = Duration::from_secs(1);

/// How many frames leave in one message at most: with more, the peer would have nothing to do until all have come.
const BATCH: usize = 16;

/// How long the crate is given to write what it has: it has no way to tell when it did.
pub(super) const LINGER: Duration = Duration::from_millis(20);

type Monitor = futures_util::stream::BoxStream<'static, SocketEvent>;

fn endpoint(address: &Address) -> String {
    match address {
        Address::Tcp { .. } => format!("tcp://{address}"),
        Address::Ipc(path) => format!("ipc://{}", path.display()),
    }
}

fn message(frames: &mut Vec<Bytes>) -> Option<ZmqMessage> {
    ZmqMessage::try_from(std::mem::take(frames)).ok()
}

/// A connection to a node.
pub(crate) struct Connection {
    sender: DealerSendHalf,
    receiver: DealerRecvHalf,
    monitor: Monitor,
}

pub(crate) async fn connect(address: &Address) -> Result<Connection, String> {
    let mut options = SocketOptions::default();
    options.connect_timeout(CONNECT);
    let mut socket = DealerSocket::with_options(options);
    let monitor = socket.monitor().boxed();
    socket
        .connect(&endpoint(address))
        .await
        .map_err(|error| match error {
            ZmqError::ConnectTimeout(_) => {
                "nobody listens there, or it does not speak ZeroMQ".into()
            }
            error => error.to_string(),
        })?;
    let (sender, receiver) = socket.split();
    Ok(Connection {
        sender,
        receiver,
        monitor,
    })
}

impl Connection {
    /// Carries frames until the connection is lost, or the link closed.
    pub(crate) async fn carry(mut self, end: Arc<impl End>) -> Ended {
        let writer = {
            let (end, mut sender) = (Arc::clone(&end), self.sender);
            async move {
                let mut batch: Vec<Bytes> = Vec::new();
                while end.next_frames(&mut batch, BATCH).await {
                    if let Some(message) = message(&mut batch)
                        && let Err(error) = sender.send(message).await
                    {
                        return error.to_string();
                    }
                }
                "the link was closed".into()
            }
        };
        // in a task of its own: a message that arrives and one that leaves do not wait for each other
        let mut writer = AbortOnDrop(tokio::spawn(writer));
        loop {
            tokio::select! {
                received = self.receiver.recv() => match received {
                    Ok(message) => end.receive(&mut message.into_vec()),
                    Err(error) => return Ended::Closed(error.to_string()),
                },
                // the crate's socket waits for ever when its peer is gone; only its monitor tells
                event = self.monitor.next() => {
                    if matches!(event, None | Some(SocketEvent::Disconnected(_))) {
                        return Ended::Closed("the node closed the connection".into());
                    }
                }
                ended = &mut writer.0 => {
                    return Ended::Closed(ended.unwrap_or_else(|error| error.to_string()));
                }
            }
        }
    }
}

/// A listening socket.
pub(crate) struct Listener {
    sender: RouterSendHalf,
    receiver: RouterRecvHalf,
    monitor: Monitor,
}

pub(crate) async fn bind(address: &Address) -> Result<(Listener, Address), String> {
    let mut socket = RouterSocket::new();
    let monitor = socket.monitor().boxed();
    let bound = socket
        .bind(&endpoint(address))
        .await
        .map_err(|error| format!("{address}: {error}"))?;
    let bound = match (bound, address) {
        (zeromq::Endpoint::Tcp(_, port), Address::Tcp { host, .. }) => Address::Tcp {
            host: host.clone(),
            port,
        },
        _ => address.clone(),
    };
    let (sender, receiver) = socket.split();
    let listener = Listener {
        sender,
        receiver,
        monitor,
    };
    Ok((listener, bound))
}

impl Listener {
    /// Takes in clients until the transport is closed.
    pub(crate) async fn serve(mut self, inbound: Arc<Inbound>, closing: Closing) {
        let mut clients: HashMap<Bytes, (Client, AbortOnDrop<()>)> = HashMap::new();
        loop {
            tokio::select! {
                received = self.receiver.recv() => match received {
                    Ok(message) => {
                        let mut frames = message.into_vec();
                        let id = frames.remove(0);
                        let (client, _) = clients
                            .entry(id)
                            .or_insert_with_key(|id| linked(&inbound, &self.sender, id));
                        client.end().receive(&mut frames);
                    }
                    Err(error) => {
                        let reason = error.to_string();
                        tracing::error!(name: "rpc.node.failed", reason, "the node can't receive any more");
                        return;
                    }
                },
                event = self.monitor.next() => match event {
                    Some(SocketEvent::Disconnected(id)) => {
                        clients.remove(&Bytes::from(id));
                    }
                    Some(_) => {}
                    None => return,
                },
                () = closing.wait() => return,
            }
        }
    }
}

/// A client that has sent something, and the task that writes to it.
fn linked(
    inbound: &Arc<Inbound>,
    sender: &RouterSendHalf,
    id: &Bytes,
) -> (Client, AbortOnDrop<()>) {
    // ids are bytes of no meaning
    let name: String = id
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let client = Client::new(inbound, Peer::new("zmq", &name), None, inbound.account());
    let (end, mut sender, id) = (client.end(), sender.clone(), id.clone());
    let writer = tokio::spawn(async move {
        let mut batch: Vec<Bytes> = Vec::new();
        while end.next_frames(&mut batch, BATCH).await {
            batch.insert(0, id.clone());
            // a client that is gone is told by the monitor
            if let Some(message) = message(&mut batch)
                && sender.send(message).await.is_err()
            {
                return;
            }
        }
    });
    (client, AbortOnDrop(writer))
}
