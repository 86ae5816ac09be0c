//! The support crate under another path, as a facade would show it.
#![deny(warnings)]

mod facade {
    pub mod rpc {
        pub use rpc_core::*;
    }
}

mod api {
    use crate::facade::rpc::{Context, rpc_api};

    #[rpc_api(version = "1.0", crate = "crate::facade::rpc")]
    pub trait InCrate {
        async fn ask(&self, ctx: &Context, text: &str) -> u32;
    }

    #[rpc_api(version = "1.0", crate = "rpc_core")]
    pub trait ByName {
        async fn ask(&self, ctx: &Context, text: &[String]) -> u32;
    }

    #[rpc_api(version = "1.0", crate = "::rpc_core")]
    pub trait Absolute {
        async fn ask(&self, ctx: &Context) -> u32;
    }
}

fn main() {
    assert_eq!(api::in_crate_api::API.name(), "InCrate");
    assert_eq!(api::by_name_api::API.name(), "ByName");
    assert_eq!(api::absolute_api::API.name(), "Absolute");
}
