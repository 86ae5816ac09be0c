#![doc = include_str!("../guide/intro.md")]
#![doc = include_str!("../guide/semantics.md")]
#![doc = include_str!("../guide/errors.md")]
#![doc = include_str!("../guide/deadlines.md")]
#![doc = include_str!("../guide/context.md")]
#![doc = include_str!("../guide/versions.md")]
#![doc = include_str!("../guide/changing.md")]
#![doc = include_str!("../guide/limits.md")]
#![doc = include_str!("../guide/differences.md")]

// the rules of the suite are written as a user of this crate would
#[cfg(feature = "testing")]
extern crate self as rpc_core;

mod api;
mod args;
mod client;
mod codec;
mod context;
mod convert;
mod counters;
mod error;
pub mod exchange;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod history;
mod introspection;
mod log;
pub mod middleware;
mod name;
mod outcome;
mod peer;
mod remote;
mod server;
mod sync;
mod target;
#[cfg(feature = "testing")]
pub mod testing;
mod text;
pub mod transport;
mod version;
mod wake;

#[doc(hidden)]
pub mod __private;

pub use api::{ApiInfo, ArgInfo, MethodInfo, MethodKind, OldAnswer};
pub use client::{
    Call, CallOptions, Cast, Client, DEFAULT_TIMEOUT, Dynamic, Fanout, FanoutCast, FanoutError,
    FanoutIncomplete, Gather, IntoVersion, Multicall, Negotiate, Negotiated, Pinned, Setting,
    UnknownVersion, UntypedClient,
};
pub use codec::MAX_DEPTH;
pub use context::{
    Context, Entry, MAX_METADATA, MAX_METADATA_KEYS, Metadata, ParseRequestIdError, RequestId,
};
pub use error::{CallError, ErrorKind, MAX_TRACEBACK, Never, RpcError};
pub use futures_core::Stream;
pub use introspection::{ApiDescription, ArgDescription, Description, MethodDescription, Pong};
pub use outcome::Outcome;
pub use peer::Peer;
pub use rpc_macros::{RemoteError, rpc_api};
pub use server::{
    AccessPolicy, AllMethods, Endpoint, OnlyMethods, PublicMethods, Server, ServerBuilder,
    ServerStats, StartError, Stopped,
};
pub use target::Target;
pub use transport::{Transport, TransportStats, Transports};
pub use version::{ParseVersionError, Version};

use sync::lock;
