//! A method that is not there is nowhere, and the numbers of the others fit.
#![deny(warnings)]
#![allow(unexpected_cfgs)]

use rpc_core::{Context, rpc_api};

#[rpc_api(version = "1.0")]
pub trait Sometimes {
    #[cfg(any())]
    async fn never(&self, ctx: &Context, value: NoSuchType) -> NoSuchType;
    #[cfg(all())]
    async fn always(&self, ctx: &Context, value: u32) -> u32;
    #[cfg_attr(all(), cfg(any()), doc = "Never.")]
    #[rpc(multicall)]
    fn never_stream(&self, ctx: &Context) -> impl rpc_core::Stream<Item = NoSuchType> + Send;
    #[cfg(not(any()))]
    async fn either(&self, ctx: &Context) -> u32;
    #[cfg(any())]
    async fn either(&self, ctx: &Context) -> u64;
    #[cfg_attr(all(), deprecated, cfg(all()))]
    #[rpc(cast)]
    async fn last(&self, ctx: &Context);
}

struct Node;

impl Sometimes for Node {
    async fn always(&self, _: &Context, value: u32) -> u32 {
        value
    }

    async fn either(&self, _: &Context) -> u32 {
        1
    }

    async fn last(&self, _: &Context) {}
}

fn main() {
    let names: Vec<_> = sometimes_api::API
        .methods()
        .iter()
        .map(|method| method.name())
        .collect();
    assert_eq!(names, ["always", "either", "last"]);
    let _ = SometimesDispatcher::new(Node);
}
