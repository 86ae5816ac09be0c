//! What generated code names. Not for anybody else: it changes without notice.

pub use crate::api::{ApiInfo, ArgInfo, MethodInfo, MethodKind, OldAnswer};
pub use crate::args::{DefaultBytes, Frame, OwnedArg, Slot, none};
pub use crate::client::{
    Call, CallOptions, Cast, Client, Dynamic, FanoutCast, Gather, Multicall, Older, Pinned,
    Prepared, Request, ServerName,
};
pub use crate::context::Context;
pub use crate::convert::{Conversion, In, Whole};
pub use crate::outcome::Outcome;
pub use crate::server::{Endpoint, Incoming, ItemSink, Reply, Running, encoder, older_answer};
pub use crate::transport::Transport;
pub use crate::version::Version;
pub use futures_core::Stream;
pub use serde;

/// What `#[derive(RemoteError)]` leans on.
pub mod remote {
    pub use crate::remote::{RemoteError, read, write};
}
