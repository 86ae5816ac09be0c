//! Links that are of no use for a long time are closed, and their nodes rest. Such a node is dialled again now and then, since it may have
//! got a server that is of use; and at once, when everybody is needed who may have one.
//!
//! Of use is a link with something in flight, or on which a gather is going to ask, or whose node has a server of a topic that messages were
//! sent to.

use super::Outbound;
use super::link::ClientLink;
use super::nodes::{NodeId, Nodes};
use super::routes::work;
use crate::{Target, lock};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

impl Nodes {
    /// Everybody who may have servers of this topic is needed: whoever rests is to be dialled.
    pub(super) fn need(&mut self, target: &Target) {
        if let Some(directory) = &mut self.directory {
            directory.want(target);
        }
        if self.idle.is_none() {
            return;
        }
        let now = Instant::now();
        if !self.is_needed_anew(target, now) {
            return;
        }
        let mut call = false;
        for node in self.nodes.values_mut() {
            work::count();
            if node.may_have(target) {
                node.used = now;
                node.called |= node.resting || node.twin.is_some();
                call |= node.called;
            }
        }
        if call {
            self.calls.notify_waiters();
        }
    }
}

impl Outbound {
    /// Links that were of no use for so long need not be kept. Without this, all are.
    pub fn set_idle(&self, idle: Duration) {
        let mut table = lock(&self.table);
        table.idle = Some(idle);
        table.routes.unused = idle;
    }

    /// Closes the link of a node if it was of no use for long enough. `true` if so: it is no loss, and
    /// [`link_down`](Self::link_down) is not called. From then on the node rests.
    #[must_use]
    pub fn rest(&self, node: NodeId, link: &Arc<ClientLink>) -> bool {
        let mut table = lock(&self.table);
        let used = table.routes.used(node);
        let (Some(idle), Some(entry)) = (table.idle, table.nodes.get_mut(&node)) else {
            return false;
        };
        let current = entry.link.as_ref();
        if !current.is_some_and(|current| Arc::ptr_eq(current, link)) {
            return false;
        }
        let now = Instant::now();
        entry.used = entry.used.max(used.unwrap_or(entry.used));
        if now.saturating_duration_since(entry.used) < idle {
            return false;
        }
        if !link.lose_unused("it was of no use") {
            entry.used = now;
            return false;
        }
        if let Some(entry) = table.change(node) {
            entry.resting = true;
            entry.called = false;
        }
        table.unlink(node);
        drop(table);
        tracing::debug!(name: "rpc.link.rests", address = %link.address(), "the link to a node was of no use, and is closed");
        self.changed.notify_waiters();
        true
    }

    /// Whether an address leads to an instance that is linked by another.
    #[must_use]
    pub fn is_twin(&self, node: NodeId) -> bool {
        let table = lock(&self.table);
        let node = table.nodes.get(&node);
        node.is_some_and(|node| table.is_twin(node))
    }

    /// Waits until a node that rests, or is a twin, is needed. Cancel safe.
    pub async fn called(&self, node: NodeId) {
        let calls = Arc::clone(&lock(&self.table).calls);
        loop {
            let mut call = std::pin::pin!(calls.notified());
            // from here on, no call is missed
            call.as_mut().enable();
            if self.is_called(node) {
                return;
            }
            call.await;
        }
    }

    fn is_called(&self, node: NodeId) -> bool {
        let mut table = lock(&self.table);
        let entry = table.nodes.get_mut(&node);
        entry.is_none_or(|node| std::mem::take(&mut node.called))
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::Kind;
    use super::super::routes::tests::{self, announce, announcement};
    use super::super::routes::{Route, Wanted};
    use super::super::settled::Settled;
    use super::super::tests::request;
    use super::*;
    use crate::Version;
    use futures_util::FutureExt;
    use tokio::time::advance;

    const IDLE: Duration = Duration::from_secs(60);

    fn outbound() -> Outbound {
        let outbound = Outbound::default();
        outbound.set_idle(IDLE);
        outbound
    }

    /// Links a node, and writes what is to be written to it.
    fn linked(
        outbound: &Outbound,
        instance: u32,
        services: &[(&str, &str)],
    ) -> (NodeId, Arc<ClientLink>) {
        let (node, link) = tests::linked(outbound, instance, services);
        write(&link);
        (node, link)
    }

    fn write(link: &ClientLink) {
        while !link.is_flushed() {
            let _ = link.next_frames(&mut Vec::new(), 100).now_or_never();
        }
    }

    /// A message is sent to this topic, if somebody is there.
    fn used(outbound: &Outbound, topic: &str) {
        let wanted = Wanted {
            exchange: "",
            topic,
            namespace: None,
            version: Version::new(1, 0),
            bytes: 1,
            sent: Instant::now(),
        };
        lock(&outbound.table).routes.in_turn(wanted, &[]).unwrap();
    }

    fn settled(outbound: &Outbound) -> bool {
        lock(&outbound.table).all_settled(&Target::topic("t"), &Settled::default())
    }

    fn is_called(outbound: &Outbound, node: NodeId) -> bool {
        outbound.called(node).now_or_never().is_some()
    }

    #[tokio::test(start_paused = true)]
    async fn a_link_rests_when_none_of_its_topics_was_used_for_long_enough() {
        let outbound = outbound();
        let (a, to_a) = linked(&outbound, 1, &[("t", "a"), ("u", "a")]);
        let (b, to_b) = linked(&outbound, 2, &[("u", "b")]);
        advance(IDLE / 2).await;
        used(&outbound, "t");
        advance(IDLE / 2).await;
        assert!(!outbound.rest(a, &to_a) && outbound.rest(b, &to_b));
        assert!(to_b.is_lost() && !to_a.is_lost());
        assert_eq!(outbound.counters.read().links_lost, 0);
        advance(IDLE / 2).await;
        assert!(outbound.rest(a, &to_a));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_rests_unless_it_may() {
        let outbound = Outbound::default();
        let (a, to_a) = linked(&outbound, 1, &[("t", "a")]);
        advance(1000 * IDLE).await;
        assert!(!outbound.rest(a, &to_a));
    }

    #[tokio::test(start_paused = true)]
    async fn a_link_with_something_in_flight_does_not_rest() {
        let outbound = outbound();
        let (a, link) = linked(&outbound, 1, &[("t", "a")]);
        let place = link.window.try_place(1).unwrap();
        let route = Route::first_of(&link);
        let (in_flight, _) = link
            .send(place, &route, Kind::Call, request(), None, None)
            .unwrap();
        write(&link);
        advance(2 * IDLE).await;
        assert!(!outbound.rest(a, &link));
        drop(in_flight);
        // what cancels it has to be written, and a link that was of use is kept for as long as any
        advance(2 * IDLE).await;
        assert!(!outbound.rest(a, &link));
        write(&link);
        assert!(!outbound.rest(a, &link));
        advance(IDLE).await;
        assert!(outbound.rest(a, &link));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_rests_is_called_and_waited_for_when_everybody_is_needed() {
        let outbound = outbound();
        let (a, link) = linked(&outbound, 1, &[("u", "a")]);
        assert!(settled(&outbound));
        advance(IDLE).await;
        assert!(outbound.rest(a, &link));
        // it may have got a server of any topic since
        assert!(!settled(&outbound) && !is_called(&outbound, a));
        lock(&outbound.table).need(&Target::topic("t"));
        assert!(!settled(&outbound) && is_called(&outbound, a));
        assert!(!is_called(&outbound, a), "once");
        let link = outbound.link_up(a, None);
        assert!(!settled(&outbound));
        announce(&outbound, a, &link, &announcement(1, &[("u", "a")]));
        write(&link);
        assert!(settled(&outbound));
        // it was needed just now
        advance(IDLE / 2).await;
        assert!(!outbound.rest(a, &link));
        advance(IDLE / 2).await;
        assert!(outbound.rest(a, &link));
        outbound.dial_failed(a, "refused");
        assert!(settled(&outbound));
    }

    #[tokio::test(start_paused = true)]
    async fn a_topic_that_is_used_anew_calls_whoever_rests() {
        let outbound = outbound();
        linked(&outbound, 1, &[("t", "a"), ("u", "a")]);
        let (b, link) = linked(&outbound, 2, &[("t", "b")]);
        used(&outbound, "t");
        used(&outbound, "u");
        lock(&outbound.table).routes.used_anew = false;
        advance(IDLE).await;
        assert!(outbound.rest(b, &link));
        let used_anew = || lock(&outbound.table).routes.used_anew;
        used(&outbound, "u");
        assert!(!used_anew());
        advance(Duration::from_secs(1)).await;
        used(&outbound, "t");
        assert!(used_anew());
    }
}
