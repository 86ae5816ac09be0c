//! The seam between this crate and a ZeroMQ implementation: everything that touches a socket.
//!
//! An engine has two functions and four types:
//!
//! - `connect(&Address) -> (Sender, Receiver)`: a DEALER with one connection. `Sender::send(messages)` takes the frames that
//!   leave together, in one ZeroMQ message of one part a frame; `Receiver::receive()` gives the frames of the next message,
//!   and an error when the peer is gone.
//! - `bind(&Address) -> (Address, PeerSender, Listener)`: a ROUTER. `Listener::receive()` gives what happened: frames of a peer, or that
//!   one is gone; `PeerSender::send(&Peer, frames)` sends to one.
//!
//! Frames are opaque here. The engine in use is the `zeromq` crate.

mod zeromq;

pub(crate) use self::zeromq::{
    Event, Listener, Peer, PeerSender, Receiver, Sender, bind, connect, linger,
};
