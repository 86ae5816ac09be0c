//! What a server counts.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

crate::counters::counters! {
    pub(super) struct Counters;

    /// What a server has counted since it was started.
    pub struct ServerStats {
        @elsewhere {
            /// Requests that were accepted.
            accepted,
        }
        /// Requests that were refused: no such method or version, overload, draining.
        refused,
        /// Handlers that came to their end, whatever they answered.
        finished,
        /// Of these, the ones that answered with the method's own error.
        method_errors,
        /// Handlers that panicked.
        panicked,
        /// Requests whose arguments could not be decoded.
        undecodable,
        /// Requests that were cancelled by the caller, before they ran or in the middle.
        cancelled,
        /// Requests whose deadline passed before they ran.
        expired,
        /// Handlers that were dropped at the limit of a wait.
        cut_off,
        /// Requests that still waited at the limit of a wait, or when the runtimes of all that ran ended.
        not_run,
    }
}

/// Adds one.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
