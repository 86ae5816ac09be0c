//! The machines between transports and links, driven through events in any order.

use super::execution::Execution;
use super::frame::{self, AnnouncedService, Announcement, Credit, Frame, Kind, Window};
use super::in_flight::InFlight;
use super::link::ClientLink;
use super::peer::ServerLink;
use super::routes::Route;
use super::stream::{Batch, End, StreamQueue};
use super::waiting::Answer;
use crate::Peer;
use crate::codec::Encoded;
use crate::server::Responder;
use bytes::Bytes;
use futures_util::FutureExt;
use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

const WINDOW: u32 = 4;

fn announcement(requests: u32) -> Announcement {
    announcement_of(requests, false)
}

fn announcement_of(requests: u32, draining: bool) -> Announcement {
    Announcement {
        protocols: (1, 1),
        instance: [0; 16],
        address: String::new(),
        window: Window {
            requests,
            bytes: 1000,
        },
        serial: None,
        heartbeats: true,
        services: vec![AnnouncedService {
            exchange: String::new(),
            topic: "t".into(),
            server: "s".into(),
            draining,
            apis: Vec::new(),
        }],
    }
}

pub(super) fn announced_link() -> Arc<ClientLink> {
    let link = Arc::new(ClientLink::new("test".into(), None));
    link.announce(announcement(WINDOW));
    link
}

fn link() -> Arc<ClientLink> {
    let link = announced_link();
    written(&link);
    link
}

/// Takes what waits to be written.
fn written(link: &ClientLink) -> Vec<Bytes> {
    let mut batch = Vec::new();
    try_for_a_while(link.next_frames(&mut batch, 1000));
    batch
}

/// With several requests in flight, a link yields once before it has frames.
pub(super) fn try_for_a_while(frames: impl Future<Output = bool>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        tokio::select! {
            biased;
            _ = frames => {}
            () = async { for _ in 0..3 { tokio::task::yield_now().await } } => {}
        }
    });
}

pub(super) fn request() -> Encoded {
    let mut request = Encoded::copy_of(&[0x80]);
    frame::prepend(&mut request, Kind::Call, 0, &[]).unwrap();
    request
}

fn free_places(link: &ClientLink) -> u32 {
    let mut places = Vec::new();
    while let Some(place) = link.window.try_place(0) {
        places.push(place);
    }
    u32::try_from(places.len()).unwrap()
}

/// Hands an answer to a link. An error says which rule it broke.
pub(super) fn answered(link: &ClientLink, kind: Kind, frame: Frame) -> Result<(), String> {
    let mut broken = Ok(());
    let mut woken = Vec::new();
    let mut answers = vec![(kind, frame)];
    link.answered(&mut answers, &mut woken, |error| broken = Err(error));
    woken.into_iter().for_each(Waker::wake);
    broken
}

fn parsed(bytes: Bytes) -> Frame {
    Frame::parse(bytes).unwrap()
}

#[derive(Clone, Debug)]
enum Event {
    Send,
    Write,
    /// The answer to one of the requests, by index, in flight or not.
    Answer(usize),
    Drop(usize),
    /// The instance says whether its server is stopping.
    Announce {
        draining: bool,
    },
    Lose,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => Just(Event::Send),
        2 => Just(Event::Write),
        3 => (0..12usize).prop_map(Event::Answer),
        2 => (0..12usize).prop_map(Event::Drop),
        1 => any::<bool>().prop_map(|draining| Event::Announce { draining }),
        1 => Just(Event::Lose),
    ];
    prop::collection::vec(event, 0..40)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Unwritten,
    Written,
    Answered,
    Lost { written: bool },
}

proptest! {
    /// Every request is answered once, by what became of it; places are given back once; a request that was never written is
    /// withdrawn, and one that was is cancelled.
    #[test]
    fn requests_in_flight(events in events()) {
        let link = link();
        let route = Route::first_of(&link);
        let mut requests: BTreeMap<usize, (u64, Option<InFlight<'_>>, State)> = BTreeMap::new();
        let (mut lost, mut stopping) = (false, false);
        for event in events {
            match event {
                Event::Announce { draining } => {
                    link.announce(announcement_of(WINDOW, draining));
                    stopping = draining;
                }
                Event::Send => {
                    let Some(place) = link.window.try_place(1) else { continue };
                    let index = requests.len();
                    match link.send(place, &route, Kind::Call, request(), None, None) {
                        Ok((in_flight, bytes)) => {
                            prop_assert!(!lost && !stopping);
                            let id = frame::id(&bytes);
                            prop_assert_eq!(id, index as u64 + 1, "ids rise by one");
                            requests.insert(index, (id, Some(in_flight), State::Unwritten));
                        }
                        Err(request) => {
                            prop_assert!(lost || stopping);
                            prop_assert_eq!(request.len(), frame::PREFIX + 1);
                        }
                    }
                }
                Event::Write => {
                    for bytes in written(&link) {
                        let frame = parsed(bytes);
                        let (_, in_flight, state) = requests.get_mut(&(usize::try_from(frame.id).unwrap() - 1)).unwrap();
                        match frame.kind {
                            Some(Kind::Call) => {
                                prop_assert_eq!(*state, State::Unwritten);
                                prop_assert!(in_flight.is_some(), "what was dropped before is withdrawn");
                                *state = State::Written;
                            }
                            Some(Kind::Cancel) => {
                                prop_assert!(in_flight.is_none());
                                prop_assert_eq!(*state, State::Written);
                            }
                            other => prop_assert!(false, "{:?}", other),
                        }
                    }
                }
                Event::Answer(index) => {
                    let Some((id, in_flight, state)) = requests.get_mut(&index) else { continue };
                    // nobody answers what was not written
                    if *state == State::Unwritten {
                        continue;
                    }
                    let reply = parsed(frame::bare(Kind::Reply, *id));
                    // one that was cancelled, answered or lost is quiet
                    prop_assert_eq!(answered(&link, Kind::Reply, reply), Ok(()));
                    if in_flight.is_some() && *state == State::Written {
                        *state = State::Answered;
                    }
                }
                Event::Drop(index) => {
                    if let Some((_, in_flight, _)) = requests.get_mut(&index) {
                        drop(in_flight.take());
                    }
                }
                Event::Lose => {
                    link.lose("test");
                    lost = true;
                    for (_, _, state) in requests.values_mut().filter(|(_, in_flight, _)| in_flight.is_some()) {
                        match state {
                            State::Unwritten => *state = State::Lost { written: false },
                            State::Written => *state = State::Lost { written: true },
                            _ => {}
                        }
                    }
                }
            }
            let open = requests
                .values()
                .filter(|(_, in_flight, state)| in_flight.is_some() && matches!(state, State::Unwritten | State::Written))
                .count();
            if !lost {
                prop_assert_eq!(free_places(&link), WINDOW - u32::try_from(open).unwrap());
            }
        }
        for (_, in_flight, state) in requests.into_values() {
            let Some(mut in_flight) = in_flight else { continue };
            let answer = in_flight.answer(None).now_or_never().map(Result::unwrap);
            let fits = match state {
                State::Unwritten | State::Written => answer.is_none(),
                State::Answered => matches!(answer, Some(Answer::Value(_))),
                State::Lost { written: false } => matches!(answer, Some(Answer::Unwritten)),
                State::Lost { written: true } => matches!(answer, Some(Answer::Lost(_))),
            };
            prop_assert!(fits, "{:?} {:?}", state, answer);
        }
    }

    /// However a window changes while places are in use, in the end there are as many as the last announcement says.
    #[test]
    fn a_window_that_changes(changes in prop::collection::vec((0..6u32, 0..6usize), 0..12)) {
        let link = link();
        let route = Route::first_of(&link);
        let mut in_flight: VecDeque<InFlight<'_>> = VecDeque::new();
        let mut window = WINDOW;
        for (requests, sends) in changes {
            for _ in 0..sends {
                if let Some(place) = link.window.try_place(1) {
                    in_flight.push_back(link.send(place, &route, Kind::Call, request(), None, None).unwrap().0);
                }
            }
            window = requests;
            link.announce(announcement(window));
            let used = u32::try_from(in_flight.len()).unwrap();
            prop_assert_eq!(free_places(&link), window.saturating_sub(used));
            drop(in_flight.pop_front());
        }
        in_flight.clear();
        prop_assert_eq!(free_places(&link), window);
    }

    /// Between an execution that sends as much as it may and a queue that checks it, no rule is ever broken, the server is never
    /// further ahead than the credit, and every item arrives once, in order.
    #[test]
    fn credit(sizes in prop::collection::vec(1..200usize, 0..60), reads in prop::collection::vec(0..8usize, 1..20)) {
        let credit = Credit { items: 8, bytes: 300 };
        let queue = StreamQueue::new(String::new(), credit);
        let execution = Execution::new(Arc::new(ServerLink::new(Peer::new("test", "client"), None)), 1, Kind::Multicall, None, credit, None);
        let mut cx = Context::from_waker(Waker::noop());
        let (mut sent, mut read, mut ahead) = (0usize, 0u64, 0usize);
        let mut reads = reads.into_iter().cycle();
        let mut turns = 0;
        while sent < sizes.len() || read < sizes.len() as u64 {
            turns += 1;
            prop_assert!(turns < 1000, "it is stuck at {} sent, {} read", sent, read);
            // the server sends what it may
            while let (Some(size), Poll::Ready((items, bytes))) = (sizes.get(sent), execution.poll_credit(&mut cx)) {
                prop_assert!(items >= 1 && bytes >= 1);
                execution.items(sent as u64, 1, Encoded::copy_of(&vec![0; *size]));
                let batch = Batch { first: sent as u64, count: 1, items: vec![0; *size].into() };
                prop_assert_eq!(queue.push(batch), Ok(()));
                sent += 1;
                ahead += size;
            }
            prop_assert!(sent as u64 - read <= credit.items);
            // the item that reaches the limit is still sent
            prop_assert!(ahead < 300 + 200);
            // the consumer reads some, and allows as many more
            for _ in 0..=reads.next().unwrap_or(0) {
                let Poll::Ready(Ok(batch)) = queue.poll_next(&mut cx) else { break };
                prop_assert_eq!(batch.first, read);
                read += 1;
                ahead -= batch.items.len();
                let given = Credit { items: 1, bytes: batch.items.len() as u64 };
                queue.allow(given);
                execution.add_credit(given);
            }
        }
        prop_assert_eq!(queue.complete(read), Ok(()));
        prop_assert!(matches!(queue.poll_next(&mut cx), Poll::Ready(Err(End::Complete))));
    }

    /// No bytes that arrive on a link do harm, at either end.
    #[test]
    fn any_bytes_arrive(frames: Vec<(u8, u64, Vec<u8>, Vec<u8>)>, garbage: Vec<Vec<u8>>) {
        let counters = Arc::new(crate::transport::TransportCounters::default());
        let outbound = super::Outbound::new(Arc::clone(&counters));
        let inbound = super::Inbound::new(Window { requests: 4, bytes: 100 }, counters);
        let node = outbound.add_node("test");
        let (client, server) = (outbound.link_up(node, None), inbound.link_up(Peer::new("test", "client"), None));
        let frames = frames.into_iter().map(|(kind, id, header, body)| {
            let mut frame = vec![1, kind % 16];
            frame.extend(u16::try_from(header.len()).unwrap().to_be_bytes());
            frame.extend(id.to_be_bytes());
            frame.extend(header);
            frame.extend(body);
            Bytes::from(frame)
        });
        let all: Vec<Bytes> = frames.chain(garbage.into_iter().map(Bytes::from)).collect();
        outbound.receive(node, &client, all.clone());
        inbound.receive(&server, all);
    }
}

#[test]
fn a_stream_keeps_to_its_rules() {
    let batch = |first, count, bytes: usize| Batch {
        first,
        count,
        items: vec![0; bytes].into(),
    };
    let queue = || {
        StreamQueue::new(
            String::new(),
            Credit {
                items: 2,
                bytes: 10,
            },
        )
    };
    assert!(
        queue()
            .push(batch(1, 1, 1))
            .unwrap_err()
            .contains("item 0 was expected")
    );
    assert!(queue().push(batch(0, 0, 1)).is_err());
    assert!(queue().push(batch(0, 2, 1)).is_err());
    assert!(
        queue()
            .push(batch(0, 3, 3))
            .unwrap_err()
            .contains("more than it was allowed")
    );
    let full = queue();
    assert_eq!(full.push(batch(0, 1, 10)), Ok(()));
    assert!(
        full.push(batch(1, 1, 1))
            .unwrap_err()
            .contains("more than it was allowed")
    );
    let ended = queue();
    assert_eq!(ended.push(batch(0, 1, 1)), Ok(()));
    assert!(
        ended
            .complete(2)
            .unwrap_err()
            .contains("after 2 items, 1 have arrived")
    );
}

/// A node that announces itself again and again, and does not read, does not make its client hold an answer to each.
#[test]
fn one_sight_of_an_announcement_waits_at_a_time() {
    let link = link();
    for serial in 1..=100 {
        link.announce(Announcement {
            serial: Some(serial),
            ..announcement(WINDOW)
        });
    }
    let frames = written(&link);
    assert_eq!(frames.len(), 1);
    let frame = Frame::parse(frames[0].clone()).unwrap();
    assert_eq!(frame.kind, Some(Kind::Seen));
    assert_eq!(frame::parse_numbers(&frame.header).unwrap(), [100]);
}
