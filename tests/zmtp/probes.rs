//! What a node must bear. Each probe is told where a node listens, and says what is wrong with it.

use crate::raw::{HELLO, Raw, call_blob, command, frame, greeting, ready};
use crate::service;
use futures_util::future::join_all;
use rpc_core::Context;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub(crate) type Outcome = Result<(), String>;

/// A way to trouble a node.
pub(crate) struct Probe {
    pub(crate) name: &'static str,
    pub(crate) run: fn(String) -> futures_util::future::BoxFuture<'static, Outcome>,
}

macro_rules! probes {
    ($($name:ident($options:literal),)*) => {
        pub(crate) const PROBES: &[Probe] = &[$(Probe {
            name: stringify!($name),
            run: |address| Box::pin($name(address)),
        }),*];

        mod zmtp {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let (_server, transport) = crate::service::serve($options).await;
                let address = transport.local_addr().unwrap();
                super::bears(&address, super::$name(address.clone())).await.unwrap();
            })*
        }
    };
}

probes! {
    an_oversized_frame_is_refused_before_it_comes(""),
    an_oversized_frame_is_refused_during_the_handshake(""),
    a_message_of_endless_frames_is_refused(""),
    a_message_of_endless_large_frames_is_refused(""),
    silent_connections_keep_nobody_out_and_are_closed(""),
    another_mechanism_is_refused(""),
    an_older_version_is_refused(""),
    another_socket_type_is_refused_with_an_error(""),
    garbage_closes_the_connection(""),
    half_a_frame_is_no_harm(""),
    bytes_may_come_one_by_one(""),
    a_ping_is_answered_with_its_context(""),
    a_peer_that_says_nothing_is_asked_and_then_dropped("heartbeat=400"),
    a_peer_that_answers_pings_stays("heartbeat=400"),
    a_peer_of_3_0_is_not_asked("heartbeat=200"),
    clients_of_one_identity_are_two(""),
    a_peer_that_does_not_read_disturbs_nobody("unread_bytes=16000000"),
    a_peer_that_does_not_read_is_dropped("unread_bytes=8000000"),
    a_peer_that_reads_nothing_of_little_is_dropped("heartbeat=400"),
    there_are_no_more_connections_than_may_be("connections=4"),
}

/// A probe within its time, and whether the node still serves others.
pub(crate) async fn bears(address: &str, probe: impl Future<Output = Outcome>) -> Outcome {
    tokio::time::timeout(Duration::from_secs(20), probe)
        .await
        .map_err(|_| "the probe hangs")??;
    if service::is_served(address).await {
        Ok(())
    } else {
        Err("nobody is served afterwards".into())
    }
}

/// The head of a frame that announces a length.
fn announcing(len: u64) -> Vec<u8> {
    let mut head = vec![2];
    head.extend(len.to_be_bytes());
    head
}

async fn an_oversized_frame_is_refused_before_it_comes(address: String) -> Outcome {
    for bits in [24, 30, 33, 40, 46, 62, 63] {
        let mut raw = Raw::greeted(&address, 1).await?;
        raw.write(&announcing(1 << bits)).await;
        raw.closed()
            .await
            .map_err(|error| format!("2^{bits}: {error}"))?;
    }
    Ok(())
}

async fn an_oversized_frame_is_refused_during_the_handshake(address: String) -> Outcome {
    for bits in [14, 30, 40, 62, 63] {
        let mut raw = Raw::connect(&address).await?;
        raw.write(&greeting(1, b"NULL")).await;
        let mut head = announcing(1 << bits);
        head[0] = 6;
        raw.write(&head).await;
        // sooner than for the time that it takes
        let since = Instant::now();
        raw.closed()
            .await
            .map_err(|error| format!("2^{bits}: {error}"))?;
        if since.elapsed() > Duration::from_secs(3) {
            return Err("it waited for a frame that it can't take".into());
        }
    }
    Ok(())
}

async fn a_message_of_endless_frames_is_refused(address: String) -> Outcome {
    let mut raw = Raw::greeted(&address, 1).await?;
    raw.write(&frame(1, b"").repeat(20_000)).await;
    raw.closed().await
}

async fn a_message_of_endless_large_frames_is_refused(address: String) -> Outcome {
    let mut raw = Raw::greeted(&address, 1).await?;
    let part = frame(1, &[0; 64 * 1024]);
    for _ in 0..200 {
        raw.write(&part).await;
    }
    raw.closed().await
}

async fn silent_connections_keep_nobody_out_and_are_closed(address: String) -> Outcome {
    let mut silent = Vec::new();
    for at in 0..300 {
        let mut raw = Raw::connect(&address).await?;
        if at % 2 == 0 {
            raw.write(&greeting(1, b"NULL")).await;
        }
        silent.push(raw);
    }
    if !service::is_served(&address).await {
        return Err("a good client is not served".into());
    }
    let closed = join_all(silent.iter_mut().map(Raw::closed)).await;
    closed.into_iter().collect()
}

async fn another_mechanism_is_refused(address: String) -> Outcome {
    for mechanism in [&b"PLAIN"[..], b"CURVE", b"NULLX", b""] {
        let mut raw = Raw::connect(&address).await?;
        raw.write(&greeting(1, mechanism)).await;
        raw.write(&ready(b"DEALER", None)).await;
        let since = Instant::now();
        raw.closed().await?;
        if since.elapsed() > Duration::from_secs(3) {
            return Err("it was not refused at once".into());
        }
    }
    Ok(())
}

async fn an_older_version_is_refused(address: String) -> Outcome {
    for (major, minor) in [(1, 0), (2, 0), (2, 1)] {
        let mut raw = Raw::connect(&address).await?;
        let mut greeting = greeting(minor, b"NULL");
        greeting[10] = major;
        // as much as such a peer would send
        raw.write(&greeting[..12]).await;
        let since = Instant::now();
        raw.closed().await?;
        if since.elapsed() > Duration::from_secs(3) {
            return Err("it was not refused at once".into());
        }
    }
    Ok(())
}

async fn another_socket_type_is_refused_with_an_error(address: String) -> Outcome {
    for socket_type in [&b"PUB"[..], b"REQ", b"ROUTER", b"\x1b[31m", b""] {
        let mut raw = Raw::connect(&address).await?;
        raw.write(&greeting(1, b"NULL")).await;
        raw.write(&ready(socket_type, None)).await;
        let mut greeting = [0; 64];
        raw.0
            .read_exact(&mut greeting)
            .await
            .map_err(|error| error.to_string())?;
        let (_, ready) = raw.frame().await?;
        let (_, error) = raw.frame().await?;
        if !ready.starts_with(b"\x05READY") || !error.starts_with(b"\x05ERROR") {
            return Err(format!("{ready:?}, {error:?}"));
        }
        raw.closed().await?;
    }
    Ok(())
}

async fn garbage_closes_the_connection(address: String) -> Outcome {
    let mut raw = Raw::connect(&address).await?;
    raw.write(b"GET / HTTP/1.1\r\n\r\n").await;
    raw.closed().await?;
    let second_ready = ready(b"DEALER", None);
    let long_command = frame(4, &[b"\x04PONG".to_vec(), vec![0; 2000]].concat());
    for garbage in [
        // reserved flags, a command of several parts
        &frame(0x80, HELLO)[..],
        &frame(0x08, HELLO),
        &frame(5, b"\x04PING\0\0"),
        // commands
        &frame(4, b""),
        &frame(4, b"\0"),
        &frame(4, b"\x09PING"),
        &command(b"PING", b"\0"),
        &command(b"PING", &[0; 19]),
        &command(b"ERROR", b"\x02no"),
        &long_command,
        &second_ready,
    ] {
        let mut raw = Raw::greeted(&address, 1).await?;
        raw.write(garbage).await;
        let closed = raw.closed().await;
        closed.map_err(|error| format!("{}: {error}", garbage.escape_ascii()))?;
    }
    // before READY
    for garbage in [
        &frame(0, HELLO)[..],
        &command(b"PING", b"\0\0"),
        &frame(4, b""),
    ] {
        let mut raw = Raw::connect(&address).await?;
        raw.write(&greeting(1, b"NULL")).await;
        raw.write(garbage).await;
        let since = Instant::now();
        raw.closed().await?;
        if since.elapsed() > Duration::from_secs(3) {
            return Err("it was not refused at once".into());
        }
    }
    Ok(())
}

async fn half_a_frame_is_no_harm(address: String) -> Outcome {
    let whole = [
        greeting(1, b"NULL"),
        ready(b"DEALER", None),
        frame(0, HELLO),
        frame(0, &call_blob(1, 10)),
    ]
    .concat();
    for len in 0..whole.len() {
        let mut raw = Raw::connect(&address).await?;
        raw.write(&whole[..len]).await;
    }
    Ok(())
}

async fn bytes_may_come_one_by_one(address: String) -> Outcome {
    let mut raw = Raw::connect(&address).await?;
    let hello_and_call = [
        greeting(1, b"NULL"),
        ready(b"DEALER", None),
        frame(1, HELLO),
        frame(0, &call_blob(1, 300)),
    ]
    .concat();
    for byte in hello_and_call {
        raw.write(&[byte]).await;
    }
    let mut greeting = [0; 64];
    raw.0
        .read_exact(&mut greeting)
        .await
        .map_err(|error| error.to_string())?;
    raw.message().await?;
    let reply = raw.message().await?;
    if reply[1] == 6 && reply.len() > 300 {
        Ok(())
    } else {
        Err(format!("{reply:?}"))
    }
}

async fn a_ping_is_answered_with_its_context(address: String) -> Outcome {
    let mut raw = Raw::linked(&address).await?;
    raw.ping(b"").await?;
    raw.ping(b"sixteen bytes...").await?;
    // two at once, and one within a message
    raw.write(&[command(b"PING", b"\0\0a"), command(b"PING", b"\0\0b")].concat())
        .await;
    raw.pong(b"a").await?;
    raw.pong(b"b").await?;
    raw.write(&[frame(1, HELLO), command(b"PING", b"\0\0c"), frame(0, HELLO)].concat())
        .await;
    raw.pong(b"c").await
}

async fn a_peer_that_says_nothing_is_asked_and_then_dropped(address: String) -> Outcome {
    let mut raw = Raw::linked(&address).await?;
    let since = Instant::now();
    let (flags, body) = raw.frame().await?;
    if flags != 4 || !body.starts_with(b"\x04PING") {
        return Err(format!("{body:?}"));
    }
    raw.closed().await?;
    // the limit, and what a busy machine adds
    if since.elapsed() > Duration::from_secs(4) {
        return Err("it took too long".into());
    }
    Ok(())
}

async fn a_peer_that_answers_pings_stays(address: String) -> Outcome {
    let mut raw = Raw::linked(&address).await?;
    for _ in 0..6 {
        let (_, body) = raw.frame().await?;
        if !body.starts_with(b"\x04PING") {
            return Err(format!("{body:?}"));
        }
        raw.write(&command(b"PONG", b"")).await;
    }
    raw.ping(b"still").await
}

async fn a_peer_of_3_0_is_not_asked(address: String) -> Outcome {
    let mut raw = Raw::greeted(&address, 0).await?;
    tokio::time::timeout(Duration::from_millis(800), raw.frame())
        .await
        .map_or(Ok(()), |frame| Err(format!("{frame:?}")))?;
    raw.write(&frame(0, HELLO)).await;
    raw.message().await.map(drop)
}

async fn clients_of_one_identity_are_two(address: String) -> Outcome {
    let long = vec![b'x'; 5000];
    for identity in [&b"me"[..], b"\0\0\0\0\x01", &long] {
        let mut raws = Vec::new();
        for _ in 0..2 {
            let mut raw = Raw::connect(&address).await?;
            raw.write(&greeting(1, b"NULL")).await;
            raw.write(&ready(b"DEALER", Some(identity))).await;
            raw.write(&frame(0, HELLO)).await;
            let mut greeting = [0; 64];
            raw.0
                .read_exact(&mut greeting)
                .await
                .map_err(|error| error.to_string())?;
            raw.message().await?;
            raws.push(raw);
        }
        for raw in &mut raws {
            raw.write(&frame(0, &call_blob(1, 5))).await;
            raw.message().await?;
        }
    }
    Ok(())
}

/// Asks for far more than a socket takes, and reads nothing.
async fn stuck(address: &str) -> Result<Raw, String> {
    let mut raw = Raw::linked(address).await?;
    for id in 1..=60 {
        raw.write(&frame(0, &call_blob(id, 1_000_000))).await;
    }
    Ok(raw)
}

async fn a_peer_that_does_not_read_disturbs_nobody(address: String) -> Outcome {
    let _stuck = stuck(&address).await?;
    let client = service::client(&address, "").await;
    let calls = (0..64).map(|_| {
        let client = client.clone();
        async move {
            for _ in 0..50 {
                let call = client.blob(&Context::new(), 1000).await;
                call.map_err(|error| error.to_string())?;
            }
            Ok(())
        }
    });
    join_all(calls).await.into_iter().collect()
}

async fn a_peer_that_does_not_read_is_dropped(address: String) -> Outcome {
    // it is no silent one: it goes on to write
    written_to_until_closed(stuck(&address).await?, &frame(0, HELLO)).await
}

async fn a_peer_that_reads_nothing_of_little_is_dropped(address: String) -> Outcome {
    let mut raw = Raw::linked(&address).await?;
    for id in 1..=20 {
        raw.write(&frame(0, &call_blob(id, 1_000_000))).await;
    }
    written_to_until_closed(raw, &command(b"PING", b"\0\0")).await
}

/// Writes this again and again, until the node has closed the connection.
pub(crate) async fn written_to_until_closed(mut raw: Raw, bytes: &[u8]) -> Outcome {
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    let writing = async {
        while raw.0.write_all(bytes).await.is_ok() {
            pace.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(12), writing)
        .await
        .map_err(|_| "the connection was kept".into())
}

async fn there_are_no_more_connections_than_may_be(address: String) -> Outcome {
    let mut kept = Vec::new();
    for _ in 0..4 {
        kept.push(Raw::linked(&address).await?);
    }
    let mut fifth = Raw::connect(&address).await?;
    fifth.closed().await?;
    for raw in &mut kept {
        raw.ping(b"").await?;
    }
    drop(kept.pop());
    // there is a place once the node has noticed
    let client = service::client(&address, "").await;
    client
        .blob(&Context::new(), 1)
        .await
        .map(drop)
        .map_err(|error| error.to_string())?;
    drop(kept);
    Ok(())
}
