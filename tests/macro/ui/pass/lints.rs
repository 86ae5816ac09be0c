//! What the attribute generates is documented and gives no warning, also with clippy's pedantic lints.
#![deny(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    warnings
)]
#![deny(clippy::all, clippy::pedantic, clippy::indexing_slicing)]

/// The API is in a public module.
pub mod api {
    use rpc_core::{Context, Stream, rpc_api};
    use serde::{Deserialize, Serialize};

    /// What goes wrong.
    #[derive(Debug, Serialize, Deserialize)]
    pub enum ComputeError {
        /// No guest of this id.
        NoGuest,
    }

    /// Runs guests.
    #[rpc_api(version = "2.5", topic = "compute", namespace = "admin")]
    pub trait Compute {
        /// Reboots a guest.
        async fn reboot(&self, ctx: &Context, id: u64, name: String) -> Result<(), ComputeError>;

        /// Notes something down.
        #[rpc(cast, since = "2.1")]
        async fn note(&self, ctx: &Context, text: &str, data: &[u8], more: &[u16]);

        /// Forgets cached images.
        #[rpc(cast, fanout)]
        async fn drop_caches(&self, ctx: &Context);

        /// Lists the guests.
        #[rpc(multicall, since = "2.5", timeout = "10m")]
        fn guests(&self, ctx: &Context) -> impl Stream<Item = Result<u64, ComputeError>> + Send;

        /// Adds.
        #[must_use]
        #[rpc(timeout = "1500ms")]
        async fn add(&self, _ctx: &Context, a: u64, b: u64, _c: u64, d: u64, e: u64) -> u64 {
            a + b + d + e
        }

        /// Takes many arguments.
        #[expect(clippy::too_many_arguments)]
        async fn many(
            &self,
            ctx: &Context,
            a: u8,
            b: u8,
            c: u8,
            d: u8,
            e: u8,
            f: u8,
            g: u8,
        ) -> Option<u8>;
    }
}

mod private {
    use rpc_core::{Context, rpc_api};

    #[rpc_api(version = "1.0")]
    pub(crate) trait Inner {
        async fn index(&self, ctx: &Context, is_on: bool) -> bool;
        async fn other(&self, ctx: &Context, from: &u32) -> u32;
        #[rpc(timeout = "3600s")]
        async fn with_default(&self, _ctx: &Context) -> u32 {
            1
        }
    }

    #[rpc_api(version = "1.0")]
    trait Unused {
        async fn unused(&self, ctx: &Context);
    }

    #[rpc_api(version = "1.0")]
    pub(super) trait Empty {}
}

/// The service.
struct Node;

impl private::Inner for Node {
    async fn index(&self, _: &rpc_core::Context, is_on: bool) -> bool {
        !is_on
    }

    async fn other(&self, _: &rpc_core::Context, from: &u32) -> u32 {
        *from
    }
}

impl private::Empty for Node {}

fn main() {
    let client = private::InnerClient::local(Node);
    drop(client.index(&rpc_core::Context::new(), true));
    drop(private::EmptyDispatcher::new(Node));
}
