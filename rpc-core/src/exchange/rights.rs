//! What the other end of a link may do, where a transport knows who that is.

/// What the other end of a link may do. It is asked each time, so that rights can be taken away while the link is up.
pub trait Rights: Send + Sync + 'static {
    /// What it has proved who it is by. Links of one instance have the same.
    fn key(&self) -> &[u8];

    /// Whether a client may send to a topic, and is told of the servers there. To it, another topic looks as if nobody was on it.
    fn may_use(&self, exchange: &str, topic: &str) -> bool;

    /// Whether a node may have a server of this name. One that it must not have is not called there.
    fn may_announce(&self, exchange: &str, topic: &str, server: &str) -> bool;
}
