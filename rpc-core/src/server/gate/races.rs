//! Requests that arrive, end and are cut off while a server stops, in every order that shuttle tries.

use super::tests::{ENDED, gate, job};
use super::{Entered, Gate};
use shuttle::future::block_on;
use shuttle::thread;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

const SCHEDULES: usize = 500;

#[derive(Default)]
struct Count {
    taken_in: AtomicUsize,
    run: AtomicUsize,
    running: AtomicUsize,
}

/// A request arrives, and if there is a place, it runs, and others after it.
fn arrive(gate: &Gate, count: &Count) {
    match gate.enter(job()) {
        Entered::Draining(_) | Entered::Full(_) => return,
        Entered::Waits(_) => {
            count.taken_in.fetch_add(1, SeqCst);
            return;
        }
        Entered::Runs(..) => count.taken_in.fetch_add(1, SeqCst),
    };
    loop {
        assert!(count.running.fetch_add(1, SeqCst) < 1, "more than may run");
        thread::yield_now();
        count.running.fetch_sub(1, SeqCst);
        count.run.fetch_add(1, SeqCst);
        if gate.next(ENDED).is_none() {
            return;
        }
    }
}

#[test]
fn a_server_that_stops_is_idle_once_all_has_run_and_that_is_noticed() {
    shuttle::check_random(
        || {
            let gate = Arc::new(gate(1, 1));
            let count = Arc::new(Count::default());
            let arrivals = [(); 3].map(|()| {
                let (gate, count) = (Arc::clone(&gate), Arc::clone(&count));
                thread::spawn(move || arrive(&gate, &count))
            });
            let stopping = {
                let gate = Arc::clone(&gate);
                thread::spawn(move || assert!(gate.drain()))
            };
            block_on(gate.idle());
            let run = count.run.load(SeqCst);
            assert_eq!(gate.running(), 0);
            for arrival in arrivals {
                arrival.join().unwrap();
            }
            stopping.join().unwrap();
            assert_eq!(count.run.load(SeqCst), run, "something ran later");
            assert_eq!(count.taken_in.load(SeqCst), run, "something was not run");
        },
        SCHEDULES,
    );
}

#[test]
fn what_is_cut_off_is_run_or_given_up_and_the_server_becomes_idle() {
    shuttle::check_random(
        || {
            let gate = Arc::new(gate(1, 2));
            let count = Arc::new(Count::default());
            let arrivals = [(); 3].map(|()| {
                let (gate, count) = (Arc::clone(&gate), Arc::clone(&count));
                thread::spawn(move || arrive(&gate, &count))
            });
            gate.drain();
            let given_up = gate.cut_off().len();
            assert!(gate.is_cut());
            block_on(gate.idle());
            for arrival in arrivals {
                arrival.join().unwrap();
            }
            let run = count.run.load(SeqCst);
            assert_eq!(count.taken_in.load(SeqCst), run + given_up);
        },
        SCHEDULES,
    );
}
