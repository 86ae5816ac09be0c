//! For tests, with the feature `testing`: the conformance suite, which says what every transport promises, one test a rule; and
//! [`lossy`], a network that breaks on purpose.
//!
//! A transport is right when the suite passes on it. Its author adds `rpc-core`, with the feature `testing`, to the
//! development dependencies, implements [`Network`], and calls [`conformance!`] in an integration test:
//!
//! ```
//! # mod file {
//! # use rpc_core::transport;
//! use rpc_core::Transport;
//! use rpc_core::testing::{Network, conformance};
//!
//! /// Pipes in the file system: each node has a path.
//! struct Pipes {
//!     listed: Vec<String>,
//! }
//!
//! impl Network for Pipes {
//!     async fn node(&self, options: &str) -> Transport {
//!         open(&format!("pipe://?listen=any&{options}"))
//!     }
//!
//!     fn list(&mut self, node: &Transport) {
//!         self.listed.extend(node.local_addr());
//!     }
//!
//!     fn list_absent(&mut self) -> String {
//!         let unused = String::from("/run/nobody");
//!         self.listed.push(unused.clone());
//!         unused
//!     }
//!
//!     async fn appear(&self, address: &str) -> Transport {
//!         open(&format!("pipe://?listen={address}"))
//!     }
//!
//!     async fn client(&self) -> Transport {
//!         open(&format!("pipe://{}", self.listed.join(",")))
//!     }
//! }
//! # fn open(_: &str) -> Transport { transport::memory("doc-conformance") }
//!
//! conformance!(Pipes { listed: Vec::new() });
//! # }
//! ```
//!
//! The expression is evaluated once for each rule, inside a Tokio runtime. Each rule is a test of its own, in a module by what it
//! is about, so `cargo test casts::` runs those about casts. A rule that hangs fails after 30 seconds.
//!
//! What a transport cannot do is excepted by name, with the reason: see [`conformance!`]. A rule that is excepted and holds fails.
//!
//! Which rules there are, and which behaviour of oslo.messaging each stands for, is in `docs/conformance.md`.

mod conformance;
pub mod lossy;
mod network;
mod probe;
mod run;
mod world;

pub use crate::conformance;
pub use network::{MemoryNetwork, Network};
pub use run::rules;

/// What [`conformance!`] expands to.
#[doc(hidden)]
pub fn __conform<N: Network>(network: impl FnOnce() -> N, rule: &str, exceptions: &[(&str, &str)]) {
    run::conform(network, rule, exceptions);
}

#[doc(hidden)]
pub fn __check_exceptions(exceptions: &[(&str, &str)]) {
    run::check_exceptions(exceptions);
}
