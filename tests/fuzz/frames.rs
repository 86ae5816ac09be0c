//! Frames of the wire protocol, as they come from a peer that may be anything.

use crate::links::Ends;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use rpc_core::{CallError, Context, Peer, Server, Stream, Target, rpc_api};
use std::collections::HashMap;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::task::yield_now;
use tokio::time::timeout;

/// The service of the protocol's document, so that its vectors mean something to it.
#[rpc_api(version = "1.2", topic = "compute")]
trait Demo {
    async fn add(&self, ctx: &Context, a: i64, b: i64) -> i64;
    async fn ping(&self, ctx: &Context) -> String;
    async fn refuse(&self, ctx: &Context, name: &str) -> Result<Vec<Option<u8>>, String>;
    #[rpc(cast)]
    async fn reboot(&self, ctx: &Context, id: u64);
    #[rpc(multicall)]
    fn watch(
        &self,
        ctx: &Context,
        prefix: String,
    ) -> impl Stream<Item = Result<String, String>> + Send;
}

struct Node;

impl Demo for Node {
    async fn add(&self, _: &Context, a: i64, b: i64) -> i64 {
        a.wrapping_add(b)
    }

    async fn ping(&self, ctx: &Context) -> String {
        ctx.cancelled().await;
        String::new()
    }

    async fn refuse(&self, _: &Context, name: &str) -> Result<Vec<Option<u8>>, String> {
        yield_now().await;
        Err(name.to_owned())
    }

    async fn reboot(&self, _: &Context, _: u64) {}

    fn watch(
        &self,
        _: &Context,
        prefix: String,
    ) -> impl Stream<Item = Result<String, String>> + Send {
        let items = prefix.len() % 300;
        stream::iter((0..items).map(move |_| Ok(prefix.clone())))
    }
}

/// The instance `node-1` with that service: a frame of the protocol's document.
const ANNOUNCEMENT: &[u8] = b"\x01\x02\x00\x2a\0\0\0\0\0\0\0\0\x97\x01\x01\xc4\x10\
    \x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\xabhost-a:5555\xcd\x04\x00\xce\x04\0\0\0\x01\
    \x91\x95\xa0\xa7compute\xa6node-1\xc2\x91\x93\xa4Demo\xc0\x92\x01\x02";

/// As long as the slowest request of a client: nobody waits longer.
const LONGEST: Duration = Duration::from_secs(61);

/// Cuts the bytes into frames: two bytes say how long each is.
fn frames(mut bytes: &[u8]) -> Vec<Bytes> {
    let mut frames = Vec::new();
    while let Some((len, rest)) = bytes.split_first_chunk() {
        let len = usize::from(u16::from_be_bytes(*len)).min(rest.len());
        frames.push(Bytes::copy_from_slice(&rest[..len]));
        bytes = &rest[len..];
    }
    frames
}

/// The clock stands still while anything runs.
fn run(task: impl Future<Output = ()>) {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.expect("a runtime").block_on(task);
}

/// What others do goes on meanwhile.
async fn a_while() {
    for _ in 0..8 {
        yield_now().await;
    }
}

/// A client sends any frames to a node: it answers as it should, and accounts for every request.
pub(crate) fn to_a_node(bytes: &[u8]) {
    run(async {
        let (ends, transport) = Ends::open("window=16");
        let server = Server::builder(transport)
            .target(Target::new().server("node-1"))
            .endpoint(DemoDispatcher::new(Node))
            .concurrency(8)
            .queue(8)
            .start()
            .await
            .expect("a server");
        let inbound = ends.inbound();
        let link = inbound.link_up(Peer::new("fuzz", "client"), None);
        let written = tokio::spawn({
            let link = link.clone();
            async move {
                let mut frames = Vec::new();
                while link.next_frames(&mut frames, 64).await {}
                frames
            }
        });
        for frame in frames(bytes) {
            inbound.receive(&link, [frame]);
            a_while().await;
        }
        // long enough for heartbeats
        tokio::time::sleep(Duration::from_millis(200)).await;
        inbound.link_down(&link);
        check_answers(&written.await.expect("no panic"));
        server.stop().await;
        let stopped = server.wait_at_most(LONGEST).await;
        let stats = server.stats();
        let ended = stopped.finished
            + stopped.cut_off
            + stopped.not_run
            + stats.cancelled
            + stats.expired
            + stats.undecodable;
        assert_eq!(stats.accepted, ended, "{stats:?}, {stopped:?}");
    });
}

/// What a node may send, and each request is answered once.
fn check_answers(answers: &[Bytes]) {
    let mut ended: HashMap<[u8; 8], u8> = HashMap::new();
    for answer in answers {
        let prefix: &[u8; 12] = answer.first_chunk().expect("a frame has twelve bytes");
        assert_eq!(prefix[0], 1, "the version of the protocol");
        let id = *prefix.last_chunk().expect("eight of them are the id");
        match prefix[1] {
            // ANNOUNCE, ACCEPT, ITEMS, UNSUPPORTED, RUNNING
            2 | 8 | 9 | 13 | 15 => {}
            // REPLY, FAIL, END
            last @ (6 | 7 | 10) => {
                let before = ended.insert(id, last);
                assert_eq!(before, None, "{id:?} ended twice: {answer:?}");
            }
            kind => panic!("a node never sends a {kind}"),
        }
    }
}

/// A node answers a client with any frames: every request ends, and a stream has no gaps.
pub(crate) fn to_a_client(bytes: &[u8]) {
    run(async {
        let (ends, transport) = Ends::open("window=16");
        let client = DemoClient::new(transport);
        let call = tokio::spawn(client.add(&Context::new(), 2, 3));
        let refused = tokio::spawn(client.refuse(&Context::new(), "x"));
        let cast = tokio::spawn(client.reboot(&Context::new(), 42));
        let stream = tokio::spawn(read(client.watch(&Context::new(), "vm-".into())));
        a_while().await;
        let (outbound, node) = ends.outbound();
        let link = outbound.link_up(node, None);
        let written = tokio::spawn({
            let link = link.clone();
            async move {
                let mut frames = Vec::new();
                while link.next_frames(&mut frames, 64).await {}
                frames
            }
        });
        outbound.receive(node, &link, [Bytes::from_static(ANNOUNCEMENT)]);
        a_while().await;
        for frame in frames(bytes) {
            outbound.receive(node, &link, [frame]);
            a_while().await;
        }
        outbound.link_down(node, &link, "the bytes are over");
        written.await.expect("no panic");
        let all = async {
            let _ = call.await.expect("no panic");
            let _ = refused.await.expect("no panic");
            let _ = cast.await.expect("no panic");
            stream.await.expect("no panic");
        };
        timeout(LONGEST, all).await.expect("every request ends");
    });
}

async fn read(mut stream: impl Stream<Item = Result<(u64, String), CallError<String>>> + Unpin) {
    let mut expected = 0;
    while let Some(item) = stream.next().await {
        match item {
            Ok((number, _)) => assert_eq!(number, expected),
            Err(_) => {
                assert!(stream.next().await.is_none(), "an error is the end");
                return;
            }
        }
        expected += 1;
    }
}
