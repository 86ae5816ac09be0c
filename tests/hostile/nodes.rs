//! Hostile nodes: their clients stay small, and call others as before.

use crate::frames::framed;
use crate::raw::{frame, greeting, ready};
use crate::{TURN, service};
use rpc_core::Context;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const ANNOUNCE: u8 = 2;
const REPLY: u8 = 6;
const ITEMS: u8 = 9;

fn string(text: &str) -> Vec<u8> {
    let mut bytes = vec![0xd9, u8::try_from(text.len()).unwrap()];
    bytes.extend(text.as_bytes());
    bytes
}

/// An announcement of so many servers.
fn announcement(instance: u8, servers: u32) -> Vec<u8> {
    let mut header = vec![0x96, 1, 1, 0xc4, 16];
    header.extend([instance; 16]);
    header.extend(string("nowhere"));
    header.extend([0xcd, 0x04, 0, 0xce, 0x04, 0, 0, 0]);
    let mut body = vec![0xdd];
    body.extend(servers.to_be_bytes());
    for server in 0..servers {
        body.push(0x95);
        body.extend(string(""));
        body.extend(string("other"));
        body.extend(string(&format!("{server:x}")));
        body.extend([0xc2, 0x90]);
    }
    framed(ANNOUNCE, 0, &header, &body)
}

/// A node that greets every client, and then writes over and over, whatever it reads.
async fn hostile(writes: Vec<Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let writes = writes.clone();
            tokio::spawn(async move {
                let _ = attack(stream, &writes).await;
            });
        }
    });
    address
}

async fn attack(mut stream: TcpStream, writes: &[Vec<u8>]) -> std::io::Result<()> {
    stream.write_all(&greeting(1, b"NULL")).await?;
    stream.write_all(&ready(b"ROUTER", None)).await?;
    let (mut from, mut to) = stream.into_split();
    tokio::spawn(async move {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(1..) = from.read(&mut buffer).await {}
    });
    loop {
        for bytes in writes {
            to.write_all(bytes).await?;
        }
        // or the hostile ones take all of the machine
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The bytes of memory that this process has.
fn memory() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_of_hostile_nodes_stays_small_and_calls_others() {
    let _turn = TURN.lock().await;
    let (_server, transport) = service::serve("zmq://?listen=127.0.0.1:0").await;
    let good = transport.local_addr().unwrap();
    let few = announcement(1, 3);
    let replies: Vec<u8> = (0..1000)
        .flat_map(|id| framed(REPLY, id, b"", b"\xc0"))
        .collect();
    let items: Vec<u8> = (0..1000)
        .flat_map(|id| framed(ITEMS, id, b"\x92\x00\x01", &[0xc0; 1000]))
        .collect();
    let nodes = [
        hostile(vec![announcement(2, 400_000)]).await,
        hostile(vec![announcement(3, 10_000)]).await,
        hostile(vec![few.clone(), replies.clone(), items.clone()]).await,
        hostile(vec![replies, items, frame(0, b"").repeat(10_000)]).await,
    ];
    let addresses = format!("{good},{}", nodes.join(","));
    let client = service::client(&addresses, "").await;
    let client = client.prepare(|call| call.timeout(Duration::from_secs(10)));
    client.blob(&Context::new(), 1).await.unwrap();
    let before = memory();
    let mut most = 0;
    for _ in 0..30 {
        assert_eq!(client.blob(&Context::new(), 9).await.unwrap().len(), 9);
        most = most.max(memory());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(most <= before + 150_000_000, "{before}, then {most}");
}
