//! Heartbeats, seen from the other end.

use crate::raw::{
    CALL, CANCEL, Frame, MULTICALL, RUNNING, RawNode, RawPeer, request_header, within,
};
use rpc_core::{Context, Server, Stream, Target, Transport, rpc_api};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// What the raw peers call, and what the raw node serves.
#[rpc_api(version = "1.0")]
trait Raw {
    #[rpc(monitor = "600ms")]
    async fn hold(&self, ctx: &Context) -> u64;
    #[rpc(multicall)]
    fn nothing(&self, ctx: &Context) -> impl Stream<Item = u64> + Send;
}

struct Holder(watch::Sender<bool>);

impl Raw for Holder {
    async fn hold(&self, _: &Context) -> u64 {
        let mut released = self.0.subscribe();
        released.wait_for(|released| *released).await.unwrap();
        7
    }

    fn nothing(&self, _: &Context) -> impl Stream<Item = u64> + Send {
        futures_util::stream::pending()
    }
}

async fn node() -> (Server, Transport, watch::Sender<bool>) {
    let transport = rpc_zmq::connect("zmq://127.0.0.1:0").await.unwrap();
    let release = watch::Sender::new(false);
    let server = Server::builder(transport.clone())
        .target(Target::new().server("node-1"))
        .endpoint(RawDispatcher::new(Holder(release.clone())))
        .concurrency(1)
        .start()
        .await
        .unwrap();
    (server, transport, release)
}

/// A request that asks for heartbeats.
fn monitored(kind: u8, id: u64, method: &str, monitor: Duration) -> Frame {
    let mut header = request_header(method);
    header[0] = 0x9c;
    header.extend([0xc0, 0xce]);
    let micros = u32::try_from(monitor.as_micros()).unwrap();
    header.extend(micros.to_be_bytes());
    Frame::new(kind, id, &header, &[0x80])
}

/// A heartbeat for these.
fn running(ids: &[u8]) -> Frame {
    let mut body = vec![0x90 | u8::try_from(ids.len()).unwrap()];
    body.extend(ids);
    Frame::new(RUNNING, 0, &[], &body)
}

fn listed(frame: &Frame) -> Vec<u8> {
    assert_eq!((frame.kind, frame.id), (RUNNING, 0), "{frame:?}");
    let mut ids = frame.body[1..].to_vec();
    ids.sort_unstable();
    assert_eq!(usize::from(frame.body[0]), 0x90 | ids.len());
    ids
}

#[tokio::test]
async fn what_runs_and_what_waits_is_listed_until_it_is_over() {
    let (server, transport, release) = node().await;
    let mut raw = RawPeer::connect(&transport.local_addr().unwrap()).await;
    let monitor = Duration::from_millis(200);
    let started = Instant::now();
    raw.send_frame(&monitored(CALL, 1, "hold", monitor)).await;
    raw.send_frame(&monitored(CALL, 2, "hold", monitor)).await;
    // nobody asked to hear of this one
    raw.send_frame(&Frame::new(CALL, 3, &request_header("hold"), &[0x80]))
        .await;
    assert_eq!(listed(&raw.receive().await), [1, 2]);
    assert!(started.elapsed() >= monitor / 2);
    assert_eq!(listed(&raw.receive().await), [1, 2]);
    raw.send_frame(&Frame::new(CANCEL, 2, &[], &[])).await;
    let mut beats = 0;
    while listed(&raw.receive().await) == [1, 2] {
        // one may have been on its way
        beats += 1;
        assert!(beats < 20, "it was cancelled");
    }
    raw.send_frame(&Frame::new(CANCEL, 1, &[], &[])).await;
    while server.stats().cancelled < 2 {
        tokio::task::yield_now().await;
    }
    release.send_replace(true);
    // the third is answered, and then there is silence
    loop {
        let frame = raw.receive().await;
        if frame.kind != RUNNING {
            assert_eq!((frame.id, frame.body), (3, vec![7]));
            break;
        }
    }
    let silence = tokio::time::timeout(monitor * 2, raw.receive()).await;
    assert!(silence.is_err(), "{silence:?}");
}

#[tokio::test]
async fn a_shorter_time_than_there_is_does_no_harm() {
    let (_server, transport, _release) = node().await;
    let mut raw = RawPeer::connect(&transport.local_addr().unwrap()).await;
    let started = Instant::now();
    raw.send_frame(&monitored(CALL, 1, "hold", Duration::ZERO))
        .await;
    for _ in 0..4 {
        assert_eq!(listed(&raw.receive().await), [1]);
    }
    assert!(started.elapsed() >= Duration::from_millis(200));
}

async fn client(node: &RawNode) -> RawClient {
    let transport = rpc_zmq::connect(&format!("zmq://{}", node.address))
        .await
        .unwrap();
    RawClient::new(transport)
}

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up() {
    let mut node = RawNode::bind().await;
    let client = client(&node).await;
    let started = Instant::now();
    let call = tokio::spawn(client.hold(&Context::new()));
    node.announce_heartbeats().await;
    let sent = node.receive().await;
    // the method says how long it waits: 600 ms
    assert_eq!(sent.header[0], 0x9c);
    assert!(sent.header.ends_with(&[0xce, 0, 9, 0x27, 0xc0]));
    let id = u8::try_from(sent.id).unwrap();
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        node.send(&running(&[id, 99]).bytes()).await;
    }
    let error = within(call).await.unwrap().unwrap_err();
    let error = error.rpc().unwrap();
    assert!(error.is_timeout(), "{error}");
    assert!(error.message().contains("since the last one"), "{error}");
    assert!(started.elapsed() >= Duration::from_millis(1200));
    let cancel = node.receive().await;
    assert_eq!((cancel.kind, cancel.id), (CANCEL, sent.id));
}

#[tokio::test]
async fn a_server_that_is_never_heard_of_is_given_up() {
    let mut node = RawNode::bind().await;
    let client = client(&node).await;
    let prepared = client.prepare(|call| call.call_monitor_timeout(Duration::from_millis(300)));
    let call = tokio::spawn(prepared.hold(&Context::new()));
    node.announce_heartbeats().await;
    let sent = node.receive().await;
    assert!(sent.header.ends_with(&[0xce, 0, 4, 0x93, 0xe0]));
    // a heartbeat of others is none, and one that can't be read harms nobody
    node.send(&running(&[100]).bytes()).await;
    node.send(&Frame::new(RUNNING, 0, &[], &[0x93, 1]).bytes())
        .await;
    let error = within(call).await.unwrap().unwrap_err();
    let error = error.rpc().unwrap();
    assert!(error.message().contains("since it was sent"), "{error}");
    assert_eq!(client.rpc().transport().stats().protocol_errors, 1);
}

#[tokio::test]
async fn a_server_that_announces_no_heartbeats_is_not_asked_and_not_given_up() {
    let mut node = RawNode::bind().await;
    let client = client(&node).await;
    let monitor = Duration::from_millis(100);
    let timeout = Duration::from_millis(700);
    let prepared = client.prepare(|call| call.timeout(timeout).call_monitor_timeout(monitor));
    let started = Instant::now();
    let call = tokio::spawn(prepared.hold(&Context::new()));
    node.announce(1).await;
    let sent = node.receive().await;
    // the request's id is its last field
    assert_eq!((sent.kind, sent.header[0]), (CALL, 0x9b));
    let error = within(call).await.unwrap().unwrap_err();
    assert!(error.rpc().unwrap().is_timeout(), "{error}");
    assert!(started.elapsed() >= timeout, "{error}");
}

#[tokio::test]
async fn a_multicall_asks_for_no_heartbeats() {
    let mut node = RawNode::bind().await;
    let client = client(&node).await;
    let prepared = client.prepare(|call| call.call_monitor_timeout(Duration::from_millis(100)));
    let mut stream = prepared.nothing(&Context::new());
    let asking = tokio::spawn(async move {
        let _ = futures_util::StreamExt::next(&mut stream).await;
    });
    node.announce_heartbeats().await;
    let sent = node.receive().await;
    // the request's id is its last field
    assert_eq!((sent.kind, sent.header[0]), (MULTICALL, 0x9b));
    asking.abort();
}
