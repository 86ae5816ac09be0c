//! A network in one process that loses, delays, duplicates and reorders frames, and cuts links, by a seed.
//!
//! It is a transport as `memory` is, so everything above it is what runs between hosts. A test opens a transport for each node
//! and each client, sets what goes wrong, and compares what clients were told with what servers did. With tokio's paused clock
//! (`start_paused`) time costs nothing and is exact, and on one thread a seed gives the same run, but for what tokio itself
//! chooses at random.
//!
//! ```
//! # use rpc_core::{Context, Server, Target, rpc_api};
//! # use rpc_core::testing::lossy::{Faults, Network};
//! # use std::time::Duration;
//! #[rpc_api(version = "1.0", topic = "greeter")]
//! trait Greeter {
//!     async fn greet(&self, ctx: &Context, name: &str) -> String;
//! }
//!
//! struct Polite;
//!
//! impl Greeter for Polite {
//!     async fn greet(&self, _: &Context, name: &str) -> String {
//!         format!("Good day, {name}.")
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let network = Network::new(7, Faults::none().delay(Duration::from_millis(3)));
//! let server = Server::builder(network.transport("host-a"))
//!     .target(Target::new().server("node-1"))
//!     .endpoint(GreeterDispatcher::new(Polite))
//!     .start()
//!     .await?;
//! let client = GreeterClient::new(network.transport("host-b"));
//! assert_eq!(client.greet(&Context::new(), "Ada").await?, "Good day, Ada.");
//!
//! // from now on, every reply is lost
//! network.set_faults(Faults::none().loss(1.0).only(&[6]));
//! let client = client.prepare(|call| call.timeout(Duration::from_secs(1)));
//! let error = client.greet(&Context::new(), "Ada").await.unwrap_err();
//! assert!(error.rpc().unwrap().is_timeout());
//! assert_eq!(server.stats().finished, 2);
//! # Ok(()) }
//! ```
//!
//! The protocol is made for links that lose nothing but their end, as TCP's do. Where single frames get lost, it stays safe, but
//! not everything can be answered:
//!
//! | what happens to a frame | what comes of it |
//! |---|---|
//! | a request is lost, or is overtaken by a later one | it is not run: ids on a link only rise. Its caller gets `Timeout` |
//! | a request arrives twice | the second is dropped |
//! | an answer is lost | `Timeout`: it may have run |
//! | a CANCEL is lost, or overtakes its request | the handler runs to its end, and keeps its place at the server until then |
//! | items are lost, repeated or reordered | the stream fails as `DecodeReply`, after the items before |
//! | CREDIT is lost | the stream stands still until its consumer's timeout |
//! | ANNOUNCE is lost | the client goes by the one before; a link without any is dialled again |
//! | SEEN is lost | a server that stops waits for its whole limit |

mod faults;
mod links;
mod wire;

pub use faults::{Faults, NetworkStats};

use crate::exchange::Exchange;
use crate::transport::{OpenError, TransportUrl};
use crate::{Transport, lock};
use links::LossyLinks;
use std::fmt;
use std::sync::Arc;

/// Nodes and clients that see each other over links that lose frames.
///
/// Clones are the same network.
#[derive(Clone)]
pub struct Network(Arc<links::Shared>);

impl Network {
    /// A network of its own, in which these things go wrong, by this seed.
    #[must_use]
    pub fn new(seed: u64, faults: Faults) -> Self {
        Self(Arc::new(links::Shared::new(seed, faults)))
    }

    /// Opens a transport. A server that is started on it is found at this address, and takes it over from an earlier one: the links
    /// to that one are cut. Clients dial every address of the network.
    ///
    /// The links are tasks, so messages are sent inside a Tokio runtime.
    #[must_use]
    #[expect(
        clippy::missing_panics_doc,
        reason = "the URL has no options that could be wrong"
    )]
    pub fn transport(&self, address: &str) -> Transport {
        self.transport_with(address, "").expect("no options")
    }

    /// Opens a transport, with options of its node as a URL has them: `window=16&window_bytes=4096`.
    ///
    /// # Errors
    ///
    /// When they are no such options.
    pub fn transport_with(&self, address: &str, options: &str) -> Result<Transport, OpenError> {
        let url: TransportUrl = format!("lossy://?{options}").parse()?;
        url.only_options(&["window", "window_bytes"])?;
        Exchange::open(&url, LossyLinks::new(Arc::clone(&self.0), address))
    }

    /// From now on, these things go wrong, on all links.
    pub fn set_faults(&self, faults: Faults) {
        *lock(&self.0.faults) = faults;
    }

    /// Cuts every link to a node, now. What was on its way is lost. The clients dial again.
    pub fn cut(&self, address: &str) {
        self.0.address(address).send_modify(|node| node.cuts += 1);
    }

    /// Takes a node from the network, as if its process had been killed: its links are cut, and nobody reaches it any more.
    pub fn kill(&self, address: &str) {
        self.0.address(address).send_modify(|node| {
            node.cuts += 1;
            node.inbound = None;
        });
    }

    /// What has gone wrong up to now.
    #[must_use]
    pub fn stats(&self) -> NetworkStats {
        self.0.counters.read()
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("faults", &*lock(&self.0.faults))
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
