//! A broken client: the server answers what can be answered, and serves everybody else.

use crate::raw::{
    ACCEPT, CALL, CANCEL, CAST, Frame, MULTICALL, REPLY, RawPeer, UNSUPPORTED, request_header,
    string,
};
use rpc_core::{Context, Server, Target, Transport, rpc_api};

/// What the raw peers call.
#[rpc_api(version = "1.0")]
trait Raw {
    async fn double(&self, ctx: &Context, n: u32) -> u64;
    #[rpc(cast)]
    async fn take(&self, ctx: &Context, n: u32);
}

struct Doubler;

impl Raw for Doubler {
    async fn double(&self, _: &Context, n: u32) -> u64 {
        u64::from(n) * 2
    }

    async fn take(&self, _: &Context, _n: u32) {}
}

struct Node {
    server: Server,
    transport: Transport,
    address: String,
}

async fn node() -> Node {
    let transport = rpc_zmq::connect("zmq://127.0.0.1:0?window=8")
        .await
        .unwrap();
    let server = Server::builder(transport.clone())
        .target(Target::new().server("node-1"))
        .endpoint(RawDispatcher::new(Doubler))
        .start()
        .await
        .unwrap();
    let address = transport.local_addr().unwrap();
    Node {
        server,
        transport,
        address,
    }
}

/// `{"n": 21}`
fn arguments() -> Vec<u8> {
    b"\x81\xa1n\x15".to_vec()
}

fn call(id: u64) -> Frame {
    Frame::new(CALL, id, &request_header("double"), &arguments())
}

async fn assert_unharmed(node: &Node, raw: &mut RawPeer, id: u64) {
    raw.send_frame(&call(id)).await;
    assert_eq!(raw.receive().await, Frame::new(REPLY, id, &[], &[42]));
    let transport = rpc_zmq::connect(&format!("zmq://{}", node.address))
        .await
        .unwrap();
    assert_eq!(
        RawClient::new(transport)
            .double(&Context::new(), 4)
            .await
            .unwrap(),
        8
    );
}

#[tokio::test]
async fn a_call_by_hand_is_answered() {
    let node = node().await;
    let mut raw = RawPeer::connect(&node.address).await;
    assert_unharmed(&node, &mut raw, 1).await;
}

#[tokio::test]
async fn bytes_that_are_no_frame_are_dropped_and_counted() {
    let node = node().await;
    let mut raw = RawPeer::connect(&node.address).await;
    let mut longer_than_it_is = call(5).bytes();
    longer_than_it_is[2] = 0xff;
    for bytes in [
        &b""[..],
        b"x",
        b"\x01\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00",
        &longer_than_it_is,
    ] {
        raw.send(bytes).await;
    }
    assert_unharmed(&node, &mut raw, 6).await;
    assert_eq!(node.transport.stats().protocol_errors, 4);
}

#[tokio::test]
async fn an_unknown_kind_or_version_is_answered_as_unsupported() {
    let node = node().await;
    let mut raw = RawPeer::connect(&node.address).await;
    raw.send_frame(&Frame::new(99, 7, &[], &[])).await;
    assert_eq!(
        raw.receive().await,
        Frame::new(UNSUPPORTED, 7, &[0x91, 99], &[])
    );
    let newer = Frame {
        version: 2,
        ..call(8)
    };
    raw.send_frame(&newer).await;
    assert_eq!(
        raw.receive().await,
        Frame::new(UNSUPPORTED, 8, &[0x91, CALL], &[])
    );
    assert_unharmed(&node, &mut raw, 9).await;
}

#[tokio::test]
async fn a_header_that_cannot_be_read_fails_the_request() {
    let node = node().await;
    let mut raw = RawPeer::connect(&node.address).await;
    let mut deep = vec![0x91; 10_000];
    deep.push(0xc0);
    for (id, header) in [&b""[..], b"\xc1", b"\x90", b"\x9a\x01", &deep]
        .into_iter()
        .enumerate()
    {
        let id = id as u64 + 1;
        raw.send_frame(&Frame::new(CALL, id, header, &arguments()))
            .await;
        let answer = raw.receive().await;
        assert_eq!(
            (answer.id, answer.failure().0.as_str()),
            (id, "DecodeArguments"),
            "{header:?}"
        );
    }
    assert_unharmed(&node, &mut raw, 100).await;
}

#[tokio::test]
async fn arguments_that_are_wrong_fail_the_request() {
    let node = node().await;
    let mut raw = RawPeer::connect(&node.address).await;
    let mut deep = b"\x81\xa1n".to_vec();
    deep.extend(vec![0x91; 10_000]);
    deep.push(0xc0);
    let bodies: [(&[u8], &str); 10] = [
        (b"", "ends in the middle"),
        (b"\xc1", "never used"),
        (b"\x93\x01\x02\x03", "a map by name"),
        (b"\x81\xa1n\xa1x", "`n`: this is a string"),
        (b"\x81\xa1n\xce\xff", "ends in the middle"),
        (b"\x80", "`n`: it is missing"),
        (b"\x82\xa1n\x15\xa1m\x01", "`m`: no such argument"),
        (b"\x82\xa1n\x15\xa1n\x15", "`n`: it is there twice"),
        (b"\x81\xa1n\x15\x00", "bytes follow"),
        (&deep, "deeper than 64"),
    ];
    for (id, (body, expected)) in bodies.into_iter().enumerate() {
        let id = id as u64 + 1;
        raw.send_frame(&Frame::new(CALL, id, &request_header("double"), body))
            .await;
        let (kind, message) = raw.receive().await.failure();
        assert_eq!(kind, "DecodeArguments");
        assert!(message.contains(expected), "{message}");
    }
    assert_unharmed(&node, &mut raw, 100).await;
}

#[tokio::test]
async fn a_cast_that_cannot_be_decoded_is_accepted_and_counted() {
    let node = node().await;
    let mut raw = RawPeer::connect(&node.address).await;
    raw.send_frame(&Frame::new(CAST, 1, &request_header("take"), b"\xc1"))
        .await;
    assert_eq!(raw.receive().await, Frame::new(ACCEPT, 1, &[], &[]));
    assert_unharmed(&node, &mut raw, 2).await;
    assert_eq!(node.server.stats().undecodable, 1);
}

#[tokio::test]
async fn what_is_not_there_is_refused() {
    let node = node().await;
    let mut raw = RawPeer::connect(&node.address).await;
    raw.send_frame(&Frame::new(
        CALL,
        1,
        &request_header("triple"),
        &arguments(),
    ))
    .await;
    assert_eq!(raw.receive().await.failure().0, "NoSuchMethod");
    raw.send_frame(&Frame::new(
        MULTICALL,
        2,
        &request_header("double"),
        &arguments(),
    ))
    .await;
    assert_eq!(raw.receive().await.failure().0, "NoSuchMethod");
    let mut newer = request_header("double");
    let version = newer
        .windows(3)
        .position(|window| window == [0x92, 1, 0])
        .unwrap();
    newer[version + 2] = 9;
    raw.send_frame(&Frame::new(CALL, 3, &newer, &arguments()))
        .await;
    assert_eq!(raw.receive().await.failure().0, "UnsupportedVersion");
    let mut elsewhere = vec![0x9a];
    elsewhere.extend(string(""));
    elsewhere.extend(string("raw"));
    elsewhere.extend(string("node-2"));
    elsewhere.extend(&request_header("double")[1 + (2) + (2 + 3) + (2 + 6)..]);
    raw.send_frame(&Frame::new(CALL, 4, &elsewhere, &arguments()))
        .await;
    assert_eq!(raw.receive().await.failure().0, "Unavailable");
    // a cast that is asked for as a call would never be answered
    raw.send_frame(&Frame::new(CALL, 5, &request_header("take"), &arguments()))
        .await;
    assert_eq!(raw.receive().await.failure().0, "NoSuchMethod");
    // a call may be cast
    raw.send_frame(&Frame::new(
        CAST,
        6,
        &request_header("double"),
        &arguments(),
    ))
    .await;
    assert_eq!(raw.receive().await, Frame::new(ACCEPT, 6, &[], &[]));
    assert_unharmed(&node, &mut raw, 7).await;
}

#[tokio::test]
async fn unknown_fields_at_the_end_of_a_header_are_ignored() {
    let node = node().await;
    let mut raw = RawPeer::connect(&node.address).await;
    let mut header = request_header("double");
    header[0] = 0x9e;
    // after those that may be left out
    header.extend([0xc0, 0xc0, 0xc3, 0x91, 0xc1]);
    raw.send_frame(&Frame::new(CALL, 1, &header, &arguments()))
        .await;
    assert_eq!(raw.receive().await, Frame::new(REPLY, 1, &[], &[42]));
}

#[tokio::test]
async fn an_id_that_does_not_rise_is_dropped() {
    let node = node().await;
    let mut raw = RawPeer::connect(&node.address).await;
    raw.send_frame(&call(5)).await;
    assert_eq!(raw.receive().await.id, 5);
    raw.send_frame(&call(5)).await;
    raw.send_frame(&call(4)).await;
    raw.send_frame(&call(6)).await;
    // neither was run
    assert_eq!(raw.receive().await.id, 6);
    assert_eq!(node.server.stats().accepted, 2);
    assert_eq!(node.transport.stats().protocol_errors, 2);
}

#[tokio::test]
async fn frames_for_a_client_and_cancels_of_nothing_do_no_harm() {
    let node = node().await;
    let mut raw = RawPeer::connect(&node.address).await;
    for kind in [REPLY, ACCEPT, UNSUPPORTED, CANCEL] {
        raw.send_frame(&Frame::new(kind, 3, &[], &[])).await;
    }
    raw.send_frame(&Frame::new(11, 3, &[0xc1], &[])).await;
    raw.send_frame(&Frame::new(
        11,
        3,
        &[
            0x92, 0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1,
        ],
        &[],
    ))
    .await;
    assert_unharmed(&node, &mut raw, 4).await;
}
