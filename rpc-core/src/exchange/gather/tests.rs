use super::super::frame::{self, Kind};
use super::super::link::ClientLink;
use super::super::nodes::NodeId;
use super::super::routes::tests::linked;
use super::super::settled::tests::parts;
use super::*;
use crate::MethodKind;
use crate::codec::Encoded;
use futures_util::FutureExt;
use std::time::Duration;
use tokio::time::advance;

const IDLE: Duration = Duration::from_secs(60);
const SERVERS: usize = GATHER_AT_ONCE + 2;

type Node = (NodeId, Arc<ClientLink>);

/// So many nodes with a server each, and one without.
fn fleet() -> (Arc<Outbound>, Vec<Node>, Node) {
    let outbound = Arc::new(Outbound::default());
    outbound.set_idle(IDLE);
    let of_topic = |node| linked(&outbound, node, &[("t", &format!("server-{node}"))]);
    let nodes: Vec<Node> = (1..).map(of_topic).take(SERVERS).collect();
    let other = linked(&outbound, 0, &[("u", "another")]);
    for (_, link) in nodes.iter().chain([&other]) {
        written(link);
    }
    (outbound, nodes, other)
}

/// Takes what waits to be written: the id of the last request, 0 without.
fn written(link: &ClientLink) -> u64 {
    let mut batch = Vec::new();
    while !link.is_flushed() {
        let _ = link.next_frames(&mut batch, 100).now_or_never();
    }
    batch.last().map_or(0, |last| frame::id(last))
}

fn message(kind: MethodKind) -> Message {
    Message {
        parts: parts(kind, "t", 100 * IDLE),
        args: Args::Sealed(Encoded::copy_of(&[0x80])),
    }
}

/// Closes the links that are of no use.
fn rest(outbound: &Outbound, nodes: &[Node]) -> usize {
    let rests = |(node, link): &&Node| outbound.rest(*node, link);
    nodes.iter().filter(rests).count()
}

#[tokio::test(start_paused = true)]
async fn a_link_does_not_rest_before_a_gather_has_asked_on_it() {
    let (outbound, nodes, other) = fleet();
    let mut gather = gather(Arc::clone(&outbound), message(MethodKind::Gather));
    assert!(gather.next().now_or_never().is_none());
    let mut answered = HashSet::new();
    while answered.len() < SERVERS {
        // each answer takes longer than a link of no use is kept
        advance(2 * IDLE).await;
        let asked: Vec<u64> = nodes.iter().map(|(_, link)| written(link)).collect();
        rest(&outbound, &nodes);
        rest(&outbound, std::slice::from_ref(&other));
        for ((node, link), id) in nodes.iter().zip(asked) {
            if id > 0 {
                outbound.receive(*node, link, [frame::bare(Kind::Reply, id)]);
            }
        }
        while answered.len() < SERVERS
            && let Some(Some((server, answer))) = gather.next().now_or_never()
        {
            assert!(answer.is_ok(), "{server}: {answer:?}");
            assert!(answered.insert(server));
        }
    }
    // whoever answered, and whoever had no such server, may rest: they were reached
    advance(2 * IDLE).await;
    rest(&outbound, &nodes);
    assert!(nodes.iter().all(|(_, link)| link.is_lost()) && other.1.is_lost());
    assert!(gather.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_gather_that_is_dropped_keeps_no_links() {
    let (outbound, nodes, _) = fleet();
    let mut gather = gather(Arc::clone(&outbound), message(MethodKind::Gather));
    assert!(gather.next().now_or_never().is_none());
    let unasked = nodes.iter().filter(|(_, link)| written(link) == 0);
    assert_eq!(unasked.count(), SERVERS - GATHER_AT_ONCE);
    drop(gather);
    for (_, link) in &nodes {
        written(link);
    }
    advance(2 * IDLE).await;
    // what was of use is kept for as long as any
    let rested = rest(&outbound, &nodes);
    assert_eq!(rested, SERVERS);
}

#[tokio::test(start_paused = true)]
async fn a_fanout_is_sent_to_all_servers_at_once() {
    let (outbound, nodes, _) = fleet();
    let Message { parts, args } = message(MethodKind::Fanout);
    let mut fanout = super::super::fanout(Arc::clone(&outbound), parts, args);
    for _ in 0..SERVERS {
        assert!((&mut fanout).now_or_never().is_none());
    }
    assert!(nodes.iter().all(|(_, link)| written(link) > 0));
    advance(2 * IDLE).await;
    assert_eq!(rest(&outbound, &nodes), 0);
}
