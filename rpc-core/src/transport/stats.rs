//! What a transport counts.

crate::counters::counters! {
    pub(crate) struct TransportCounters;

    /// What a transport has counted since it was opened.
    pub struct TransportStats {
        /// Calls, casts, fanouts (one a server) and multicalls that clients of this transport have sent.
        requests_sent,
        /// Those that failed, other than by the method's own error.
        requests_failed,
        /// Requests that arrived for servers of this transport.
        requests_received,
        /// Those that were refused because their client, or all clients, made the node hold as much as they may.
        requests_refused,
        /// Frames that arrived, of either side.
        frames_received,
        /// Frames that break the protocol. They are answered or dropped, and logged.
        protocol_errors,
        /// Links that clients of this transport have made.
        links_made,
        /// Those that were lost.
        links_lost,
        /// Clients that were refused, or whose connection was given up, for what they did or did not do: the log says what.
        clients_dropped,
    }
}
