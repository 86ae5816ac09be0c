//! What hostile and broken peers do. Each attack goes on as long as its connection does, and begins again then.

use crate::frames::{CALL, CAST, MULTICALL, bytes, framed, request};
use crate::raw::{HELLO, Raw, command, frame, greeting};
use futures_util::future::BoxFuture;
use std::future::pending;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

/// Ends when the connection does.
type Outcome = Result<(), String>;

struct Attack {
    name: &'static str,
    /// How many do that at the same time.
    many: usize,
    run: fn(String) -> BoxFuture<'static, Outcome>,
}

macro_rules! attacks {
    ($($name:ident: $many:literal,)*) => {
        const ATTACKS: &[Attack] = &[$(Attack {
            name: stringify!($name),
            many: $many,
            run: |address| Box::pin($name(address)),
        }),*];
    };
}

attacks! {
    says_nothing: 60,
    greets_and_says_nothing: 60,
    says_a_byte_a_second: 40,
    sends_garbage: 4,
    announces_far_too_much: 2,
    announces_far_too_much_before_it_is_known: 2,
    announces_a_lot_and_sends_little: 40,
    sends_a_lot_but_for_the_end: 20,
    sends_frames_of_one_message_without_end: 2,
    sends_nothing_over_and_over: 1,
    greets_over_and_over: 1,
    greets_over_and_over_and_reads: 1,
    pings_over_and_over: 1,
    pings_over_and_over_and_reads: 1,
    subscribes_over_and_over: 1,
    asks_and_does_not_read: 2,
    asks_and_reads_slowly: 2,
    opens_streams_without_credit: 2,
    opens_streams_with_all_credit_and_does_not_read: 2,
    opens_streams_and_cancels_them: 1,
    repeats_ids: 1,
    sends_what_is_large_to_what_is_slow: 2,
    sends_what_is_large_to_what_is_slow_and_cancels: 1,
    sends_little_to_what_is_slow: 2,
    casts_to_what_is_slow: 2,
    keeps_buffers_by_little: 1,
    nests_deeply: 2,
    sends_what_only_nodes_send: 1,
    comes_and_goes: 4,
    comes_and_is_linked_and_goes: 2,
}

/// How long one waits before it begins again.
const PAUSE: Duration = Duration::from_secs(1);

/// How long a flood pauses again and again: the attackers run on the same processors as the node and its good clients.
const BREATH: Duration = Duration::from_millis(10);

/// All of them at once, or those that are named in `HOSTILE_ATTACKS`, until this is dropped.
pub(crate) fn begin(address: &str) -> JoinSet<()> {
    let named = std::env::var("HOSTILE_ATTACKS").unwrap_or_default();
    let mut attacks = JoinSet::new();
    for attack in ATTACKS {
        let runs = named.is_empty() || named.split(',').any(|name| name == attack.name);
        if !runs {
            continue;
        }
        for _ in 0..attack.many {
            again_and_again(&mut attacks, address, attack.run);
        }
    }
    attacks
}

fn again_and_again(
    attacks: &mut JoinSet<()>,
    address: &str,
    run: fn(String) -> BoxFuture<'static, Outcome>,
) {
    let address = address.to_owned();
    attacks.spawn(async move {
        loop {
            // that it is thrown out is what is wanted
            let _ = run(address.clone()).await;
            tokio::time::sleep(PAUSE).await;
        }
    });
}

/// Writes over and over; reads what comes, or does not.
async fn floods(raw: Raw, bytes: &[u8], reads: bool) -> Outcome {
    let (mut from, mut to) = raw.0.into_split();
    let writing = async {
        while to.write_all(bytes).await.is_ok() {
            tokio::time::sleep(BREATH).await;
        }
    };
    let reading = async {
        let mut buffer = vec![0; 64 * 1024];
        while reads && matches!(from.read(&mut buffer).await, Ok(1..)) {}
        if !reads {
            pending::<()>().await;
        }
    };
    tokio::select! {
        () = writing => {}
        () = reading => {}
    }
    Ok(())
}

/// Does nothing more, and reads nothing, until it is thrown out.
async fn stays(raw: Raw) -> Outcome {
    let (from, mut to) = raw.0.into_split();
    // it lives, so that it is not thrown out for that it does not
    let pong = command(b"PONG", b"");
    while to.write_all(&pong).await.is_ok() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    drop(from);
    Ok(())
}

async fn says_nothing(address: String) -> Outcome {
    Raw::connect(&address).await?.closed().await
}

async fn greets_and_says_nothing(address: String) -> Outcome {
    let mut raw = Raw::connect(&address).await?;
    raw.write(&greeting(1, b"NULL")).await;
    raw.closed().await
}

async fn says_a_byte_a_second(address: String) -> Outcome {
    let mut raw = Raw::connect(&address).await?;
    for byte in greeting(1, b"NULL") {
        let written = raw.0.write_all(&[byte]).await;
        written.map_err(|error| error.to_string())?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

async fn sends_garbage(address: String) -> Outcome {
    let mut raw = Raw::connect(&address).await?;
    let garbage: Vec<u8> = (0..200).map(|_| fastrand::u8(..)).collect();
    if fastrand::bool() {
        raw = Raw::greeted(&address, 1).await?;
    }
    raw.write(&garbage).await;
    raw.closed().await
}

/// The head of a frame that announces a length.
fn announcing(flags: u8, len: u64) -> Vec<u8> {
    let mut head = vec![flags];
    head.extend(len.to_be_bytes());
    head
}

async fn announces_far_too_much(address: String) -> Outcome {
    let mut raw = Raw::linked(&address).await?;
    raw.write(&announcing(2, 1 << fastrand::u32(24..64))).await;
    raw.closed().await
}

async fn announces_far_too_much_before_it_is_known(address: String) -> Outcome {
    let mut raw = Raw::connect(&address).await?;
    raw.write(&greeting(1, b"NULL")).await;
    raw.write(&announcing(6, 1 << fastrand::u32(24..64))).await;
    raw.closed().await
}

const LARGE: usize = 8_000_000;

async fn announces_a_lot_and_sends_little(address: String) -> Outcome {
    let mut raw = Raw::linked(&address).await?;
    raw.write(&announcing(2, LARGE as u64)).await;
    raw.write(&[1; 1000]).await;
    floods_slowly(raw, &[1]).await
}

async fn floods_slowly(mut raw: Raw, bytes: &[u8]) -> Outcome {
    while raw.0.write_all(bytes).await.is_ok() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

async fn sends_a_lot_but_for_the_end(address: String) -> Outcome {
    let mut raw = Raw::linked(&address).await?;
    raw.write(&announcing(2, LARGE as u64)).await;
    raw.write(&vec![1; LARGE - 100]).await;
    floods_slowly(raw, &[1]).await
}

async fn sends_frames_of_one_message_without_end(address: String) -> Outcome {
    let raw = Raw::linked(&address).await?;
    floods(raw, &frame(1, HELLO).repeat(100), false).await
}

async fn sends_nothing_over_and_over(address: String) -> Outcome {
    let raw = Raw::linked(&address).await?;
    floods(raw, &frame(0, b"").repeat(10_000), false).await
}

async fn greets_over_and_over(address: String) -> Outcome {
    let raw = Raw::linked(&address).await?;
    floods(raw, &frame(0, HELLO).repeat(1000), false).await
}

async fn greets_over_and_over_and_reads(address: String) -> Outcome {
    let raw = Raw::linked(&address).await?;
    floods(raw, &frame(0, HELLO).repeat(1000), true).await
}

async fn pings_over_and_over(address: String) -> Outcome {
    let raw = Raw::linked(&address).await?;
    floods(raw, &command(b"PING", b"\0\0context").repeat(1000), false).await
}

async fn pings_over_and_over_and_reads(address: String) -> Outcome {
    let raw = Raw::linked(&address).await?;
    floods(raw, &command(b"PING", b"\0\0context").repeat(1000), true).await
}

async fn subscribes_over_and_over(address: String) -> Outcome {
    let raw = Raw::linked(&address).await?;
    let subscribe = command(b"SUBSCRIBE", &[b'x'; 200]);
    floods(raw, &subscribe.repeat(100), false).await
}

fn size(size: u32) -> Vec<u8> {
    let mut args = b"\x81\xa4size\xce".to_vec();
    args.extend(size.to_be_bytes());
    args
}

async fn asks_and_does_not_read(address: String) -> Outcome {
    let mut raw = Raw::linked(&address).await?;
    for id in 1..=200 {
        raw.write(&request(CALL, id, "blob", None, &size(1_000_000)))
            .await;
    }
    stays(raw).await
}

async fn asks_and_reads_slowly(address: String) -> Outcome {
    let mut raw = Raw::linked(&address).await?;
    for id in 1..=200 {
        raw.write(&request(CALL, id, "blob", None, &size(1_000_000)))
            .await;
    }
    let mut some = vec![0; 10_000];
    while let Ok(1..) = raw.0.read(&mut some).await {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

async fn opens_streams_without_credit(address: String) -> Outcome {
    let mut raw = Raw::linked(&address).await?;
    for id in 1..=2000 {
        let credit = Some(id % 2);
        raw.write(&request(MULTICALL, id, "count", credit, b"\x80"))
            .await;
    }
    stays(raw).await
}

async fn opens_streams_with_all_credit_and_does_not_read(address: String) -> Outcome {
    let mut raw = Raw::linked(&address).await?;
    for id in 1..=1000 {
        let all = Some(u64::MAX);
        raw.write(&request(MULTICALL, id, "count", all, b"\x80"))
            .await;
    }
    let more = framed(
        11,
        1,
        &[&[0x92], &[0xcf][..], &[0xff; 8], &[0xcf], &[0xff; 8]].concat(),
        b"",
    );
    floods_slowly(raw, &more).await
}

async fn opens_streams_and_cancels_them(address: String) -> Outcome {
    let raw = Raw::linked(&address).await?;
    let (mut from, mut to) = raw.0.into_split();
    let writing = async {
        for id in 1.. {
            let open = request(MULTICALL, id, "count", Some(1000), b"\x80");
            let both = [open, framed(12, id, b"", b"")].concat();
            if to.write_all(&both).await.is_err() {
                break;
            }
            if id % 100 == 0 {
                tokio::time::sleep(BREATH).await;
            }
        }
    };
    let reading = async {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(1..) = from.read(&mut buffer).await {}
    };
    tokio::join!(writing, reading);
    Ok(())
}

async fn repeats_ids(address: String) -> Outcome {
    let raw = Raw::linked(&address).await?;
    let call = request(CALL, 7, "blob", None, &size(10));
    floods(raw, &call.repeat(100), true).await
}

async fn sends_what_is_large_to_what_is_slow(address: String) -> Outcome {
    let mut raw = Raw::linked(&address).await?;
    let args = bytes(LARGE);
    for id in 1..=20 {
        raw.write(&request(CALL, id, "nap", None, &args)).await;
    }
    stays(raw).await
}

async fn sends_what_is_large_to_what_is_slow_and_cancels(address: String) -> Outcome {
    let mut raw = Raw::linked(&address).await?;
    let args = bytes(LARGE);
    for id in 1..=100 {
        raw.write(&request(CALL, id, "nap", None, &args)).await;
        raw.write(&framed(12, id, b"", b"")).await;
    }
    stays(raw).await
}

async fn sends_little_to_what_is_slow(address: String) -> Outcome {
    let mut raw = Raw::linked(&address).await?;
    for id in 1..=3000 {
        raw.write(&request(CALL, id, "nap", None, &bytes(10))).await;
    }
    stays(raw).await
}

async fn casts_to_what_is_slow(address: String) -> Outcome {
    let mut raw = Raw::linked(&address).await?;
    for id in 1..=3000 {
        raw.write(&request(CAST, id, "doze", None, &bytes(1000)))
            .await;
    }
    stays(raw).await
}

/// Each little request stands between others that are not kept.
async fn keeps_buffers_by_little(address: String) -> Outcome {
    let mut raw = Raw::linked(&address).await?;
    let rest = frame(0, &[0; 10_000]).repeat(4);
    for id in 1..=1000 {
        let kept = request(CALL, id, "nap", None, &bytes(10));
        raw.write(&[kept, rest.clone()].concat()).await;
    }
    stays(raw).await
}

async fn nests_deeply(address: String) -> Outcome {
    let raw = Raw::linked(&address).await?;
    let deep = vec![0x91; 1_000_000];
    let mut all = Vec::new();
    for id in 1..=5 {
        all.extend(request(CALL, id, "blob", None, &deep));
        all.extend(framed(CALL, id, &deep[..60_000], b""));
    }
    floods_slowly(raw, &all).await
}

async fn sends_what_only_nodes_send(address: String) -> Outcome {
    let raw = Raw::linked(&address).await?;
    let all = (0..=255).map(|kind| framed(kind, u64::from(kind), b"\x92\x01\x01", b"\x90"));
    floods(raw, &all.collect::<Vec<_>>().concat(), true).await
}

async fn comes_and_goes(address: String) -> Outcome {
    loop {
        drop(Raw::connect(&address).await?);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn comes_and_is_linked_and_goes(address: String) -> Outcome {
    loop {
        let mut raw = Raw::linked(&address).await?;
        raw.write(&request(CALL, 1, "nap", None, &bytes(1000)))
            .await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Each connection fills one of the things that a node keeps for it.
pub(crate) fn fill(address: &str, connections: usize) -> JoinSet<()> {
    const FILLS: [fn(String) -> BoxFuture<'static, Outcome>; 8] = [
        |address| Box::pin(sends_a_lot_but_for_the_end(address)),
        |address| Box::pin(sends_what_is_large_to_what_is_slow(address)),
        |address| Box::pin(asks_and_does_not_read(address)),
        |address| Box::pin(opens_streams_with_all_credit_and_does_not_read(address)),
        |address| Box::pin(keeps_buffers_by_little(address)),
        |address| Box::pin(casts_to_what_is_slow(address)),
        |address| Box::pin(opens_streams_without_credit(address)),
        |address| Box::pin(sends_little_to_what_is_slow(address)),
    ];
    let mut attacks = JoinSet::new();
    for at in 0..connections {
        again_and_again(&mut attacks, address, FILLS[at % FILLS.len()]);
    }
    attacks
}
