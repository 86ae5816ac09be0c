//! Setters, markers and pins are documented and give no warning, also with clippy's pedantic lints.
#![deny(
    missing_docs,
    missing_debug_implementations,
    rust_2018_idioms,
    single_use_lifetimes,
    unused_lifetimes,
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

    /// What guests are made of.
    #[derive(Debug, Default, Serialize, Deserialize)]
    pub struct Spec {
        /// Its name.
        pub name: String,
    }

    /// What guests were made of.
    #[derive(Debug, Serialize, Deserialize)]
    pub struct OldSpec {
        name: String,
    }

    impl From<&Spec> for OldSpec {
        fn from(spec: &Spec) -> Self {
            Self {
                name: spec.name.clone(),
            }
        }
    }

    impl From<OldSpec> for Spec {
        fn from(OldSpec { name }: OldSpec) -> Self {
            Self { name }
        }
    }

    /// Runs guests.
    #[rpc_api(version = "2.5", also = "1.3", aliases(zed = "2.4"), topic = "compute")]
    pub trait Compute {
        /// Reboots a guest.
        #[expect(clippy::too_many_arguments)]
        #[rpc(
            removed(force: bool = false, until = "2.1"),
            routing(host: Option<String>, unused: String),
            server = host,
            returned(type = OldSpec, until = "2.2")
        )]
        async fn reboot(
            &self,
            ctx: &Context,
            #[rpc(name = "guest", was(name = "id", until = "1.2"))] id: u64,
            #[rpc(was(type = OldSpec, until = "2.3"), values(Spec { .. } = "2.4"))] spec: Spec,
            /// Whether it is shut down first.
            #[rpc(since = "2.3")]
            clean_shutdown: Option<bool>,
            #[rpc(since = "2.4", default, lossy)] index: u64,
            #[rpc(since = "2.4", values(Some(_) = "2.5"))] is_on: Option<String>,
            #[rpc(since = "2.4", default)] lent: &Spec,
        ) -> Result<Spec, ComputeError>;

        /// Notes something down.
        #[must_use]
        #[rpc(until = "2.0")]
        async fn note(&self, ctx: &Context, text: String);

        /// Does it.
        async fn act(&self, ctx: &Context, #[rpc(since = "2.1")] value: Option<u8>);

        /// Forgets cached images.
        #[rpc(cast, fanout)]
        async fn drop_caches(&self, ctx: &Context, #[rpc(since = "2.1")] value: Option<u8>);

        /// Lists the guests.
        #[rpc(multicall, since = "1.2", timeout = "10m")]
        fn guests(
            &self,
            ctx: &Context,
            #[rpc(since = "2.1")] r#in: Option<u8>,
            #[rpc(since = "1.3", default)] limit: u8,
        ) -> impl Stream<Item = Result<u64, ComputeError>> + Send;
    }
}

mod private {
    use rpc_core::{Context, rpc_api};

    #[rpc_api(version = "1.1")]
    pub(crate) trait Inner {
        async fn index(&self, ctx: &Context, #[rpc(since = "1.1")] is_on: Option<bool>) -> bool;
    }

    #[rpc_api(version = "1.1", also = "0.1")]
    trait Unused {
        #[rpc(until = "1.0")]
        async fn unused(&self, ctx: &Context, #[rpc(since = "0.1", default)] unused: u8);
        #[rpc(since = "1.1")]
        async fn unused_too(&self, ctx: &Context);
    }
}

fn main() {
    let _ = |client: &private::InnerClient| drop(client.index(&rpc_core::Context::new()));
}
