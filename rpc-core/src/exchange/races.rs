//! What threads share, in every order that shuttle tries: `cargo xtask shuttle`.

use super::execution::Execution;
use super::frame::{self, AnnouncedService, Announcement, Credit, Frame, Kind, Window};
use super::link::ClientLink;
use super::outbound::Outbound;
use super::outbox::Outbox;
use super::peer::ServerLink;
use super::routes::Route;
use super::stream::{Batch, StreamQueue};
use super::tests::answered;
use super::waiting::Answer;
use crate::codec::Encoded;
use crate::server::Responder;
use crate::sync::{Mutex, lock};
use crate::wake::wake;
use crate::{Peer, Target};
use bytes::Bytes;
use futures_util::FutureExt;
use shuttle::future::block_on;
use shuttle::thread;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const SCHEDULES: usize = 500;

fn announcement() -> Announcement {
    Announcement {
        protocols: (1, 1),
        instance: [7; 16],
        address: String::new(),
        window: Window {
            requests: 2,
            bytes: 100,
        },
        serial: Some(1),
        heartbeats: true,
        services: vec![AnnouncedService {
            exchange: String::new(),
            topic: "t".into(),
            server: "s".into(),
            draining: false,
            apis: Vec::new(),
        }],
    }
}

fn request() -> Encoded {
    let mut request = Encoded::copy_of(&[0x80]);
    frame::prepend(&mut request, Kind::Call, 0, &[]).unwrap();
    request
}

/// Writes until the link is closed: each request that is written is answered. Returns the ids of those.
fn write_and_answer(link: &ClientLink) -> Vec<u64> {
    let mut written = Vec::new();
    let mut batch = Vec::new();
    while block_on(link.next_frames(&mut batch, 10)) {
        for bytes in batch.drain(..) {
            let frame = Frame::parse(bytes).unwrap();
            if frame.kind == Some(Kind::Call) {
                written.push(frame.id);
                let reply = Frame::parse(frame::bare(Kind::Reply, frame.id)).unwrap();
                assert_eq!(answered(&link, Kind::Reply, reply), Ok(()));
            }
        }
    }
    written
}

#[test]
fn a_request_is_answered_cancelled_or_lost_and_it_is_known_whether_it_was_written() {
    shuttle::check_random(
        || {
            let link = Arc::new(ClientLink::new("test".into(), None));
            link.announce(announcement());
            let route = Arc::new(Route::first_of(&link));
            let writer = {
                let link = Arc::clone(&link);
                thread::spawn(move || write_and_answer(&link))
            };
            let send = |cancelled: bool| {
                let (link, route) = (Arc::clone(&link), Arc::clone(&route));
                thread::spawn(move || {
                    let place = block_on(link.window.place(1)).ok()?;
                    let (mut in_flight, bytes) = link
                        .send(place, &route, Kind::Call, request(), None, None)
                        .ok()?;
                    let id = frame::id(&bytes);
                    if cancelled {
                        thread::yield_now();
                        return Some((id, in_flight.cancel().then_some(Answer::Unwritten)));
                    }
                    Some((id, Some(block_on(in_flight.answer(None)).unwrap())))
                })
            };
            let senders = [send(false), send(true), send(false)];
            let loser = {
                let link = Arc::clone(&link);
                thread::spawn(move || {
                    for _ in 0..5 {
                        thread::yield_now();
                    }
                    link.lose("test");
                })
            };
            let sent = senders.map(|sender| sender.join().unwrap());
            loser.join().unwrap();
            let written = writer.join().unwrap();
            for (id, answer) in sent.into_iter().flatten() {
                match answer {
                    Some(Answer::Unwritten) => assert!(!written.contains(&id)),
                    Some(Answer::Value(_)) => assert!(written.contains(&id)),
                    Some(Answer::Lost(_)) | None => {}
                    other => panic!("{other:?}"),
                }
            }
        },
        SCHEDULES,
    );
}

#[test]
fn places_are_given_back_once_whatever_meets() {
    shuttle::check_random(
        || {
            let link = Arc::new(ClientLink::new("test".into(), None));
            link.announce(announcement());
            let route = Route::first_of(&link);
            let mut in_flight = Vec::new();
            while let Some(place) = link.window.try_place(1) {
                let sent = link.send(place, &route, Kind::Call, request(), None, None);
                in_flight.push(sent.unwrap().0);
            }
            assert_eq!(in_flight.len(), 2);
            thread::scope(|scope| {
                scope.spawn(move || drop(in_flight));
                for id in [1, 2] {
                    let reply = Frame::parse(frame::bare(Kind::Reply, id)).unwrap();
                    assert_eq!(answered(&link, Kind::Reply, reply), Ok(()));
                }
            });
            let places = [(); 3].map(|()| link.window.try_place(1));
            assert_eq!(places.iter().flatten().count(), 2);
        },
        SCHEDULES,
    );
}

#[test]
fn whoever_waits_for_a_place_gets_one_although_others_give_up_or_the_window_changes() {
    shuttle::check_random(
        || {
            let link = Arc::new(ClientLink::new("test".into(), None));
            let wait = |patient: bool| {
                let link = Arc::clone(&link);
                thread::spawn(move || {
                    let place = link.window.place(1);
                    if patient {
                        assert!(block_on(place).is_ok());
                    } else {
                        // perhaps it was its turn
                        drop(place.now_or_never());
                    }
                })
            };
            let waiting = [wait(true), wait(false), wait(true), wait(false)];
            for (requests, bytes) in [(1, 1), (0, 0), (2, 1), (1, 2)] {
                link.window.resize(requests, bytes);
            }
            for waits in waiting {
                waits.join().unwrap();
            }
            let places = [(); 2].map(|()| link.window.try_place(1));
            assert_eq!(places.iter().flatten().count(), 1);
            assert!(link.window.close().is_empty(), "nobody waits");
            assert!(block_on(link.window.place(1)).is_err());
        },
        SCHEDULES,
    );
}

#[test]
fn a_request_at_a_server_is_answered_once_at_most_and_leaves_nothing() {
    shuttle::check_random(
        || {
            let link = Arc::new(ServerLink::new(Peer::new("test", "client"), None));
            let credit = Credit { items: 9, bytes: 9 };
            let executions = [1, 2].map(|id| {
                let stream =
                    Execution::new(Arc::clone(&link), id, Kind::Multicall, None, credit, None);
                Arc::new(stream)
            });
            for (id, execution) in (1..).zip(&executions) {
                assert_eq!(link.begin(id, Window::of(9), execution), Ok(()));
            }
            let handlers = executions.map(|execution| {
                thread::spawn(move || {
                    execution.accepted();
                    execution.items(0, 1, Encoded::copy_of(&[0]));
                    execution.finish(crate::server::Ending::StreamEnd(1));
                })
            });
            let writer = {
                let link = Arc::clone(&link);
                thread::spawn(move || {
                    let mut frames = Vec::new();
                    let mut batch = Vec::new();
                    while block_on(link.next_frames(&mut batch, 10)) {
                        frames.append(&mut batch);
                    }
                    frames
                })
            };
            link.cancel(1);
            for handler in handlers {
                handler.join().unwrap();
            }
            let begun = Execution::new(Arc::clone(&link), 3, Kind::Call, None, credit, None);
            assert_eq!(
                link.begin(3, Window::of(1), &Arc::new(begun)),
                Ok(()),
                "nothing runs"
            );
            link.lose();
            let frames = writer.join().unwrap();
            for id in [1, 2] {
                let kinds: Vec<_> = frames
                    .iter()
                    .filter(|bytes| frame::id(bytes) == id)
                    .map(|bytes| frame::kind(bytes).unwrap())
                    .collect();
                // whatever is cut off is cut off at the end
                let all = [Kind::Accept, Kind::Items, Kind::End];
                assert_eq!(kinds, all[..kinds.len()]);
            }
        },
        SCHEDULES,
    );
}

#[test]
fn every_frame_is_written_whoever_pushes_holds_and_releases() {
    shuttle::check_random(
        || {
            let outbox = Arc::new(Mutex::new(Outbox::default()));
            let push = |hold: bool| {
                let outbox = Arc::clone(&outbox);
                move || {
                    for _ in 0..2 {
                        if hold {
                            lock(&outbox).hold();
                        }
                        let writer = lock(&outbox).push(frame::bare(Kind::Cancel, 1));
                        wake(writer);
                        if hold {
                            let writer = lock(&outbox).release();
                            wake(writer);
                        }
                    }
                }
            };
            let pushers = [thread::spawn(push(true)), thread::spawn(push(false))];
            let mut batch: Vec<Bytes> = Vec::new();
            while batch.len() < 4 {
                block_on(poll_fn(|cx| lock(&outbox).poll_ready(cx)));
                assert!(lock(&outbox).take(&mut batch, 1));
            }
            for pusher in pushers {
                pusher.join().unwrap();
            }
            let _ = lock(&outbox)
                .poll_ready(&mut std::task::Context::from_waker(std::task::Waker::noop()));
            assert!(lock(&outbox).is_flushed());
        },
        SCHEDULES,
    );
}

#[test]
fn credit_and_items_wake_whoever_waits_for_them() {
    shuttle::check_random(
        || {
            let one = Credit { items: 1, bytes: 1 };
            let queue = Arc::new(StreamQueue::new(String::new(), one));
            let link = Arc::new(ServerLink::new(Peer::new("test", "client"), None));
            let stream = Execution::new(link, 1, Kind::Multicall, None, one, None);
            let execution = Arc::new(stream);
            let server = {
                let (queue, execution) = (Arc::clone(&queue), Arc::clone(&execution));
                thread::spawn(move || {
                    for first in 0..3 {
                        block_on(poll_fn(|cx| execution.poll_credit(cx)));
                        execution.items(first, 1, Encoded::copy_of(&[0]));
                        let items = Bytes::from_static(&[0]);
                        let count = 1;
                        assert_eq!(
                            queue.push(Batch {
                                first,
                                count,
                                items
                            }),
                            Ok(())
                        );
                    }
                    assert_eq!(queue.complete(3), Ok(()));
                    // the client is told, and cancels what it need not
                    block_on(poll_fn(|cx| execution.poll_cancelled(cx)));
                })
            };
            for _ in 0..3 {
                assert!(block_on(poll_fn(|cx| queue.poll_next(cx))).is_ok());
                queue.allow(one);
                execution.add_credit(one);
            }
            assert!(block_on(poll_fn(|cx| queue.poll_next(cx))).is_err());
            execution.cancel();
            server.join().unwrap();
        },
        SCHEDULES,
    );
}

#[test]
fn an_announcement_is_noticed_by_whoever_waits_for_a_server() {
    shuttle::check_random(
        || {
            let outbound = Arc::new(Outbound::default());
            let node = outbound.add_node("test");
            let link = outbound.link_up(node, None);
            let announcer = {
                let outbound = Arc::clone(&outbound);
                thread::spawn(move || {
                    outbound.receive(node, &link, [announcement().write().unwrap()]);
                    link
                })
            };
            // its clock never moves: nobody is helped by a deadline
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .unwrap();
            let entered = runtime.enter();
            let deadline = Instant::now() + Duration::from_secs(1000);
            let survey = block_on(outbound.survey(&Target::topic("t"), deadline));
            drop(entered);
            assert_eq!(survey.servers.len(), 1);
            // and says that it has been seen
            let link = announcer.join().unwrap();
            let mut frames = Vec::new();
            assert_eq!(link.next_frames(&mut frames, 9).now_or_never(), Some(true));
            assert_eq!(frame::kind(frames.last().unwrap()), Some(Kind::Seen));
        },
        SCHEDULES / 10,
    );
}
