//! ZMTP by hand.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection on which anything can be written.
pub(crate) struct Raw(pub(crate) TcpStream);

pub(crate) fn greeting(minor: u8, mechanism: &[u8]) -> Vec<u8> {
    let mut greeting = vec![0; 64];
    greeting[0] = 0xff;
    greeting[9] = 0x7f;
    greeting[10..12].copy_from_slice(&[3, minor]);
    greeting[12..12 + mechanism.len()].copy_from_slice(mechanism);
    greeting
}

/// A frame with its head: `flags` says what it is.
pub(crate) fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = match u8::try_from(body.len()) {
        Ok(len) => vec![flags, len],
        Err(_) => {
            let mut head = vec![flags | 2];
            head.extend((body.len() as u64).to_be_bytes());
            head
        }
    };
    frame.extend(body);
    frame
}

pub(crate) fn command(name: &[u8], rest: &[u8]) -> Vec<u8> {
    let mut body = vec![u8::try_from(name.len()).unwrap()];
    body.extend(name);
    body.extend(rest);
    frame(4, &body)
}

pub(crate) fn ready(socket_type: &[u8], identity: Option<&[u8]>) -> Vec<u8> {
    let mut properties = property(b"Socket-Type", socket_type);
    if let Some(identity) = identity {
        properties.extend(property(b"Identity", identity));
    }
    command(b"READY", &properties)
}

fn property(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut property = vec![u8::try_from(name.len()).unwrap()];
    property.extend(name);
    property.extend(u32::try_from(value.len()).unwrap().to_be_bytes());
    property.extend(value);
    property
}

/// The greeting of our protocol: see `docs/wire-protocol.md`.
pub(crate) const HELLO: &[u8] = b"\x01\x01\x00\x03\0\0\0\0\0\0\0\0\x92\x01\x01";

/// A call of `blob`.
pub(crate) fn call_blob(id: u64, size: u32) -> Vec<u8> {
    let mut header = vec![0x9a];
    for text in ["", "bytes", "node-1"] {
        header.extend(string(text));
    }
    header.extend([0xc0, 0x92, 1, 0, 0x92, 1, 0]);
    header.extend(string("blob"));
    header.extend([0xc0, 0x80, 0xc0]);
    let mut frame = vec![1, 3];
    frame.extend(u16::try_from(header.len()).unwrap().to_be_bytes());
    frame.extend(id.to_be_bytes());
    frame.extend(header);
    frame.push(0x81);
    frame.extend(string("size"));
    frame.push(0xce);
    frame.extend(size.to_be_bytes());
    frame
}

fn string(text: &str) -> Vec<u8> {
    let mut bytes = vec![0xd9, u8::try_from(text.len()).unwrap()];
    bytes.extend(text.as_bytes());
    bytes
}

impl Raw {
    /// Connects, and says nothing.
    pub(crate) async fn connect(address: &str) -> Result<Self, String> {
        let stream = TcpStream::connect(address).await;
        let stream = stream.map_err(|error| format!("can't connect: {error}"))?;
        stream.set_nodelay(true).unwrap();
        Ok(Self(stream))
    }

    /// Connects, and shakes hands as ZMTP 3.`minor`.
    pub(crate) async fn greeted(address: &str, minor: u8) -> Result<Self, String> {
        let mut raw = Self::connect(address).await?;
        raw.write(&greeting(minor, b"NULL")).await;
        raw.write(&ready(b"DEALER", None)).await;
        raw.read(64).await?;
        let (flags, body) = raw.frame().await?;
        if flags != 4 || !body.starts_with(b"\x05READY") {
            return Err(format!("a READY was expected: {flags} {body:?}"));
        }
        Ok(raw)
    }

    /// Connects, shakes hands, and says HELLO.
    pub(crate) async fn linked(address: &str) -> Result<Self, String> {
        let mut raw = Self::greeted(address, 1).await?;
        raw.write(&frame(0, HELLO)).await;
        raw.message().await?;
        Ok(raw)
    }

    /// Writes; if the connection is gone, reading tells.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        let written = tokio::time::timeout(Duration::from_secs(5), self.0.write_all(bytes)).await;
        let _ = written;
    }

    async fn read(&mut self, len: usize) -> Result<Vec<u8>, String> {
        let mut bytes = vec![0; len];
        let read = self.0.read_exact(&mut bytes);
        match tokio::time::timeout(Duration::from_secs(10), read).await {
            Ok(Ok(_)) => Ok(bytes),
            Ok(Err(error)) => Err(format!("closed: {error}")),
            Err(_) => Err("nothing came".into()),
        }
    }

    /// The next frame: flags without the one for its length, and body.
    pub(crate) async fn frame(&mut self) -> Result<(u8, Vec<u8>), String> {
        let flags = self.read(1).await?[0];
        let len = if flags & 2 == 0 {
            usize::from(self.read(1).await?[0])
        } else {
            let len = self.read(8).await?;
            usize::try_from(u64::from_be_bytes(len.try_into().unwrap())).unwrap()
        };
        Ok((flags & !2, self.read(len).await?))
    }

    /// The next frame that is no command.
    pub(crate) async fn message(&mut self) -> Result<Vec<u8>, String> {
        loop {
            let (flags, body) = self.frame().await?;
            if flags & 4 == 0 {
                return Ok(body);
            }
        }
    }

    /// Waits until the peer closes the connection, whatever it says before.
    pub(crate) async fn closed(&mut self) -> Result<(), String> {
        let mut bytes = vec![0; 64 * 1024];
        let reading = async { while matches!(self.0.read(&mut bytes).await, Ok(1..)) {} };
        tokio::time::timeout(Duration::from_secs(8), reading)
            .await
            .map_err(|_| "the connection was kept".into())
    }

    /// Whether the peer answers a PING.
    pub(crate) async fn ping(&mut self, context: &[u8]) -> Result<(), String> {
        self.write(&command(b"PING", &[&[0, 0], context].concat()))
            .await;
        self.pong(context).await
    }

    /// Waits for a PONG.
    pub(crate) async fn pong(&mut self, context: &[u8]) -> Result<(), String> {
        loop {
            let (flags, body) = self.frame().await?;
            if flags == 4 && body.starts_with(b"\x04PONG") {
                return if &body[5..] == context {
                    Ok(())
                } else {
                    Err(format!("a PONG with {body:?}"))
                };
            }
        }
    }
}
