//! The requests of a server that wait: those that are next, and those whose method runs as often as it may.

use std::collections::VecDeque;

/// What waits.
pub(super) trait Waits {
    /// The lane of its method, if that has a limit of its own.
    fn lane(&self) -> Option<usize>;

    /// Whether nobody waits for it any more.
    fn is_dead(&self) -> bool;
}

/// Requests that wait, in order; a method that has a limit of its own keeps to it.
///
/// A request is *admitted* once its method has room for it. From then on it waits only for its turn, so whoever takes the next one
/// never has to look further.
pub(super) struct Queue<J> {
    admitted: VecDeque<J>,
    lanes: Vec<Lane<J>>,
    /// How many wait in lanes.
    held: usize,
}

/// A method with a limit of its own.
struct Lane<J> {
    limit: usize,
    /// How many of its requests run or are admitted.
    admitted: usize,
    /// The others. There are some only while as many are admitted as may.
    held: VecDeque<J>,
}

impl<J: Waits> Queue<J> {
    pub(super) fn new(limits: impl Iterator<Item = usize>) -> Self {
        let lane = |limit| Lane {
            limit,
            admitted: 0,
            held: VecDeque::new(),
        };
        Self {
            admitted: VecDeque::new(),
            lanes: limits.map(lane).collect(),
            held: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.admitted.len() + self.held
    }

    fn lane(&mut self, lane: Option<usize>) -> Option<&mut Lane<J>> {
        self.lanes.get_mut(lane?)
    }

    /// Whether the method has room for one more, which is taken then.
    pub(super) fn admit(&mut self, lane: Option<usize>) -> bool {
        let Some(lane) = self.lane(lane) else {
            return true;
        };
        let admitted = lane.admitted < lane.limit;
        lane.admitted += usize::from(admitted);
        admitted
    }

    /// Adds one that has been admitted, or could not be.
    pub(super) fn push(&mut self, job: J, admitted: bool) {
        let lane = job.lane();
        match self.lane(lane) {
            Some(lane) if !admitted => {
                lane.held.push_back(job);
                self.held += 1;
            }
            _ => self.admitted.push_back(job),
        }
    }

    /// One that was admitted is over: the next of its method is.
    pub(super) fn release(&mut self, lane: Option<usize>) {
        let Some(lane) = self.lane(lane) else {
            return;
        };
        match lane.held.pop_front() {
            Some(next) => {
                self.held -= 1;
                self.admitted.push_back(next);
            }
            None => lane.admitted -= 1,
        }
    }

    /// The next one in turn.
    pub(super) fn pop(&mut self) -> Option<J> {
        self.admitted.pop_front()
    }

    /// It is not its turn yet, after all.
    pub(super) fn put_back(&mut self, job: J) {
        self.admitted.push_front(job);
    }

    /// Takes out those that nobody waits for any more.
    pub(super) fn remove_dead(&mut self) -> Vec<J> {
        let mut dead = take_dead(&mut self.admitted);
        let admitted: Vec<_> = dead.iter().map(Waits::lane).collect();
        for lane in &mut self.lanes {
            let gone = take_dead(&mut lane.held);
            self.held -= gone.len();
            dead.extend(gone);
        }
        for lane in admitted {
            self.release(lane);
        }
        dead
    }

    /// Takes out all.
    pub(super) fn take(&mut self) -> Vec<J> {
        let mut all: Vec<J> = self.admitted.drain(..).collect();
        for job in &all {
            if let Some(lane) = job.lane().and_then(|lane| self.lanes.get_mut(lane)) {
                lane.admitted -= 1;
            }
        }
        for lane in &mut self.lanes {
            all.extend(lane.held.drain(..));
        }
        self.held = 0;
        all
    }
}

fn take_dead<J: Waits>(waiting: &mut VecDeque<J>) -> Vec<J> {
    if !waiting.iter().any(Waits::is_dead) {
        return Vec::new();
    }
    let (dead, alive): (Vec<_>, Vec<_>) = waiting.drain(..).partition(Waits::is_dead);
    *waiting = alive.into();
    dead
}

#[cfg(test)]
mod tests {
    use super::{Queue, Waits};
    use proptest::prelude::*;

    #[derive(Debug)]
    struct Job {
        number: usize,
        lane: Option<usize>,
        dead: bool,
    }

    impl Waits for Job {
        fn lane(&self) -> Option<usize> {
            self.lane
        }

        fn is_dead(&self) -> bool {
            self.dead
        }
    }

    #[derive(Clone, Debug)]
    enum Event {
        /// In the lane, if there is such a one; nobody may wait for it.
        Arrive(usize, bool),
        /// One of those that run.
        End(usize),
        Purge,
    }

    const PLACES: usize = 3;
    const LIMITS: [usize; 2] = [1, 2];

    proptest! {
        /// Limits hold, each method runs in order, nothing waits that could run, and nothing is lost.
        #[test]
        fn methods_keep_to_their_limits(events in prop::collection::vec(prop_oneof![
            5 => (0..4usize, prop::bool::weighted(0.2)).prop_map(|(lane, dead)| Event::Arrive(lane, dead)),
            4 => (0..PLACES).prop_map(Event::End),
            1 => Just(Event::Purge),
        ], 0..80)) {
            let mut queue = Queue::new(LIMITS.into_iter());
            let mut running: Vec<Job> = Vec::new();
            let (mut arrived, mut gone) = (0, 0);
            let mut last_run = [0; LIMITS.len() + 1];
            let ends = (0..200).map(|_| Event::End(0));
            for event in events.into_iter().chain(ends) {
                let next = match event {
                    Event::Arrive(lane, dead) => {
                        arrived += 1;
                        let lane = (lane < LIMITS.len()).then_some(lane);
                        let job = Job { number: arrived, lane, dead };
                        let admitted = queue.admit(lane);
                        if admitted && running.len() < PLACES {
                            Some(job)
                        } else {
                            queue.push(job, admitted);
                            None
                        }
                    }
                    Event::End(at) if at < running.len() => {
                        let ended = running.swap_remove(at);
                        gone += 1;
                        queue.release(ended.lane);
                        queue.pop()
                    }
                    Event::End(_) => None,
                    Event::Purge => {
                        gone += queue.remove_dead().len();
                        None
                    }
                };
                if let Some(job) = next {
                    let last = &mut last_run[job.lane.unwrap_or(LIMITS.len())];
                    prop_assert!(*last < job.number);
                    *last = job.number;
                    running.push(job);
                }
                prop_assert!(running.len() <= PLACES);
                let running_in = |lane| running.iter().filter(|job| job.lane == Some(lane)).count();
                for (lane, limit) in LIMITS.into_iter().enumerate() {
                    prop_assert!(running_in(lane) <= limit);
                }
                prop_assert_eq!(queue.len() + running.len() + gone, arrived);
                prop_assert!(queue.admitted.is_empty() || running.len() == PLACES);
            }
            prop_assert_eq!(gone, arrived);
        }
    }
}
