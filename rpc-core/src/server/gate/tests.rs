//! A server's gate, driven through events in any order.

use super::{Entered, Gate};
use crate::args::Frame;
use crate::server::handler::{Ended, Job};
use crate::server::limits::{Limits, MethodLimits};
use crate::server::{Endpoint, Incoming, Running};
use crate::{ApiInfo, MethodInfo, MethodKind, Version};
use bytes::Bytes;
use futures_util::FutureExt;
use proptest::prelude::*;
use std::sync::Arc;

const VERSION: Version = Version::new(1, 0);
static METHODS: &[MethodInfo] = &[MethodInfo::new("run", MethodKind::Call, VERSION)];
static API: ApiInfo = ApiInfo::new("Test", VERSION).with_methods(METHODS);

struct Nothing;

impl Endpoint for Nothing {
    fn api(&self) -> &'static ApiInfo {
        &API
    }

    fn dispatch(&self, _: usize, incoming: Incoming) -> Running {
        incoming.no_such_method()
    }
}

/// A request that does nothing.
pub(in crate::server) fn job() -> Job {
    Job {
        endpoint: Arc::new(Nothing),
        index: 0,
        method: &METHODS[0],
        lane: None,
        kind: MethodKind::Call,
        deadline: None,
        in_spare: false,
        incoming: Incoming::trial(Frame::new(&METHODS[0], VERSION, Bytes::new())),
    }
}

/// What one of these leaves.
pub(super) const ENDED: Ended = Ended {
    lane: None,
    of_drain: false,
    in_spare: false,
};

pub(super) fn gate(concurrency: usize, queue: usize) -> Gate {
    Gate::new(&Limits {
        concurrency,
        queue,
        methods: MethodLimits::default(),
    })
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Arrive,
    /// One that runs ends.
    End,
    /// The task of one that runs is gone.
    Abandon,
    Drain,
    CutOff,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        8 => Just(Event::Arrive),
        6 => Just(Event::End),
        1 => Just(Event::Abandon),
        1 => Just(Event::Drain),
        1 => Just(Event::CutOff),
    ];
    prop::collection::vec(event, 0..60)
}

proptest! {
    /// As many run as may, as many wait as may, the rest is refused; what was taken in runs or is given up; and it is idle when it
    /// stops and nothing is left.
    #[test]
    fn a_gate_keeps_its_limits(events in events(), concurrency in 1..4usize, queue in 0..4usize) {
        let gate = gate(concurrency, queue);
        let (mut running, mut waiting, mut draining) = (0, 0, false);
        for event in events {
            match event {
                Event::Arrive => match gate.enter(job()) {
                    Entered::Draining(_) => prop_assert!(draining),
                    Entered::Runs(..) => {
                        prop_assert!(!draining && running < concurrency);
                        running += 1;
                    }
                    Entered::Waits(dead) => {
                        prop_assert!(!draining && running == concurrency && waiting < queue);
                        prop_assert!(dead.is_empty());
                        waiting += 1;
                    }
                    Entered::Full(_) => prop_assert!(!draining && running == concurrency && waiting == queue),
                },
                Event::End if running > 0 => match gate.next(ENDED) {
                    Some(_) => waiting -= 1,
                    None => {
                        prop_assert_eq!(waiting, 0);
                        running -= 1;
                    }
                },
                Event::Abandon if running > 0 => {
                    let given_up = gate.next(ENDED).map(|next| gate.put_back(next));
                    prop_assert_eq!(given_up.is_none(), waiting == 0);
                    running -= 1;
                    // without anybody who would come for them, none is left
                    let left = if running == 0 { std::mem::take(&mut waiting) } else { 0 };
                    prop_assert_eq!(given_up.map_or(0, |given_up| given_up.len()), left);
                }
                Event::End | Event::Abandon => {}
                Event::Drain => {
                    prop_assert_eq!(gate.drain(), !draining);
                    draining = true;
                }
                // a server that cuts off has been stopped
                Event::CutOff => {
                    gate.drain();
                    draining = true;
                    prop_assert_eq!(gate.cut_off().len(), waiting);
                    waiting = 0;
                }
            }
            prop_assert_eq!(gate.running(), running);
            prop_assert_eq!(gate.is_draining(), draining);
            let idle = draining && running == 0 && waiting == 0;
            prop_assert_eq!(gate.idle().now_or_never().is_some(), idle);
        }
    }
}

/// A request of a client that has so many.
fn job_of(places: usize) -> Job {
    Job {
        incoming: Incoming::trial_of(places, Frame::new(&METHODS[0], VERSION, Bytes::new())),
        ..job()
    }
}

#[test]
fn places_are_left_for_clients_that_have_few_requests() {
    let gate = gate(128, 10);
    let runs = |places| matches!(gate.enter(job_of(places)), Entered::Runs(..));
    // a quarter is left
    assert_eq!((1..=200).filter(|places| runs(*places)).count(), 96);
    assert!(!runs(5));
    assert!(runs(4));
    assert!(runs(4));
    // what ran in one of these places leaves it free
    let in_spare = Ended {
        in_spare: true,
        ..ENDED
    };
    assert!(gate.next(in_spare).is_none());
    assert!(gate.next(in_spare).is_none());
    assert!(!runs(5));
    // clients that want all of them leave some
    let crowd = (0..4).map(|_| (1..=200).take_while(|places| runs(*places)).count());
    assert_eq!(crowd.sum::<usize>(), 14);
    assert_eq!((0..50).filter(|_| runs(1)).count(), 18);
    assert!(!runs(1));
    // and however many of these are taken, who waits has the places that are for anybody
    let next: Vec<_> = (0..12).map(|_| gate.next(ENDED).is_some()).collect();
    assert_eq!(next.iter().position(|next| !next), Some(10), "{next:?}");
}
