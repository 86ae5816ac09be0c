//! Links that are of no use for a long time are closed, and their nodes rest. Such a node is dialled again now and then, since it may have
//! got a server that is of use; and at once, when everybody is needed who may have one.
//!
//! Of use is a link with something in flight, or whose node has a server of a topic that messages were sent to.

use super::Outbound;
use super::link::ClientLink;
use super::nodes::NodeId;
use crate::lock;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

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
        entry.resting = true;
        entry.called = false;
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
        table.nodes.get(&node).is_some_and(|node| node.twin)
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
