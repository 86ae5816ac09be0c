//! Links between two good ends, over a network that is not.

use crate::probes::written_to_until_closed;
use crate::raw::{HELLO, Raw, call_blob, frame};
use crate::service::{OctetsClient, client, is_served, open, serve, serve_at};
use bytes::Bytes;
use rpc_core::{Context, ErrorKind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Passes bytes on, until it is told to pass nothing on any more. It closes nothing then: so does a cable that was pulled.
async fn cable(to: String) -> (String, Arc<watch::Sender<bool>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (cut, is_cut) = watch::channel(false);
    let cut = Arc::new(cut);
    let kept = Arc::clone(&cut);
    tokio::spawn(async move {
        while let Ok((here, _)) = listener.accept().await {
            let there = TcpStream::connect(&to).await.unwrap();
            let (from_here, to_here) = here.into_split();
            let (from_there, to_there) = there.into_split();
            tokio::spawn(pass_on(from_here, to_there, is_cut.clone()));
            tokio::spawn(pass_on(from_there, to_here, is_cut.clone()));
        }
        drop(kept);
    });
    (address, cut)
}

async fn is_cut(cut: &mut watch::Receiver<bool>) {
    let _ = cut.wait_for(|cut| *cut).await;
}

async fn pass_on(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut cut: watch::Receiver<bool>,
) {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        tokio::select! {
            read = from.read(&mut bytes) => match read {
                Ok(count @ 1..) => {
                    if to.write_all(&bytes[..count]).await.is_err() {
                        return;
                    }
                }
                _ => return,
            },
            () = is_cut(&mut cut) => std::future::pending().await,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pulled_cable_is_noticed_at_both_ends() {
    let (_server, transport) = serve("heartbeat=400").await;
    let (address, cut) = cable(transport.local_addr().unwrap()).await;
    let client = client(&address, "heartbeat=400").await;
    client.blob(&Context::new(), 1).await.unwrap();
    cut.send(true).unwrap();
    let since = Instant::now();
    let error = client.blob(&Context::new(), 1).await.unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::PeerLost, "{error}");
    assert!(
        since.elapsed() < Duration::from_secs(4),
        "{:?}",
        since.elapsed()
    );
    let dropped = async {
        while transport.stats().clients_dropped == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(4), dropped)
        .await
        .expect("the node notices as well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_takes_long_is_no_silence() {
    let (_server, transport) = serve("heartbeat=200").await;
    let client = client(&transport.local_addr().unwrap(), "heartbeat=200").await;
    client.blob(&Context::new(), 1).await.unwrap();
    // nothing is said for several times the limit, but by the engines
    tokio::time::sleep(Duration::from_millis(1500)).await;
    client.blob(&Context::new(), 1).await.unwrap();
    assert_eq!(transport.stats().clients_dropped, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_accepts_and_never_speaks_is_dialled_again() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let client = client(&address, "").await;
    let client = client.prepare(|call| call.timeout(Duration::from_secs(30)));
    let call = tokio::spawn(client.blob(&Context::new(), 1));
    let first = silent.accept().await.unwrap();
    // the second time, there is somebody
    let (again, _) = tokio::time::timeout(Duration::from_secs(8), silent.accept())
        .await
        .expect("it is dialled again")
        .unwrap();
    drop((first, again, silent));
    let (_server, _transport) = serve_at(&format!("zmq://{address}")).await;
    assert_eq!(call.await.unwrap().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_names_what_was_wrong_with_the_node() {
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = other.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = other.accept().await {
            let _ = stream.write_all(b"SSH-2.0-Open\x1b[31mSSH\r\n").await;
        }
    });
    let client = client(&address, "").await;
    let client = client.prepare(|call| call.timeout(Duration::from_millis(500)));
    let error = client.blob(&Context::new(), 1).await.unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Undeliverable);
    assert!(
        error.to_string().contains("does not speak ZeroMQ"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unix_sockets_carry_the_same() {
    let path = std::env::temp_dir().join(format!("rpc-zmtp-{}.sock", std::process::id()));
    let (server, transport) = serve_at(&format!("zmq+ipc://{}", path.display())).await;
    let client = OctetsClient::new(open(&format!("zmq+ipc://{}", path.display())).await);
    for size in [0, 100, 5_000, 20_000, 3_000_000] {
        let bytes = Bytes::from(vec![5; size]);
        let echo = client.echo(&Context::new(), bytes.clone()).await.unwrap();
        assert_eq!(echo, bytes);
    }
    server.stop().await;
    server.wait().await;
    transport.close(Duration::from_secs(1)).await;
    let _ = std::fs::remove_file(path);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_of_every_size_arrive_as_they_were() {
    let (_server, transport) = serve("").await;
    let client = client(&transport.local_addr().unwrap(), "").await;
    let mut calls = Vec::new();
    for size in (0..200).chain([
        2047, 2048, 2049, 16_000, 33_000, 65_536, 1_000_000, 7_000_000,
    ]) {
        let bytes: Bytes = (0..size)
            .map(|at| u8::try_from(at % 251).unwrap())
            .collect();
        let call = client.echo(&Context::new(), bytes.clone());
        calls.push(tokio::spawn(async move { call.await.unwrap() == bytes }));
    }
    for call in calls {
        assert!(call.await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_large_is_refused_before_it_is_sent() {
    let (_server, transport) = serve("max_message=100000").await;
    let client = client(&transport.local_addr().unwrap(), "max_message=100000").await;
    let call = client.echo(&Context::new(), vec![0; 100_000].into());
    let error = call.await.unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Encode);
    assert!(error.to_string().contains("100000 at most"), "{error}");
    let error = client.blob(&Context::new(), 100_000).await.unwrap_err();
    assert_eq!(error.rpc().unwrap().kind(), ErrorKind::Remote);
    assert!(error.to_string().contains("100000 at most"), "{error}");
    // the link is unharmed
    assert_eq!(
        client.blob(&Context::new(), 99_000).await.unwrap().len(),
        99_000
    );
    assert_eq!(transport.stats().clients_dropped, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_dropped_is_counted() {
    let (_server, transport) = serve("").await;
    let address = transport.local_addr().unwrap();
    let mut raw = Raw::connect(&address).await.unwrap();
    raw.write(b"GET").await;
    raw.closed().await.unwrap();
    assert!(is_served(&address).await);
    assert_eq!(transport.stats().clients_dropped, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_does_not_read_is_dropped_in_the_middle_of_an_answer() {
    // an answer that no socket takes whole, and no limit to the time that it may take
    let options = "unread_bytes=8000000&max_message=64000000&heartbeat=0";
    let (_server, transport) = serve(options).await;
    let address = transport.local_addr().unwrap();
    let mut raw = Raw::linked(&address).await.unwrap();
    for id in 1..=4 {
        raw.write(&frame(0, &call_blob(id, 40_000_000))).await;
    }
    written_to_until_closed(raw, &frame(0, HELLO))
        .await
        .unwrap();
    assert!(is_served(&address).await);
    assert_eq!(transport.stats().clients_dropped, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hardly_more_is_made_for_a_client_that_does_not_read_than_may_wait_for_it() {
    let (server, transport) = serve("").await;
    let address = transport.local_addr().unwrap();
    let mut raw = Raw::linked(&address).await.unwrap();
    let asked = Instant::now();
    for id in 1..=200 {
        raw.write(&frame(0, &call_blob(id, 1_000_000))).await;
    }
    written_to_until_closed(raw, &frame(0, HELLO))
        .await
        .unwrap();
    let ended = || {
        let stats = server.stats();
        (stats.finished, stats.cancelled)
    };
    while ended().0 + ended().1 < 200 {
        assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", ended());
        tokio::task::yield_now().await;
    }
    // 64 MiB wait, and some that the sockets took
    assert!((64..100).contains(&ended().0), "{:?}", ended());
    // the more wait, the slower they are made: 1 ms for each MiB, each time
    assert!(asked.elapsed() > Duration::from_secs(1));
}
