//! Frames by hand, over bare sockets.

use bytes::Bytes;
use std::time::Duration;
use zeromq::{DealerSocket, RouterSocket, Socket, SocketRecv, SocketSend, ZmqMessage};

pub(crate) const HELLO: u8 = 1;
pub(crate) const ANNOUNCE: u8 = 2;
pub(crate) const CALL: u8 = 3;
pub(crate) const CAST: u8 = 4;
pub(crate) const MULTICALL: u8 = 5;
pub(crate) const REPLY: u8 = 6;
pub(crate) const FAIL: u8 = 7;
pub(crate) const ACCEPT: u8 = 8;
pub(crate) const ITEMS: u8 = 9;
pub(crate) const END: u8 = 10;
pub(crate) const CANCEL: u8 = 12;
pub(crate) const UNSUPPORTED: u8 = 13;
pub(crate) const RUNNING: u8 = 15;

/// A frame, as it is written and read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Frame {
    pub(crate) version: u8,
    pub(crate) kind: u8,
    pub(crate) id: u64,
    pub(crate) header: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

impl Frame {
    pub(crate) fn new(kind: u8, id: u64, header: &[u8], body: &[u8]) -> Self {
        Self {
            version: 1,
            kind,
            id,
            header: header.to_vec(),
            body: body.to_vec(),
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![self.version, self.kind];
        bytes.extend(
            u16::try_from(self.header.len())
                .expect("short")
                .to_be_bytes(),
        );
        bytes.extend(self.id.to_be_bytes());
        bytes.extend(&self.header);
        bytes.extend(&self.body);
        bytes
    }

    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let len = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
        Self {
            version: bytes[0],
            kind: bytes[1],
            id: u64::from_be_bytes(bytes[4..12].try_into().expect("8 bytes")),
            header: bytes[12..12 + len].to_vec(),
            body: bytes[12 + len..].to_vec(),
        }
    }

    /// The kind of failure, of a frame that is one.
    pub(crate) fn failure(&self) -> (String, String) {
        assert_eq!(self.kind, FAIL, "{self:?}");
        let mut rest = &self.header[1..];
        let mut text = || {
            let (len, skip) = match rest[0] {
                len @ 0xa0..=0xbf => (usize::from(len & 0x1f), 1),
                0xd9 => (usize::from(rest[1]), 2),
                0xda => (usize::from(u16::from_be_bytes([rest[1], rest[2]])), 3),
                other => panic!("no string: {other:x}"),
            };
            let text = String::from_utf8(rest[skip..skip + len].to_vec()).expect("UTF-8");
            rest = &rest[skip + len..];
            text
        };
        (text(), text())
    }
}

pub(crate) fn string(text: &str) -> Vec<u8> {
    let mut bytes = vec![0xd9, u8::try_from(text.len()).expect("short")];
    bytes.extend(text.as_bytes());
    bytes
}

/// The header of a request to `node-1` on the topic `raw`, version 1.0.
pub(crate) fn request_header(method: &str) -> Vec<u8> {
    Service::RAW.request_header((1, 0), method)
}

/// A server with one API.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service<'a> {
    pub(crate) topic: &'a str,
    pub(crate) server: &'a str,
    pub(crate) api: &'a str,
    pub(crate) namespace: Option<&'a str>,
    /// The end of each major version.
    pub(crate) versions: &'a [(u8, u8)],
}

impl Service<'_> {
    const RAW: Service<'static> = Service {
        topic: "raw",
        server: "node-1",
        api: "Raw",
        namespace: None,
        versions: &[(1, 0)],
    };

    fn namespace(&self) -> Vec<u8> {
        self.namespace.map_or(vec![0xc0], string)
    }

    /// The header of a request to it.
    pub(crate) fn request_header(&self, version: (u8, u8), method: &str) -> Vec<u8> {
        let mut header = vec![0x9a];
        header.extend(string(""));
        header.extend(string(self.topic));
        header.extend(string(self.server));
        header.extend(self.namespace());
        header.extend([0x92, version.0, version.1, 0x92, version.0, version.1]);
        header.extend(string(method));
        header.extend([0xc0, 0x80, 0xc0]);
        header
    }

    /// What an announcement says of it.
    fn announcement(&self) -> Vec<u8> {
        let mut body = vec![0x95];
        body.extend(string(""));
        body.extend(string(self.topic));
        body.extend(string(self.server));
        body.extend([0xc2, 0x90 | short(self.versions)]);
        for version in self.versions {
            body.push(0x93);
            body.extend(string(self.api));
            body.extend(self.namespace());
            body.extend([0x92, version.0, version.1]);
        }
        body
    }
}

/// How many there are, for the head of a short array.
fn short<T>(entries: &[T]) -> u8 {
    u8::try_from(entries.len())
        .ok()
        .filter(|len| *len < 16)
        .expect("short")
}

/// A client that writes whatever it likes.
pub(crate) struct RawPeer(DealerSocket);

impl RawPeer {
    pub(crate) async fn connect(address: &str) -> Self {
        let mut socket = DealerSocket::new();
        socket
            .connect(&format!("tcp://{address}"))
            .await
            .expect("it listens");
        Self(socket)
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.0
            .send(ZmqMessage::from(bytes.to_vec()))
            .await
            .expect("sent");
    }

    pub(crate) async fn send_frame(&mut self, frame: &Frame) {
        self.send(&frame.bytes()).await;
    }

    /// The next frame that is no announcement.
    pub(crate) async fn receive(&mut self) -> Frame {
        loop {
            let message = within(self.0.recv()).await.expect("received");
            let frames: Vec<Frame> = message.iter().map(|part| Frame::parse(part)).collect();
            assert_eq!(
                frames.len(),
                1,
                "one request at a time is answered by itself: {frames:?}"
            );
            if frames[0].kind != ANNOUNCE {
                return frames[0].clone();
            }
        }
    }
}

/// A node that answers whatever it likes.
pub(crate) struct RawNode {
    socket: RouterSocket,
    pub(crate) address: String,
    peer: Bytes,
}

impl RawNode {
    pub(crate) async fn bind() -> Self {
        let mut socket = RouterSocket::new();
        let endpoint = socket.bind("tcp://127.0.0.1:0").await.expect("a free port");
        Self {
            socket,
            address: endpoint.to_string().trim_start_matches("tcp://").into(),
            peer: Bytes::new(),
        }
    }

    /// Waits for a greeting, and announces `node-1` on the topic `raw`, version 1.0, with protocol versions from `lowest`.
    pub(crate) async fn announce(&mut self, lowest: u8) {
        self.announce_services(lowest, &[Service::RAW]).await;
    }

    /// Waits for a greeting, and announces servers.
    pub(crate) async fn announce_services(&mut self, lowest: u8, services: &[Service<'_>]) {
        self.announce_with(lowest, services, &[]).await;
    }

    /// The same, of a node that sends heartbeats.
    pub(crate) async fn announce_heartbeats(&mut self) {
        self.announce_with(1, &[Service::RAW], &[0xc0, 0xc3]).await;
    }

    /// `more` are the fields after the window, each of one byte.
    async fn announce_with(&mut self, lowest: u8, services: &[Service<'_>], more: &[u8]) {
        let hello = self.receive().await;
        assert_eq!((hello.kind, hello.header), (HELLO, vec![0x92, 1, 1]));
        let mut header = vec![0x96 + short(more), lowest, lowest, 0xc4, 16];
        header.extend([9; 16]);
        header.extend(string("somewhere"));
        header.extend([100, 0xcd, 0x10, 0x00]);
        header.extend(more);
        let mut body = vec![0x90 | short(services)];
        for service in services {
            body.extend(service.announcement());
        }
        self.send(&Frame::new(ANNOUNCE, 0, &header, &body).bytes())
            .await;
    }

    pub(crate) async fn receive(&mut self) -> Frame {
        let message = within(self.socket.recv()).await.expect("received");
        self.peer = message.get(0).expect("an identity").clone();
        Frame::parse(message.get(1).expect("a frame"))
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let message = vec![self.peer.clone(), Bytes::copy_from_slice(bytes)];
        self.socket
            .send(ZmqMessage::try_from(message).expect("not empty"))
            .await
            .expect("sent");
    }

    pub(crate) async fn answer(&mut self, kind: u8, id: u64, header: &[u8], body: &[u8]) {
        self.send(&Frame::new(kind, id, header, body).bytes()).await;
    }
}

pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future)
        .await
        .expect("nothing came")
}
