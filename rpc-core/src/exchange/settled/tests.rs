use super::super::Outbound;
use super::super::link::ClientLink;
use super::super::request::Body;
use super::super::routes::tests::{announce, announcement};
use super::*;
use crate::codec::Encoded;
use crate::name::Name;
use crate::transport::{Parts, Patience, Spoken};
use crate::{MethodKind, Version, lock};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Waker};

const VERSION: Version = Version::new(1, 0);
const NODES: u32 = 1000;

pub(in crate::exchange) fn parts(kind: MethodKind, topic: &str, timeout: Duration) -> Parts {
    let now = Instant::now();
    Parts {
        target: Arc::new(Target::topic(topic)),
        method: Name::Written("run"),
        api: Spoken {
            namespace: None,
            newest: VERSION,
            also: None,
        },
        kind,
        version: VERSION,
        cap: None,
        floor: None,
        context: crate::Context::new(),
        sent: now,
        deadline: now + timeout,
        timeout,
        monitor: None,
        info: None,
        patience: Patience::UntilDeadline,
    }
}

/// How much work so many calls that wait make of a fleet that fails, comes up, and is restarted node by node.
fn work_of(calls: usize) -> usize {
    let outbound = Outbound::default();
    outbound.set_idle(Duration::from_secs(60));
    let nodes: Vec<NodeId> = (0..NODES)
        .map(|node| outbound.add_node(&format!("host:{node}")))
        .collect();
    let mut waiting: Vec<Pin<Box<dyn Future<Output = ()>>>> = Vec::new();
    for _ in 0..calls {
        let outbound = &outbound;
        waiting.push(Box::pin(async move {
            let parts = parts(MethodKind::Call, "absent", Duration::from_secs(600));
            let body = Body::Fresh(VERSION, Encoded::copy_of(&[0x80]));
            outbound.route(&parts, &body, &[]).await.unwrap();
        }));
    }
    let mut all_look = || {
        for call in &mut waiting {
            let mut cx = task::Context::from_waker(Waker::noop());
            assert!(call.as_mut().poll(&mut cx).is_pending());
        }
    };
    let come = |instance: u32| {
        let node = nodes[instance as usize];
        let link = outbound.link_up(node, None);
        let topics = [("another", "server")];
        announce(&outbound, node, &link, &announcement(instance, &topics));
        (node, link)
    };
    let ((), work) = work::of(|| {
        all_look();
        for node in &nodes {
            outbound.dial_failed(*node, "refused");
            all_look();
        }
        let mut links: Vec<(NodeId, Arc<ClientLink>)> = Vec::new();
        for instance in 0..NODES {
            links.push(come(instance));
            all_look();
        }
        for (instance, (node, link)) in (0..).zip(links) {
            outbound.link_down(node, &link, "restarted");
            all_look();
            come(instance);
            all_look();
        }
    });
    work
}

#[test]
fn calls_that_wait_share_one_look_at_all_nodes_after_each_event() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let _entered = runtime.enter();
    let (one, many) = (work_of(1), work_of(100));
    let events = 4 * NODES as usize;
    // whoever looks, and whom it needs
    assert!(one <= events * (2 * NODES as usize + 10), "{one}");
    assert!(many - one <= 100 * NODES as usize, "{many} and {one}");
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Add,
    Remove(usize),
    /// Its connection leads to this instance.
    Up(usize, u32),
    Down(usize),
    Fail(usize),
    Rest(usize),
    /// It has these topics, by the bits.
    Topics(usize, u8),
    /// Somebody looks for a topic.
    Look(usize),
}

const TOPICS: [&str; 2] = ["t", "u"];

fn events() -> impl Strategy<Value = Vec<Event>> {
    let node = || 0..5usize;
    let event = prop_oneof![
        2 => Just(Event::Add),
        1 => node().prop_map(Event::Remove),
        4 => (node(), 0..3u32).prop_map(|(node, instance)| Event::Up(node, instance)),
        2 => node().prop_map(Event::Down),
        2 => node().prop_map(Event::Fail),
        2 => node().prop_map(Event::Rest),
        2 => (node(), 0..4u8).prop_map(|(node, topics)| Event::Topics(node, topics)),
        4 => (0..2usize).prop_map(Event::Look),
    ];
    prop::collection::vec(event, 0..60)
}

proptest! {
    /// What is kept is what a look at all nodes shows.
    #[test]
    fn what_was_seen_is_forgotten_when_it_changes(events in events()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let _entered = runtime.enter();
        let outbound = Outbound::default();
        outbound.set_idle(Duration::ZERO);
        let mut nodes: Vec<(NodeId, Option<Arc<ClientLink>>)> = Vec::new();
        for event in events {
            match event {
                Event::Add => nodes.push((outbound.add_node("host"), None)),
                Event::Remove(at) if at < nodes.len() => outbound.remove_node(nodes.remove(at).0),
                Event::Up(at, instance) if at < nodes.len() => {
                    let (node, known) = &mut nodes[at];
                    let link = known.get_or_insert_with(|| outbound.link_up(*node, None)).clone();
                    announce(&outbound, *node, &link, &announcement(instance, &[("t", "s")]));
                    if link.is_lost() {
                        outbound.link_down(*node, &link, "lost");
                        *known = None;
                    }
                }
                Event::Down(at) if at < nodes.len() => {
                    if let (node, Some(link)) = (nodes[at].0, nodes[at].1.take()) {
                        outbound.link_down(node, &link, "lost");
                    }
                }
                Event::Fail(at) if at < nodes.len() && nodes[at].1.is_none() => {
                    outbound.dial_failed(nodes[at].0, "refused");
                }
                Event::Rest(at) if at < nodes.len() => {
                    if let (node, Some(link)) = &nodes[at] {
                        let _ = futures_util::FutureExt::now_or_never(link.next_frames(&mut Vec::new(), 9));
                        if outbound.rest(*node, link) {
                            nodes[at].1 = None;
                        }
                    }
                }
                Event::Topics(at, bits) if at < nodes.len() => {
                    let known = TOPICS.iter().enumerate().filter(|(bit, _)| bits & (1 << bit) != 0);
                    let known = known.map(|(_, topic)| TopicName {
                        exchange: String::new(),
                        topic: (*topic).into(),
                    });
                    outbound.set_topics(nodes[at].0, known.collect::<BTreeSet<_>>());
                }
                Event::Look(at) => {
                    lock(&outbound.table).sight(&Target::topic(TOPICS[at]));
                }
                _ => {}
            }
            let mut table = lock(&outbound.table);
            for topic in TOPICS {
                let target = Target::topic(topic);
                let shown = look(&table.nodes, &table.instances, &target);
                let known = table.sights.of_topics.len();
                let kept = *table.sight(&target);
                prop_assert_eq!((kept.settled, kept.linked), (shown.settled, shown.linked));
                // only who looks keeps anything
                if table.sights.of_topics.len() > known {
                    let looked = TopicName {
                        exchange: String::new(),
                        topic: if table.sights.by_topic { topic } else { "" }.into(),
                    };
                    table.sights.of_topics.remove(&looked);
                }
            }
        }
    }
}
