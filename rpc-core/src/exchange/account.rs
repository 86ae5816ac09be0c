//! What clients make a node hold: requests, messages that are arriving, and answers that wait. How much that may be, and how it is
//! shared out.
//!
//! There is one number for all of it. A link gets more as long as what it holds, what its peer holds over all links, and what all
//! peers hold are together no more than that. So one link may have a third of it, one peer half, and however many try to have
//! all, there is left for others what each of them has: who holds little is let in always.

use crate::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

/// How much a link takes of its account at a time, so that most requests do not touch what links share.
const STEP: usize = 64 * 1024;

/// What a request holds besides its bytes: the task that runs it, and the buffer that it arrived in with others.
pub(super) const REQUEST: usize = 36 * 1024;

/// How many requests a peer may have left behind before its new links are told from old ones.
const LEFT: usize = 64;

/// What all clients make a node hold.
#[derive(Debug)]
pub(super) struct Holdings {
    most: usize,
    held: AtomicUsize,
}

impl Holdings {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            held: AtomicUsize::new(0),
        })
    }

    /// An account for another peer.
    pub(super) fn open(self: &Arc<Self>) -> Arc<Account> {
        Arc::new(Account {
            all: Arc::clone(self),
            held: AtomicUsize::new(0),
            left: AtomicUsize::new(0),
        })
    }
}

/// What all links of one peer make a node hold. A transport that knows which links are of the same peer gives them the same.
#[derive(Debug)]
pub struct Account {
    all: Arc<Holdings>,
    held: AtomicUsize,
    /// How many requests are not over whose links are gone.
    left: AtomicUsize,
}

/// An account that nothing limits.
impl Default for Account {
    fn default() -> Self {
        Self {
            all: Holdings::new(usize::MAX),
            held: AtomicUsize::new(0),
            left: AtomicUsize::new(0),
        }
    }
}

impl Account {
    /// Takes more for a link that has so much. `false` if that would be too much.
    fn take(&self, link: usize, more: usize) -> bool {
        let grow =
            |held: &AtomicUsize| held.fetch_add(more, Ordering::Relaxed).saturating_add(more);
        let (peer, all) = (grow(&self.held), grow(&self.all.held));
        let together = link.saturating_add(more).saturating_add(peer);
        let fits = together.saturating_add(all) <= self.all.most;
        if !fits {
            self.give_back(more);
        }
        fits
    }

    fn give_back(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
        self.all.held.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// What one link makes its node hold.
#[derive(Debug)]
pub(super) struct Hold {
    account: Arc<Account>,
    /// What it has of the account.
    taken: usize,
    /// Requests that are not over, and what they hold.
    requests: usize,
    of_requests: usize,
    /// A message that has not arrived as a whole.
    of_arriving: usize,
    /// The link is gone.
    gone: bool,
}

impl Hold {
    pub(super) fn new(account: Arc<Account>) -> Self {
        Self {
            account,
            taken: 0,
            requests: 0,
            of_requests: 0,
            of_arriving: 0,
            gone: false,
        }
    }

    /// How many requests it holds.
    pub(super) fn requests(&self) -> usize {
        self.requests
    }

    /// Takes in a request, while so much waits to be written. `false` if it may not.
    #[must_use]
    pub(super) fn begin(&mut self, bytes: usize, waiting: usize) -> bool {
        self.of_requests += bytes;
        self.requests += 1;
        let fits = self.covers(waiting);
        if !fits {
            self.end(bytes);
        }
        fits
    }

    /// A request is over.
    pub(super) fn end(&mut self, bytes: usize) {
        self.of_requests -= bytes;
        self.requests -= 1;
        if self.gone {
            self.account.left.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// The link is gone: its requests run on, and it holds nothing else.
    pub(super) fn leave(&mut self) {
        self.of_arriving = 0;
        self.rest(0);
        if !std::mem::replace(&mut self.gone, true) {
            self.account
                .left
                .fetch_add(self.requests, Ordering::Relaxed);
        }
    }

    /// Whether its peer has left many requests behind.
    pub(super) fn left_many(&self) -> bool {
        self.account.left.load(Ordering::Relaxed) > LEFT
    }

    /// So much has come of a message that is arriving. `false` if it may not.
    #[must_use]
    pub(super) fn arriving(&mut self, bytes: usize, waiting: usize) -> bool {
        self.of_arriving = bytes;
        self.covers(waiting)
    }

    /// Whether so much may wait to be written besides.
    #[must_use]
    pub(super) fn covers(&mut self, waiting: usize) -> bool {
        let held = self.held(waiting);
        if held <= self.taken {
            return true;
        }
        let more = (held - self.taken).next_multiple_of(STEP);
        let fits = self.account.take(self.taken, more);
        if fits {
            self.taken += more;
        }
        fits
    }

    /// Gives back what is not needed any more. As much as is needed now is kept besides, for what comes next.
    pub(super) fn settle(&mut self, waiting: usize) {
        self.give_back_above(2 * self.held(waiting) + STEP);
    }

    /// Gives back what is not needed now.
    pub(super) fn rest(&mut self, waiting: usize) {
        self.give_back_above(self.held(waiting));
    }

    fn held(&self, waiting: usize) -> usize {
        self.of_requests + self.of_arriving + waiting
    }

    fn give_back_above(&mut self, kept: usize) {
        let kept = kept.next_multiple_of(STEP);
        if self.taken > kept {
            self.account.give_back(self.taken - kept);
            self.taken = kept;
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.account.give_back(self.taken);
    }
}

#[cfg(test)]
mod tests {
    use super::{Account, Hold, Holdings, STEP};
    use std::sync::Arc;
    use std::sync::atomic::Ordering;

    const MOST: usize = 600 * STEP;

    /// Takes in requests until one is refused. How much that is, in steps.
    fn fill(hold: &mut Hold) -> usize {
        let mut steps = 0;
        while hold.begin(STEP, 0) {
            steps += 1;
        }
        steps
    }

    fn link(account: &Arc<Account>) -> Hold {
        Hold::new(Arc::clone(account))
    }

    #[test]
    fn a_link_has_a_third_and_a_peer_half() {
        let all = Holdings::new(MOST);
        let account = all.open();
        let mut first = link(&account);
        assert_eq!(fill(&mut first), 200);
        drop(first);
        assert_eq!(all.held.load(Ordering::Relaxed), 0);
        let mut links: Vec<_> = (0..50).map(|_| link(&account)).collect();
        let filled: usize = links.iter_mut().map(fill).sum();
        assert!((250..=300).contains(&filled), "{filled}");
    }

    #[test]
    fn however_much_others_hold_who_holds_little_is_let_in() {
        let all = Holdings::new(MOST);
        let hostile: Vec<_> = (0..10).map(|_| all.open()).collect();
        let mut links: Vec<_> = hostile.iter().map(link).collect();
        // in turn, so that each has as much as the others
        let mut more = true;
        while more {
            let let_in = links.iter_mut().map(|hold| hold.begin(STEP, 0));
            more = let_in.filter(|let_in| *let_in).count() > 0;
        }
        for account in [&hostile[0], &all.open()] {
            let mut other = link(account);
            assert!(other.begin(STEP, 0), "a link of a peer");
            other.end(STEP);
        }
        assert!(all.held.load(Ordering::Relaxed) <= MOST);
    }

    #[test]
    fn what_is_over_is_given_back() {
        let all = Holdings::new(MOST);
        let mut hold = link(&all.open());
        assert!(hold.begin(10 * STEP, 0) && hold.arriving(STEP, 5 * STEP));
        assert_eq!(all.held.load(Ordering::Relaxed), 16 * STEP);
        hold.end(10 * STEP);
        hold.settle(5 * STEP);
        assert_eq!(all.held.load(Ordering::Relaxed), 13 * STEP);
        assert!(hold.arriving(0, 0));
        hold.rest(0);
        assert_eq!(all.held.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn what_links_leave_behind_is_known_until_it_is_over() {
        let account = Holdings::new(MOST).open();
        let (mut gone, stays) = (link(&account), link(&account));
        assert!((0..=super::LEFT).all(|_| gone.begin(1, 0)));
        assert!(!stays.left_many());
        gone.leave();
        gone.leave();
        assert!(stays.left_many());
        gone.end(1);
        assert!(!stays.left_many());
    }
}
