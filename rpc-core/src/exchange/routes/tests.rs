use super::super::Outbound;
use super::super::frame::Window;
use super::super::settled::Settled;
use super::*;
use crate::{Target, lock};

const NODES: u32 = 1000;

/// What an instance says that has these servers, each on its topic.
pub(in crate::exchange) fn announcement(instance: u32, services: &[(&str, &str)]) -> Announcement {
    let service = |(topic, server): &(&str, &str)| AnnouncedService {
        exchange: String::new(),
        topic: (*topic).into(),
        server: (*server).into(),
        draining: false,
        apis: vec![AnnouncedApi {
            name: "Api".into(),
            namespace: None,
            version: Version::new(1, 0),
        }],
    };
    Announcement {
        protocols: (1, 1),
        instance: u128::from(instance).to_be_bytes(),
        address: String::new(),
        window: Window {
            requests: 8,
            bytes: 1000,
        },
        serial: None,
        heartbeats: true,
        services: services.iter().map(service).collect(),
    }
}

/// Links an address to an instance that has these servers.
pub(in crate::exchange) fn linked(
    outbound: &Outbound,
    instance: u32,
    services: &[(&str, &str)],
) -> (NodeId, Arc<ClientLink>) {
    let node = outbound.add_node(&format!("host:{instance}"));
    let link = outbound.link_up(node, None);
    announce(outbound, node, &link, &announcement(instance, services));
    (node, link)
}

pub(in crate::exchange) fn announce(
    outbound: &Outbound,
    node: NodeId,
    link: &Arc<ClientLink>,
    what: &Announcement,
) {
    outbound.receive(node, link, [what.write().unwrap()]);
}

fn wanted(topic: &str) -> Wanted<'_> {
    Wanted {
        exchange: "",
        topic,
        namespace: None,
        version: Version::new(1, 0),
        bytes: 1,
        sent: Instant::now(),
    }
}

fn in_turn(outbound: &Outbound, topic: &str) -> Option<String> {
    let route = lock(&outbound.table).routes.in_turn(wanted(topic), &[]);
    route.ok().map(|route| route.service.server.clone())
}

fn named(outbound: &Outbound, server: &str) -> Option<String> {
    let route = lock(&outbound.table).routes.named(wanted("t"), server);
    route.map(|route| route.link.address().to_string())
}

#[test]
fn a_node_costs_what_it_announces_however_many_others_there_are() {
    let outbound = Outbound::default();
    let name = |node: u32| format!("server-{node}");
    let mut nodes = Vec::new();
    for node in 0..NODES {
        let (linked, work) = work::of(|| linked(&outbound, node, &[("t", &name(node))]));
        assert_eq!(work, 1, "node {node}");
        nodes.push(linked);
    }
    let (node, link) = nodes[500].clone();
    let more = announcement(500, &[("t", &name(500)), ("u", "another")]);
    let ((), work) = work::of(|| announce(&outbound, node, &link, &more));
    assert_eq!(work, 2);
    let less = announcement(500, &[("u", "another")]);
    let ((), work) = work::of(|| announce(&outbound, node, &link, &less));
    assert_eq!(work, 2, "one that stays, and one that goes");
    let ((), work) = work::of(|| outbound.link_down(node, &link, "gone"));
    assert_eq!(work, 1);
    assert_eq!(in_turn(&outbound, "u"), None);
    assert_eq!(named(&outbound, &name(500)), None);
}

#[test]
fn a_server_is_found_without_a_look_at_all_others() {
    let outbound = Outbound::default();
    for node in 0..NODES {
        linked(&outbound, node, &[("t", &format!("server-{node}"))]);
    }
    // each has its turn
    let (turns, work) = work::of(|| {
        let turns = (0..NODES).filter_map(|_| in_turn(&outbound, "t"));
        turns.collect::<HashSet<_>>()
    });
    assert_eq!((turns.len(), work), (NODES as usize, NODES as usize));
    let (found, work) = work::of(|| named(&outbound, "server-777"));
    assert_eq!(found.as_deref(), Some("host:777"));
    assert!(work <= 2, "{work}");
}

#[test]
fn turns_go_on_when_nodes_come_and_go() {
    let outbound = Outbound::default();
    let (a, link) = linked(&outbound, 1, &[("t", "a")]);
    let b = linked(&outbound, 2, &[("t", "b")]);
    linked(&outbound, 3, &[("t", "c")]);
    let turn = || in_turn(&outbound, "t").unwrap();
    assert_eq!((turn(), turn()), ("a".into(), "b".into()));
    outbound.link_down(a, &link, "gone");
    assert_eq!((turn(), turn()), ("c".into(), "b".into()));
    linked(&outbound, 4, &[("t", "d")]);
    // what is announced again keeps its place
    announce(&outbound, b.0, &b.1, &announcement(2, &[("t", "b")]));
    assert_eq!(
        (turn(), turn(), turn()),
        ("c".into(), "d".into(), "b".into())
    );
}

#[test]
fn a_name_belongs_to_whoever_had_it_first_until_that_is_gone() {
    let outbound = Outbound::default();
    let first = linked(&outbound, 1, &[("t", "same"), ("t", "same")]);
    linked(&outbound, 2, &[("t", "same")]);
    let holder = || named(&outbound, "same").unwrap();
    assert_eq!(holder(), "host:1");
    announce(
        &outbound,
        first.0,
        &first.1,
        &announcement(1, &[("t", "same")]),
    );
    assert_eq!(holder(), "host:1");
    // another instance at the same address
    announce(
        &outbound,
        first.0,
        &first.1,
        &announcement(3, &[("t", "same")]),
    );
    assert_eq!(holder(), "host:2");
}

#[test]
fn an_instance_is_linked_once_and_again_when_that_link_is_gone() {
    let outbound = Outbound::default();
    let first = linked(&outbound, 1, &[("t", "a")]);
    let (node, second) = linked(&outbound, 1, &[("t", "a")]);
    assert!(second.is_lost() && outbound.is_twin(node));
    outbound.link_down(node, &second, "a twin");
    // whatever it called itself in between
    announce(
        &outbound,
        first.0,
        &first.1,
        &announcement(7, &[("t", "a")]),
    );
    announce(
        &outbound,
        first.0,
        &first.1,
        &announcement(1, &[("t", "a")]),
    );
    let settled = |outbound: &Outbound| {
        let target = Target::topic("t");
        let mut table = lock(&outbound.table);
        (
            table.all_settled(&target, &Settled::default()),
            table.all_linked(&target),
        )
    };
    assert_eq!(settled(&outbound), (true, true));
    outbound.remove_node(first.0);
    // it may be the way to that instance now, and has to be dialled for that
    assert!(!outbound.is_twin(node));
    assert_eq!(settled(&outbound), (false, false));
    let link = outbound.link_up(node, None);
    announce(&outbound, node, &link, &announcement(1, &[("t", "a")]));
    assert!(!link.is_lost() && !outbound.is_twin(node));
    assert_eq!(in_turn(&outbound, "t").as_deref(), Some("a"));
}
