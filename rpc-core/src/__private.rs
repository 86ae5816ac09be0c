//! What generated code names. Not for anybody else: it changes without notice.

pub use crate::api::{ApiInfo, ArgInfo, MethodInfo, MethodKind};
pub use crate::args::{Frame, OwnedArg, Slot};
pub use crate::client::{Call, CallOptions, Cast, Client, Dynamic, FanoutCast, Multicall, Request};
pub use crate::context::Context;
pub use crate::outcome::Outcome;
pub use crate::server::{Endpoint, Incoming, ItemSink, Reply, Running, encoder};
pub use crate::transport::Transport;
pub use crate::version::Version;
