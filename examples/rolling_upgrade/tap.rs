//! A tap on the wire: it stands between the clients and a server, passes every byte on, and notes the messages.

use crate::Result;
use crate::msgpack::{Reader, Value};
use std::sync::mpsc::Sender;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};

/// A message to a server, as it was on the wire.
#[derive(Debug)]
pub struct Message {
    pub topic: String,
    pub version: (u16, u16),
    pub method: String,
    /// The names of its arguments, with their values.
    pub args: Vec<(String, Value)>,
}

/// Listens for clients of the server at `address`, and tells where. It ends with the runtime.
pub async fn on(address: String, heard: Sender<Message>) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let own = listener.local_addr()?.to_string();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (address, heard) = (address.clone(), heard.clone());
            tokio::spawn(async move {
                // a link that ends ends, as it would without the tap
                let _ = pass_on(client, &address, &heard).await;
            });
        }
    });
    Ok(own)
}

async fn pass_on(client: TcpStream, address: &str, heard: &Sender<Message>) -> std::io::Result<()> {
    let server = TcpStream::connect(address).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = tokio::spawn(async move { copy(&mut from_server, &mut to_client).await });
    let mut listener = Listener::default();
    let mut chunk = vec![0; 64 << 10];
    loop {
        let read = from_client.read(&mut chunk).await?;
        if read == 0 {
            back.abort();
            return Ok(());
        }
        // noted before it is passed on, so that whoever has the answer finds it
        for message in listener.hear(&chunk[..read]) {
            // nobody listens at the end
            let _ = heard.send(message);
        }
        to_server.write_all(&chunk[..read]).await?;
    }
}

/// Finds the messages in what a client writes.
#[derive(Default)]
struct Listener {
    greeted: bool,
    unread: Vec<u8>,
}

impl Listener {
    fn hear(&mut self, bytes: &[u8]) -> Vec<Message> {
        /// What a connection of ZeroMQ begins with.
        const GREETING: usize = 64;
        self.unread.extend_from_slice(bytes);
        if !self.greeted && self.unread.len() >= GREETING {
            self.greeted = true;
            self.unread.drain(..GREETING);
        }
        let mut messages = Vec::new();
        while self.greeted
            && let Some((start, end)) = part(&self.unread)
        {
            let is_command = self.unread[0] & 4 != 0;
            if !is_command && let Some(message) = request(&self.unread[start..end]) {
                messages.push(message);
            }
            self.unread.drain(..end);
        }
        messages
    }
}

/// Where the first part of a ZeroMQ message lies, if all of it is there: flags, its length, the part.
fn part(bytes: &[u8]) -> Option<(usize, usize)> {
    let is_long = bytes.first()? & 2 != 0;
    let start = if is_long { 9 } else { 2 };
    let len = match bytes.get(1..start)? {
        [len] => usize::from(*len),
        len => usize::try_from(u64::from_be_bytes(len.try_into().ok()?)).ok()?,
    };
    let end = start.checked_add(len)?;
    (end <= bytes.len()).then_some((start, end))
}

/// The message in a part, if it is a call or a cast: see `docs/wire-protocol.md`.
fn request(frame: &[u8]) -> Option<Message> {
    let (prefix, rest) = frame.split_at_checked(12)?;
    if !matches!(prefix[1], 3 | 4) {
        return None;
    }
    let header_len = usize::from(u16::from_be_bytes([prefix[2], prefix[3]]));
    let (header, body) = rest.split_at_checked(header_len)?;
    let Value::List(header) = Reader(header).value()? else {
        return None;
    };
    let [
        _,
        Value::Text(topic),
        _,
        _,
        Value::List(version),
        _,
        Value::Text(method),
        ..,
    ] = &header[..]
    else {
        return None;
    };
    let [Value::Number(major), Value::Number(minor), ..] = version[..] else {
        return None;
    };
    let Value::Map(args) = Reader(body).value()? else {
        return None;
    };
    Some(Message {
        topic: topic.clone(),
        version: (u16::try_from(major).ok()?, u16::try_from(minor).ok()?),
        method: method.clone(),
        args,
    })
}
