//! What a peer sends takes a multiple of its size in memory, whatever it claims, and nothing of it stays.

use crate::memory;
use fastrand::Rng;
use rpc_core::{Context, Peer, Server, Target, rpc_api};
use rpc_fuzz_targets::Ends;
use std::collections::BTreeMap;
use tokio::runtime::Builder;

#[rpc_api(version = "1.0", topic = "bytes")]
trait Taking {
    async fn take(&self, ctx: &Context, list: Vec<u64>, map: BTreeMap<String, Vec<u8>>) -> u64;
}

struct Taker;

impl Taking for Taker {
    async fn take(&self, _: &Context, list: Vec<u64>, map: BTreeMap<String, Vec<u8>>) -> u64 {
        (list.len() + map.len()) as u64
    }
}

/// How much may be held for each byte that has arrived, and for each frame besides: an error with its text, or a request that waits
/// to be refused.
const EACH_BYTE: usize = 100;
const EACH_FRAME: usize = 4096;

/// Frames whose headers and bodies are arrays, maps and strings that claim to be longer than they are.
fn frame(rng: &mut Rng, id: u64) -> Vec<u8> {
    let mut frame = vec![1, rng.u8(1..16)];
    let (header, body) = (values(rng), values(rng));
    frame.extend(u16::try_from(header.len()).expect("short").to_be_bytes());
    frame.extend(id.to_be_bytes());
    frame.extend(header);
    frame.extend(body);
    frame
}

fn values(rng: &mut Rng) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..rng.usize(0..20) {
        match rng.u8(0..10) {
            0 => bytes.extend([0xdd, rng.u8(..), 0xff, 0xff, 0xff]),
            1 => bytes.extend([0xdf, rng.u8(..), 0xff, 0xff, 0xff]),
            2 => bytes.extend([0xdb, rng.u8(..), 0xff, 0xff, 0xff]),
            3 => bytes.extend([0xc6, rng.u8(..), 0xff, 0xff, 0xff]),
            4 => bytes.push(0x90 | rng.u8(0..16)),
            5 => bytes.push(0x80 | rng.u8(0..16)),
            6 => bytes.extend(b"\xa4list"),
            7 => bytes.extend(std::iter::repeat_n(0x91, rng.usize(0..100))),
            8 => bytes.extend(b"\xa5bytes\xa4take"),
            _ => bytes.push(rng.u8(..)),
        }
    }
    bytes
}

/// The header of a call of `take` with these arguments, which is as it should be.
fn call(id: u64, args: &[u8]) -> Vec<u8> {
    let header =
        b"\x9a\xa0\xa5bytes\xa1s\xc0\x92\x01\x00\x92\x01\x00\xa4take\xce\x00\x4c\x4b\x40\x80\xc0";
    let mut frame = vec![1, 3, 0, u8::try_from(header.len()).expect("short")];
    frame.extend(id.to_be_bytes());
    frame.extend(header);
    frame.extend(args);
    frame
}

#[test]
fn what_a_peer_sends_takes_a_multiple_of_its_size_and_nothing_stays() {
    memory::run_alone(&mut Builder::new_current_thread(), sends());
}

async fn sends() {
    let (ends, transport) = Ends::open("");
    let server = Server::builder(transport.clone())
        .target(Target::new().server("s"))
        .endpoint(TakingDispatcher::new(Taker))
        .start()
        .await
        .expect("a server");
    let client = TakingClient::new(transport);
    // which makes it dial
    let mut unsent = Box::pin(client.take(&Context::new(), vec![], BTreeMap::new()));
    assert!(futures_util::poll!(&mut unsent).is_pending());
    drop(unsent);
    let inbound = ends.inbound();
    let (outbound, node) = ends.outbound();

    let mut rng = Rng::with_seed(7);
    let mut before = 0;
    for round in 0..40 {
        let there = inbound.link_up(Peer::new("test", "client"), None);
        let back = outbound.link_up(node, None);
        for id in 1..50 {
            let frame = match rng.u8(0..3) {
                0 => {
                    let mut args = b"\x82\xa4list".to_vec();
                    args.extend(values(&mut rng));
                    call(id, &args)
                }
                _ => frame(&mut rng, id),
            };
            let (length, held) = (frame.len(), memory::live());
            let frame = bytes::Bytes::from(frame);
            outbound.receive(node, &back, [frame.clone()]);
            inbound.receive(&there, [frame]);
            let more = memory::live().saturating_sub(held);
            assert!(
                more <= EACH_BYTE * length + EACH_FRAME,
                "{length} bytes took {more}"
            );
            tokio::task::yield_now().await;
        }
        inbound.link_down(&there);
        outbound.link_down(node, &back, "test");
        drop((there, back));
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        // what is made once is made by then
        match round {
            20 => before = memory::live(),
            39 => {
                let more = memory::live().saturating_sub(before);
                assert!(more < EACH_FRAME, "{more} bytes stay");
            }
            _ => {}
        }
    }
    // what was good of it was taken
    assert!(server.stats().undecodable > 0);
}
