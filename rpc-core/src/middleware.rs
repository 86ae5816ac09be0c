//! What stands around the messages of a client, and around the requests of a server: authentication, limits, logs, counters.
//!
//! A [`ClientMiddleware`] sees everything that a client sends and how it was answered, and may add to its context or refuse it. A
//! [`ServerMiddleware`] decides whether a request is taken in, before it is accepted, and runs around its handler. Both are
//! told of what `#[rpc_api]` knows: the method, its API, and the context. The guide has an example under *Context and
//! middleware*; the programs `authentication` and `metrics` are longer ones.
//!
//! Without a middleware, none of this costs anything.

pub use crate::client::{Answer, Answered, ClientMiddleware, Next, Outgoing};
pub use crate::server::{End, Ended, Handler, Received, ServerMiddleware};
/// What an `impl` of the two traits has above it.
pub use async_trait::async_trait;
