//! Sockets of TCP and of Unix, as one type.

use crate::address::Address;
use bytes::BufMut;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, tcp};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream, unix};

/// A connection of either kind.
pub(super) type Socket = (ReadHalf, WriteHalf);

/// The half of a connection that is read from.
#[derive(Debug)]
pub(super) enum ReadHalf {
    Tcp(tcp::OwnedReadHalf),
    #[cfg(unix)]
    Unix(unix::OwnedReadHalf),
}

/// The half of a connection that is written to. The peer is told that nothing more comes when it is dropped.
#[derive(Debug)]
pub(super) enum WriteHalf {
    Tcp(tcp::OwnedWriteHalf),
    #[cfg(unix)]
    Unix(unix::OwnedWriteHalf),
}

impl ReadHalf {
    /// Waits until there is something to read, or the end; now and then there is nothing all the same. Cancel safe.
    pub(super) async fn readable(&self) -> io::Result<()> {
        poll_fn(|cx| match self {
            Self::Tcp(half) => half.as_ref().poll_read_ready(cx),
            #[cfg(unix)]
            Self::Unix(half) => half.as_ref().poll_read_ready(cx),
        })
        .await
    }

    /// Reads what there is, or waits for it. 0 at the end. Cancel safe.
    pub(super) async fn read(&mut self, into: &mut (impl BufMut + Send)) -> io::Result<usize> {
        match self {
            Self::Tcp(half) => half.read_buf(into).await,
            #[cfg(unix)]
            Self::Unix(half) => half.read_buf(into).await,
        }
    }
}

impl WriteHalf {
    /// Writes as much as fits, of all slices. Cancel safe.
    pub(super) async fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(half) => half.write_vectored(slices).await,
            #[cfg(unix)]
            Self::Unix(half) => half.write_vectored(slices).await,
        }
    }
}

fn tcp(stream: TcpStream) -> Socket {
    // it fails on a connection that is gone already, which reading tells
    let _ = stream.set_nodelay(true);
    let (reader, writer) = stream.into_split();
    (ReadHalf::Tcp(reader), WriteHalf::Tcp(writer))
}

#[cfg(unix)]
fn unix(stream: UnixStream) -> Socket {
    let (reader, writer) = stream.into_split();
    (ReadHalf::Unix(reader), WriteHalf::Unix(writer))
}

/// Connects to an address.
pub(super) async fn connect(address: &Address) -> io::Result<Socket> {
    match address {
        Address::Tcp { host, port } => Ok(tcp(TcpStream::connect((&**host, *port)).await?)),
        #[cfg(unix)]
        Address::Ipc(path) => Ok(unix(UnixStream::connect(path).await?)),
        #[cfg(not(unix))]
        Address::Ipc(_) => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// A socket that listens.
#[derive(Debug)]
pub(super) enum Listening {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener),
}

impl Listening {
    /// Listens at an address; says where, with the port that it got.
    pub(super) async fn bind(address: &Address) -> io::Result<(Self, Address)> {
        match address {
            Address::Tcp { host, port } => {
                let listener = TcpListener::bind((&**host, *port)).await?;
                let bound = Address::Tcp {
                    host: host.clone(),
                    port: listener.local_addr()?.port(),
                };
                Ok((Self::Tcp(listener), bound))
            }
            #[cfg(unix)]
            Address::Ipc(path) => {
                remove_stale(path).await;
                Ok((Self::Unix(UnixListener::bind(path)?), address.clone()))
            }
            #[cfg(not(unix))]
            Address::Ipc(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// The next connection, and the address of its other end; one of Unix has none. Cancel safe.
    pub(super) async fn accept(&self) -> io::Result<(Socket, Option<SocketAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((tcp(stream), Some(peer)))
            }
            #[cfg(unix)]
            Self::Unix(listener) => Ok((unix(listener.accept().await?.0), None)),
        }
    }
}

/// Removes the socket of a process that is gone. One on which somebody listens stays, and so does any other file.
#[cfg(unix)]
async fn remove_stale(path: &std::path::Path) {
    use std::os::unix::fs::FileTypeExt;

    let is_socket =
        std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    if is_socket
        && let Err(error) = UnixStream::connect(path).await
        && error.kind() == io::ErrorKind::ConnectionRefused
    {
        // if it can't be removed, binding says why
        let _ = std::fs::remove_file(path);
    }
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
        assert!(Listening::bind(&Address::Ipc(file.clone())).await.is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");

        let socket = folder.join("socket");
        drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
        let bound = Listening::bind(&Address::Ipc(socket.clone())).await;
        assert!(bound.is_ok());
        assert!(Listening::bind(&Address::Ipc(socket)).await.is_err());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
