//! What an instance says about itself on a link, how long the link is of use, and its end.

use super::{ClientLink, State};
use crate::exchange::frame::{self, Announcement, Kind};
use crate::exchange::waiting::Answer;
use crate::lock;
use crate::sync::MutexGuard;
use crate::wake::wake;
use std::sync::Arc;
use std::task::Waker;

/// An instance, and the key that it has proved.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    key: Option<Box<[u8]>>,
    instance: [u8; 16],
}

/// Keeps a link of use, until it is dropped.
#[derive(Debug)]
pub(crate) struct Kept(Arc<ClientLink>);

impl Drop for Kept {
    fn drop(&mut self) {
        lock(&self.0.state).kept -= 1;
    }
}

impl ClientLink {
    /// Whether the node may have this server.
    pub(crate) fn may_announce(&self, exchange: &str, topic: &str, server: &str) -> bool {
        let rights = self.rights.as_ref();
        rights.is_none_or(|rights| rights.may_announce(exchange, topic, server))
    }

    /// Who is there, if it is this instance: its id is no secret, so whoever has proved another key is another.
    pub(crate) fn identity(&self, instance: [u8; 16]) -> Identity {
        let rights = self.rights.as_ref();
        Identity {
            key: rights.map(|rights| rights.key().into()),
            instance,
        }
    }

    pub(crate) fn announced(&self) -> Option<Arc<Announcement>> {
        lock(&self.state).announced.clone()
    }

    /// Whether the instance has announced itself on it.
    #[must_use]
    pub fn was_announced(&self) -> bool {
        lock(&self.state).announced.is_some()
    }

    /// Takes what an instance said about itself; the window grows or shrinks by what changed.
    pub(crate) fn announce(&self, announcement: Announcement) {
        let window = announcement.window;
        let mut state = lock(&self.state);
        // nothing that goes by what was announced before is sent after this
        let writer = announcement.serial.and_then(|serial| {
            // one at a time waits, however often the node announces itself and whether it reads or not
            state.outbox.remove(Kind::Seen);
            state.outbox.push(frame::numbers(Kind::Seen, 0, [serial]))
        });
        state.announced = Some(Arc::new(announcement));
        drop(state);
        wake(writer);
        self.window.resize(window.requests, window.bytes);
    }

    /// From now on, the link is of use, although nothing may be in flight.
    pub(crate) fn keep(self: &Arc<Self>) -> Kept {
        lock(&self.state).kept += 1;
        Kept(Arc::clone(self))
    }

    /// Gives the link up if nothing is in flight on it, nothing waits to be written, and nobody keeps it.
    pub(crate) fn lose_unused(&self, reason: &str) -> bool {
        let state = lock(&self.state);
        let unused = state.kept == 0 && state.waiting.is_empty() && state.outbox.is_flushed();
        if unused {
            self.lose_now(state, reason);
        }
        unused
    }

    /// The link is gone: every request learns whether it was written.
    pub(crate) fn lose(&self, reason: &str) {
        self.lose_now(lock(&self.state), reason);
    }

    fn lose_now(&self, mut state: MutexGuard<'_, State>, reason: &str) {
        if state.lost.is_some() {
            return;
        }
        state.lost = Some(reason.to_owned());
        let line = self.window.close();
        let (unwritten, writer) = state.outbox.close();
        let mut then = Vec::new();
        state.waiting.retain(|id, in_flight| {
            let waiting = &mut in_flight.waiting;
            if !waiting.is_over() {
                // ids rise, and leave in that order
                then.push(waiting.end(match unwritten.binary_search(id) {
                    Ok(_) => Answer::Unwritten,
                    Err(_) => Answer::Lost(reason.to_owned()),
                }));
            }
            !waiting.is_done()
        });
        drop(state);
        wake(writer);
        line.into_iter().for_each(Waker::wake);
        for then in then {
            // it ends a stream, or wakes somebody
            let _ = then.run();
        }
    }

    /// Why the link is gone.
    pub(crate) fn loss(&self) -> Option<String> {
        lock(&self.state).lost.clone()
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.window.is_closed()
    }
}
