//! An instance's end of a link, driven through events in any order.

use super::{Begin, ServerLink};
use crate::Peer;
use crate::context::Cancellable;
use crate::exchange::account::Holdings;
use crate::exchange::execution::Execution;
use crate::exchange::frame::{self, Credit, Kind, Window};
use crate::exchange::tests::try_for_a_while;
use crate::server::{Ending, Responder};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

proptest! {
    /// At an instance, each request is answered once at most, not after it was cancelled, and is not kept after its end. A full
    /// window is made free only of what nobody waits for.
    #[test]
    fn requests_at_an_instance(events in prop::collection::vec((0..5u8, 1..12u64), 0..60)) {
        const ROOM: u32 = 3;
        let link = Arc::new(ServerLink::new(Peer::new("test", "client"), None));
        let mut running: BTreeMap<u64, Arc<Execution>> = BTreeMap::new();
        let mut answers = Vec::new();
        let mut last = 0;
        for (event, id) in events {
            match event {
                // every third is a stream that has no credit
                0 | 1 => {
                    let kind = if id % 3 == 0 { Kind::Multicall } else { Kind::Call };
                    let execution = Execution::new(Arc::clone(&link), id, kind, None, Credit::default(), None);
                    let execution = Arc::new(execution);
                    let stalled = running.keys().copied().find(|id| id % 3 == 0);
                    let full = running.len() == ROOM as usize;
                    let expected = match id {
                        _ if id <= last => Err(Begin::Repeated),
                        _ if full && stalled.is_none() => Err(Begin::WindowFull),
                        _ => Ok(()),
                    };
                    prop_assert_eq!(link.begin(id, Window::of(ROOM), &execution), expected);
                    last = last.max(id);
                    if expected.is_ok() {
                        if let Some(stalled) = stalled.filter(|_| full) {
                            prop_assert!(running.remove(&stalled).unwrap().is_cancelled());
                        }
                        running.insert(id, execution);
                    }
                }
                2 => {
                    link.cancel(id);
                    if let Some(cancelled) = running.remove(&id) {
                        prop_assert!(cancelled.is_cancelled());
                        // its handler ends all the same
                        link.finish(id, Some(frame::bare(Kind::Reply, id)));
                    }
                }
                3 => {
                    link.finish(id, Some(frame::bare(Kind::Reply, id)));
                    if let Some(finished) = running.remove(&id) {
                        prop_assert!(!finished.is_cancelled());
                        answers.push(id);
                    }
                }
                _ => link.add_credit(id, Credit::default()),
            }
        }
        let mut frames = Vec::new();
        try_for_a_while(link.next_frames(&mut frames, 1000));
        let written: Vec<u64> = frames.iter().map(|bytes| frame::id(bytes)).collect();
        prop_assert_eq!(written, answers);
        link.lose();
        for (id, execution) in running {
            // a lost link ends streams, not calls
            prop_assert_eq!(execution.is_cancelled(), id % 3 == 0);
        }
    }
}

#[test]
fn ids_rise_and_the_window_holds() {
    let link = Arc::new(ServerLink::new(Peer::new("test", "client"), None));
    let begin = |id| {
        let execution = Arc::new(Execution::new(
            Arc::clone(&link),
            id,
            Kind::Call,
            None,
            Credit::default(),
            None,
        ));
        link.begin(id, Window::of(2), &execution)
    };
    assert_eq!(begin(5), Ok(()));
    assert_eq!(begin(5), Err(Begin::Repeated));
    assert_eq!(begin(4), Err(Begin::Repeated));
    assert_eq!(begin(7), Ok(()));
    assert_eq!(begin(8), Err(Begin::WindowFull));
    link.cancel(5);
    assert_eq!(begin(9), Ok(()));
}

/// A request of so many bytes, that holds as much.
fn of_size(link: &Arc<ServerLink>, id: u64, bytes: usize) -> Arc<Execution> {
    let execution = Execution::new(
        Arc::clone(link),
        id,
        Kind::Call,
        None,
        Credit::default(),
        None,
    );
    Arc::new(execution.of_size(bytes, bytes))
}

#[test]
fn the_window_of_bytes_holds_until_requests_are_answered() {
    let link = Arc::new(ServerLink::new(Peer::new("test", "client"), None));
    let window = Window {
        requests: 10,
        bytes: 100,
    };
    let begin = |id, bytes| link.begin(id, window, &of_size(&link, id, bytes));
    assert_eq!(begin(1, 60), Ok(()));
    assert_eq!(begin(2, 41), Err(Begin::WindowFull));
    assert_eq!(begin(3, 40), Ok(()));
    link.finish(1, None);
    assert_eq!(begin(4, 60), Ok(()));
    link.cancel(4);
    assert_eq!(begin(5, 60), Ok(()));
}

#[test]
fn what_was_cancelled_is_held_until_it_is_over() {
    let account = Holdings::new(3 * 1024 * 1024).open();
    let link = ServerLink::of(Peer::new("test", "client"), None, account);
    let link = Arc::new(link);
    let begin = |execution: &Arc<Execution>, id| link.begin(id, Window::of(10), execution);
    let large = of_size(&link, 1, 1024 * 1024);
    assert_eq!(begin(&large, 1), Ok(()));
    link.cancel(1);
    // its handler may not have noticed
    let next = of_size(&link, 2, 1024 * 1024);
    assert_eq!(begin(&next, 2), Err(Begin::NodeFull));
    assert_eq!(link.requests(), 1);
    large.finish(Ending::Quiet);
    let next = of_size(&link, 3, 1024 * 1024);
    assert_eq!(begin(&next, 3), Ok(()));
    link.lose();
    drop(next);
    assert_eq!(link.requests(), 0, "its task is gone");
}

#[test]
fn a_client_for_which_more_waits_than_a_node_may_hold_is_given_up() {
    let account = Holdings::new(4 * 1024 * 1024).open();
    let link = ServerLink::of(Peer::new("test", "client"), None, account);
    let answer = bytes::Bytes::from(vec![0; 512 * 1024]);
    link.push(answer.clone());
    link.push(answer.clone());
    assert!(!link.is_overrun());
    link.push(answer);
    assert!(link.is_overrun());
}

#[test]
fn nobody_waits_for_what_a_client_asked_for_that_is_given_up() {
    let link = ServerLink::new(Peer::new("test", "client"), None).with_limits(1000, usize::MAX);
    let link = Arc::new(link);
    let [call, stream, cast] =
        [(1, Kind::Call), (2, Kind::Multicall), (3, Kind::Cast)].map(|(id, kind)| {
            let execution =
                Execution::new(Arc::clone(&link), id, kind, None, Credit::default(), None);
            let execution = Arc::new(execution);
            assert_eq!(link.begin(id, Window::of(8), &execution), Ok(()));
            execution
        });
    cast.accepted();
    for _ in 0..2 {
        assert!(!call.is_cancelled() && !stream.is_cancelled());
        link.push(vec![0; 1000].into());
    }
    assert!(call.is_cancelled() && stream.is_cancelled());
    assert!(!cast.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn nobody_stands_in_the_line_whose_answer_is_not_waited_for() {
    let link = Arc::new(ServerLink::new(Peer::new("test", "client"), None));
    link.push(vec![0; 50 * 1024 * 1024].into());
    assert!(link.is_behind());
    let came = Instant::now();
    let waits = |id, deadline| {
        let (link, credit) = (Arc::clone(&link), Credit::default());
        let call = Execution::new(link, id, Kind::Call, deadline, credit, None);
        Arc::new(call)
    };
    let took = async |call: &Arc<Execution>| {
        Arc::clone(call).turn().await;
        came.elapsed().as_millis()
    };
    let [first, expires, cancelled, last] = [
        waits(1, None),
        waits(2, Some(came + Duration::from_millis(7))),
        waits(3, None),
        waits(4, None),
    ];
    let cancel = async {
        tokio::time::sleep(Duration::from_millis(9)).await;
        cancelled.cancel();
    };
    let (first, expires, cancelled, last, ()) = tokio::join!(
        took(&first),
        took(&expires),
        took(&cancelled),
        took(&last),
        cancel
    );
    assert_eq!([first, expires, cancelled, last], [0, 7, 9, 50]);
}
