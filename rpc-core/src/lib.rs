#![doc = include_str!("../guide/intro.md")]
#![doc = include_str!("../guide/semantics.md")]
#![doc = include_str!("../guide/errors.md")]
#![doc = include_str!("../guide/deadlines.md")]
#![doc = include_str!("../guide/versions.md")]
#![doc = include_str!("../guide/changing.md")]
#![doc = include_str!("../guide/limits.md")]
#![doc = include_str!("../guide/differences.md")]

mod api;
mod args;
mod client;
mod codec;
mod context;
mod convert;
mod counters;
mod error;
pub mod exchange;
pub mod history;
mod introspection;
mod log;
mod outcome;
mod peer;
mod server;
mod sync;
mod target;
#[cfg(feature = "testing")]
pub mod testing;
mod text;
pub mod transport;
mod version;

#[doc(hidden)]
pub mod __private;

pub use api::{ApiInfo, ArgInfo, MethodInfo, MethodKind, OldAnswer};
pub use client::{
    Call, CallOptions, Cast, Client, DEFAULT_TIMEOUT, Dynamic, Fanout, FanoutCast, FanoutError,
    FanoutIncomplete, IntoVersion, Multicall, Negotiate, Negotiated, Pinned, UnknownVersion,
};
pub use codec::MAX_DEPTH;
pub use context::{Context, MAX_METADATA};
pub use error::{CallError, ErrorKind, Never, RpcError};
pub use futures_core::Stream;
pub use introspection::{ApiDescription, ArgDescription, Description, MethodDescription, Pong};
pub use outcome::Outcome;
pub use peer::Peer;
pub use rpc_macros::rpc_api;
pub use server::{Endpoint, Server, ServerBuilder, ServerStats, StartError, Stopped};
pub use target::Target;
pub use transport::{Transport, TransportStats, Transports};
pub use version::{ParseVersionError, Version};

use sync::lock;
