//! The engine made of the `zeromq` crate.

use crate::address::Address;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use std::pin::pin;
use std::time::Duration;
use zeromq::{
    DealerRecvHalf, DealerSendHalf, DealerSocket, RouterRecvHalf, RouterSendHalf, RouterSocket,
    Socket, SocketEvent, SocketOptions, SocketRecv, SocketSend, ZmqError, ZmqMessage,
};

/// How long one attempt to connect takes at most. The crate retries within it when a connection is refused.
const CONNECT: Duration = Duration::from_secs(1);

/// How long the crate is given to write what it has: it has no way to tell when it did.
const LINGER: Duration = Duration::from_millis(20);

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

/// The sending half of a connection to a node.
pub(crate) struct Sender(DealerSendHalf);

/// The receiving half of a connection to a node.
pub(crate) struct Receiver {
    half: DealerRecvHalf,
    monitor: Monitor,
}

pub(crate) async fn connect(address: &Address) -> Result<(Sender, Receiver), String> {
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
    let (sender, half) = socket.split();
    Ok((Sender(sender), Receiver { half, monitor }))
}

impl Sender {
    /// Sends frames as one message, and leaves the vector empty.
    pub(crate) async fn send(&mut self, frames: &mut Vec<Bytes>) -> Result<(), String> {
        match message(frames) {
            Some(message) => self
                .0
                .send(message)
                .await
                .map_err(|error| error.to_string()),
            None => Ok(()),
        }
    }
}

impl Receiver {
    /// The frames of the next message. The crate's socket waits for ever when its peer is gone; only its monitor tells.
    pub(crate) async fn receive(&mut self) -> Result<Vec<Bytes>, String> {
        let received = pin!(self.half.recv());
        let gone = pin!(async {
            while let Some(event) = self.monitor.next().await {
                if matches!(event, SocketEvent::Disconnected(_)) {
                    return;
                }
            }
        });
        match select(received, gone).await {
            Either::Left((Ok(message), _)) => Ok(message.into_vec()),
            Either::Left((Err(error), _)) => Err(error.to_string()),
            Either::Right(((), _)) => Err("the node closed the connection".into()),
        }
    }
}

/// A client, as the listening socket tells them apart.
pub(crate) type Peer = Bytes;

/// What happened at a listening socket.
pub(crate) enum Event {
    /// Frames of a peer that left it together.
    Frames(Peer, Vec<Bytes>),
    /// A peer is gone.
    Gone(Peer),
}

/// The receiving half of a listening socket.
pub(crate) struct Listener {
    half: RouterRecvHalf,
    monitor: Monitor,
}

/// The sending half of a listening socket.
#[derive(Clone)]
pub(crate) struct PeerSender(RouterSendHalf);

pub(crate) async fn bind(address: &Address) -> Result<(Address, PeerSender, Listener), String> {
    remove_stale(address).await;
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
    let (sender, half) = socket.split();
    Ok((bound, PeerSender(sender), Listener { half, monitor }))
}

/// Removes the socket of a process that is gone. One on which somebody listens stays, and so does any other file.
#[cfg(unix)]
async fn remove_stale(address: &Address) {
    use std::os::unix::fs::FileTypeExt;

    let Address::Ipc(path) = address else {
        return;
    };
    let is_socket =
        std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    if is_socket
        && let Err(error) = tokio::net::UnixStream::connect(path).await
        && error.kind() == std::io::ErrorKind::ConnectionRefused
    {
        // if it can't be removed, binding says why
        let _ = std::fs::remove_file(path);
    }
}

#[cfg(not(unix))]
async fn remove_stale(_: &Address) {}

impl Listener {
    /// What happens next.
    pub(crate) async fn receive(&mut self) -> Result<Event, String> {
        loop {
            let received = pin!(self.half.recv());
            let event = self.monitor.next();
            match select(received, event).await {
                Either::Left((Ok(message), _)) => {
                    let mut frames = message.into_vec();
                    let peer = frames.remove(0);
                    return Ok(Event::Frames(peer, frames));
                }
                Either::Left((Err(error), _)) => return Err(error.to_string()),
                Either::Right((Some(SocketEvent::Disconnected(peer)), _)) => {
                    return Ok(Event::Gone(peer.into()));
                }
                Either::Right((Some(_), _)) => {}
                Either::Right((None, _)) => return Err("the socket was closed".into()),
            }
        }
    }
}

impl PeerSender {
    /// Sends frames to a peer as one message, and leaves the vector empty.
    pub(crate) async fn send(
        &mut self,
        peer: &Peer,
        frames: &mut Vec<Bytes>,
    ) -> Result<(), String> {
        frames.insert(0, peer.clone());
        match message(frames) {
            Some(message) => self
                .0
                .send(message)
                .await
                .map_err(|error| error.to_string()),
            None => Ok(()),
        }
    }
}

/// Waits until what was handed to the crate is likely to be on the wire.
pub(crate) async fn linger() {
    tokio::time::sleep(LINGER).await;
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_socket_that_nobody_uses_is_removed() {
        let folder = std::env::temp_dir().join(format!("rpc-zmq-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("data");
        std::fs::write(&file, "precious").unwrap();
        assert!(bind(&Address::Ipc(file.clone())).await.is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");

        let socket = folder.join("socket");
        drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
        let bound = bind(&Address::Ipc(socket.clone())).await;
        assert!(bound.is_ok());
        assert!(bind(&Address::Ipc(socket)).await.is_err());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
