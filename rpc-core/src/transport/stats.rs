//! What a transport counts.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

macro_rules! counters {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        #[derive(Debug, Default)]
        pub(crate) struct TransportCounters {
            $(pub(crate) $name: AtomicU64,)*
        }

        impl TransportCounters {
            pub(crate) fn read(&self) -> TransportStats {
                TransportStats {
                    $($name: self.$name.load(Relaxed),)*
                }
            }
        }

        /// What a transport has counted since it was opened.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct TransportStats {
            $($(#[doc = $doc])* pub $name: u64,)*
        }
    };
}

counters! {
    /// Calls, casts, fanouts (one a server) and multicalls that clients of this transport have sent.
    requests_sent,
    /// Those that failed, other than by the method's own error.
    requests_failed,
    /// Requests that arrived for servers of this transport.
    requests_received,
    /// Frames that arrived, of either side.
    frames_received,
    /// Frames that break the protocol. They are answered or dropped, and logged.
    protocol_errors,
    /// Links that clients of this transport have made.
    links_made,
    /// Those that were lost.
    links_lost,
}
