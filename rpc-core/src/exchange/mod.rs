//! What a transport over links shares with every other: ids, replies, acknowledgements, credit, cancellation, windows.
//!
//! This is for authors of transports. A transport that can carry frames from a client to an instance and back implements
//! [`Links`]; [`Exchange`] makes a [`Transport`](crate::Transport) of it. `memory` and ZeroMQ are such transports, and
//! share everything here.
//!
//! The suite in `rpc_core::testing` (feature `testing`) tells whether such a transport keeps all promises, with one macro call.
//!
//! No I/O happens here: frames that arrive are handed in ([`Outbound::receive`], [`Inbound::receive`]), and frames that
//! leave are asked for ([`ClientLink::next_frames`], [`ServerLink::next_frames`]). What the frames hold is in
//! `docs/wire-protocol.md`.
//!
//! | file | what it is about |
//! |---|---|
//! | `frame` | kinds, prefix and headers of frames |
//! | `ids` | maps by the id of a request |
//! | `outbox` | frames that wait to be written to one link |
//! | `link` | a client's end of a link: requests in flight, and who waits for them |
//! | `window` | the places for requests in flight, and the line for them |
//! | `in_flight` | a request that was sent, in the hands of whoever sent it |
//! | `alarm` | by when answers are waited for: one timer for all who wait |
//! | `waiting` | what an answer is to whoever waits for it |
//! | `routes` | which servers there are, and whose turn it is |
//! | `directory` | a directory that has to be asked: for which topics, and whether it has answered |
//! | `trouble` | when it is worth a line in the log that a directory fails |
//! | `topics` | the servers of each topic, put in and taken out node by node |
//! | `nodes` | the addresses of the directory, and which are linked |
//! | `settled` | whether they are linked, or were tried in vain: one look for all who wait |
//! | `rest` | links that are of no use for a long time, and when they are made again |
//! | `outbound` | links that come and go, and what arrives on them |
//! | `search` | who takes a message, and how long somebody is looked for |
//! | `request` | a message's way out: find a server, wait for a place, send, wait for the answer |
//! | `monitor` | the wait for the answer, as long as the server is heard of |
//! | `rights` | what the other end of a link may do |
//! | `fanout` | the same message to every server |
//! | `gather` | the same call to every server, and their answers |
//! | `survey` | which servers there are, and what they speak |
//! | `stream` | items that arrived and were not read yet |
//! | `peer` | an instance's end of a link: requests that run |
//! | `heartbeat` | when it says which of them are queued or running |
//! | `registration` | what a node tells a directory about itself |
//! | `execution` | one request at an instance: cancellation, credit, where the answer goes |
//! | `inbound` | a request's way in: find the server it is for |
//! | `account` | what clients make a node hold, and how much that may be |
//! | `driver` | the two halves as one transport |

mod account;
mod alarm;
mod directory;
mod driver;
mod execution;
mod fanout;
mod frame;
mod gather;
mod heartbeat;
mod ids;
mod in_flight;
mod inbound;
mod link;
mod monitor;
mod nodes;
mod outbound;
mod outbox;
mod peer;
mod registration;
mod request;
mod rest;
mod rights;
mod routes;
mod search;
mod settled;
mod stream;
mod survey;
mod topics;
mod trouble;
mod waiting;
mod window;

pub use account::Account;
pub use directory::TopicName;
pub use driver::{Exchange, Links};
pub(crate) use fanout::fanout;
pub use frame::PROTOCOL;
pub(crate) use gather::gather;
pub(crate) use heartbeat::SHORTEST_MONITOR;
pub use inbound::{Inbound, WINDOW_BYTES, WINDOW_REQUESTS};
pub use link::ClientLink;
pub use nodes::NodeId;
pub use outbound::Outbound;
pub use peer::ServerLink;
pub use registration::{RegisteredApi, RegisteredServer, Registration};
pub use rights::Rights;
pub(crate) use stream::{Batch, End, STREAM_CREDIT};
pub use trouble::{Reasons, Trouble};

#[cfg(all(test, shuttle))]
mod races;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
