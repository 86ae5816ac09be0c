//! A broken node: its client gets clear errors, and goes on with what is right.

use crate::raw::{
    ACCEPT, CALL, CANCEL, END, FAIL, Frame, HELLO, ITEMS, MULTICALL, REPLY, RawNode, UNSUPPORTED,
    within,
};
use futures_util::StreamExt;
use rpc_core::{CallError, Context, ErrorKind, RpcError, Stream, rpc_api};
use std::time::Duration;

#[rpc_api(version = "1.0")]
trait Raw {
    async fn double(&self, ctx: &Context, n: u32) -> u64;
    #[rpc(multicall)]
    fn count(&self, ctx: &Context) -> impl Stream<Item = u64> + Send;
}

async fn pair() -> (RawNode, RawClient) {
    let node = RawNode::bind().await;
    let transport = rpc_zmq::connect(&format!("zmq://{}", node.address))
        .await
        .unwrap();
    let client = RawClient::new(transport).prepare(|call| call.timeout(Duration::from_secs(15)));
    (node, client)
}

/// Sends a call, and gives the node's answer to it.
async fn answered(
    node: &mut RawNode,
    client: &RawClient,
    kind: u8,
    header: &[u8],
    body: &[u8],
) -> Result<u64, RpcError> {
    let call = tokio::spawn(client.double(&Context::new(), 21));
    let request = node.receive().await;
    assert_eq!(
        (request.kind, request.body.as_slice()),
        (CALL, &b"\x81\xa1n\x15"[..])
    );
    node.answer(kind, request.id, header, body).await;
    match within(call).await.unwrap() {
        Ok(value) => Ok(value),
        Err(CallError::Rpc(error)) => Err(error),
        Err(CallError::Method(never)) => match never {},
    }
}

/// The first call, with the greeting and the announcement that precede it.
async fn greeted() -> (RawNode, RawClient) {
    let (mut node, client) = pair().await;
    let call = tokio::spawn(client.double(&Context::new(), 21));
    node.announce(1).await;
    let request = node.receive().await;
    node.answer(REPLY, request.id, &[], &[42]).await;
    assert_eq!(within(call).await.unwrap().unwrap(), 42);
    (node, client)
}

#[tokio::test]
async fn a_reply_that_cannot_be_decoded_fails_its_call_alone() {
    let (mut node, client) = greeted().await;
    let mut deep = vec![0x91; 10_000];
    deep.push(0xc0);
    for body in [&b""[..], b"\xc1", b"\xa1x", b"\x2a\x2a", &deep] {
        let error = answered(&mut node, &client, REPLY, &[], body)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DecodeReply, "{error}");
    }
    assert_eq!(
        answered(&mut node, &client, REPLY, &[], &[42])
            .await
            .unwrap(),
        42
    );
}

#[tokio::test]
async fn a_reply_for_no_call_does_no_harm() {
    let (mut node, client) = greeted().await;
    for (kind, id) in [
        (REPLY, 0),
        (REPLY, 1),
        (REPLY, 999),
        (FAIL, 999),
        (ITEMS, 999),
        (ACCEPT, u64::MAX),
        (CALL, 5),
        (HELLO, 0),
    ] {
        node.answer(kind, id, &[0xc1], &[0xc1]).await;
    }
    node.send(b"").await;
    node.send(b"\x01\x06\xff\xff\0\0\0\0\0\0\0\x01").await;
    assert_eq!(
        answered(&mut node, &client, REPLY, &[], &[42])
            .await
            .unwrap(),
        42
    );
    let stats = client.rpc().transport().stats();
    assert_eq!((stats.links_lost, stats.protocol_errors), (0, 9));
}

#[tokio::test]
async fn failures_of_every_form_are_errors() {
    let (mut node, client) = greeted().await;
    let fail = |kind: &str, message: &str| {
        let mut header = vec![0x92];
        header.extend(crate::raw::string(kind));
        header.extend(crate::raw::string(message));
        header
    };
    let error = answered(
        &mut node,
        &client,
        FAIL,
        &fail("NoSuchMethod", "gone\u{1b}[31m"),
        &[],
    )
    .await
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchMethod);
    assert!(error.to_string().contains("gone\\u{1b}[31m"), "{error}");
    // a kind that only newer nodes know may have run
    let error = answered(&mut node, &client, FAIL, &fail("Melted", "x"), &[])
        .await
        .unwrap_err();
    assert!(
        error.kind() == ErrorKind::Remote
            && error.message().contains("Melted")
            && error.may_have_run()
    );
    let error = answered(&mut node, &client, FAIL, &[0xc1], &[])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DecodeReply);
    // an error of a method that has none
    let error = answered(&mut node, &client, FAIL, &fail("Method", ""), &[0xc0])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DecodeReply);
    let error = answered(&mut node, &client, UNSUPPORTED, &[0x91, CALL], &[])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedVersion);
    let error = answered(&mut node, &client, ACCEPT, &[], &[])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DecodeReply);
}

#[tokio::test]
async fn a_stream_with_a_gap_or_too_many_items_is_an_error() {
    let (mut node, client) = greeted().await;
    let wrong: [(&[u8], &[u8]); 6] = [
        (&[0x92, 1, 1], &[7]),
        (&[0x92, 0, 2], &[7]),
        (&[0x92, 0, 0], &[7]),
        (&[0x92, 0, 0xcd, 2, 1], &[7; 513]),
        (&[0xc1], &[7]),
        (&[0x92, 0, 1], &[0xc1]),
    ];
    for (header, body) in wrong {
        let mut stream = client.count(&Context::new());
        let items = tokio::spawn(async move { (stream.next().await, stream) });
        let request = node.receive().await;
        assert_eq!(request.kind, MULTICALL);
        node.answer(ACCEPT, request.id, &[], &[]).await;
        node.answer(ITEMS, request.id, header, body).await;
        let (item, _stream) = within(items).await.unwrap();
        let error = item.unwrap().unwrap_err();
        assert_eq!(
            error.rpc().unwrap().kind(),
            ErrorKind::DecodeReply,
            "{header:?} {error}"
        );
        // the node is told to stop
        let told = node.receive().await;
        assert_eq!((told.kind, told.id), (CANCEL, request.id));
    }
    let mut stream = client.count(&Context::new());
    let items = tokio::spawn(async move {
        (
            stream.next().await,
            stream.next().await,
            stream.next().await,
        )
    });
    let request = node.receive().await;
    node.answer(ACCEPT, request.id, &[], &[]).await;
    node.answer(ITEMS, request.id, &[0x92, 0, 2], &[5, 6]).await;
    node.answer(END, request.id, &[0x91, 2], &[]).await;
    let (first, second, third) = within(items).await.unwrap();
    assert_eq!(
        (first.unwrap().unwrap(), second.unwrap().unwrap()),
        ((0, 5), (1, 6))
    );
    assert!(third.is_none());
}

#[tokio::test]
async fn a_node_of_another_protocol_is_not_used() {
    let (mut node, client) = pair().await;
    let client = client.prepare(|call| call.timeout(Duration::from_millis(500)));
    let call = tokio::spawn(client.double(&Context::new(), 21));
    node.announce(2).await;
    let error = within(call).await.unwrap().unwrap_err();
    let error = error.rpc().unwrap();
    assert_eq!(error.kind(), ErrorKind::Undeliverable);
    assert!(
        error.message().contains("speaks versions 2 to 2"),
        "{error}"
    );
}

#[tokio::test]
async fn an_announcement_that_cannot_be_read_is_no_announcement() {
    let (mut node, client) = pair().await;
    let call = tokio::spawn(client.double(&Context::new(), 21));
    let hello = node.receive().await;
    assert_eq!(hello.kind, HELLO);
    for (header, body) in [
        (&b"\xc1"[..], &b""[..]),
        (b"\x90", b""),
        (b"\x96\x01\x01\xc4\x01\x00\xa0\x01\x01", b"\x90"),
    ] {
        node.send(&Frame::new(2, 0, header, body).bytes()).await;
    }
    let mut header = vec![0x96, 1, 1, 0xc4, 16];
    header.extend([9; 16]);
    header.extend(crate::raw::string("somewhere"));
    header.extend([100, 100]);
    let mut deep = vec![0x91; 10_000];
    deep.push(0xc0);
    for body in [&b"\xdd\xff\xff\xff\xff"[..], b"\x91\x91\xa0", &deep] {
        node.send(&Frame::new(2, 0, &header, body).bytes()).await;
    }
    // the link is unharmed: a good one is taken
    let mut body = vec![0x91, 0x95];
    body.extend(crate::raw::string(""));
    body.extend(crate::raw::string("raw"));
    body.extend(crate::raw::string("node-1"));
    body.extend([0xc2, 0x91, 0x93]);
    body.extend(crate::raw::string("Raw"));
    body.extend([0xc0, 0x92, 1, 0]);
    node.send(&Frame::new(2, 0, &header, &body).bytes()).await;
    let request = node.receive().await;
    node.answer(REPLY, request.id, &[], &[42]).await;
    assert_eq!(within(call).await.unwrap().unwrap(), 42);
}
