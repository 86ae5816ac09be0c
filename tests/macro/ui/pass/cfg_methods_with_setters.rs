//! A method that is not there has no setters, and one that depends on a `cfg` has those of the one that is there.
#![deny(warnings)]
#![allow(unexpected_cfgs, clippy::non_minimal_cfg)]

use rpc_core::{Context, rpc_api};

#[rpc_api(version = "1.3")]
pub trait Sometimes {
    #[cfg(any())]
    #[rpc(since = "1.1", removed(gone: NoSuchType = no_such_value, until = "1.2"))]
    async fn never(
        &self,
        ctx: &Context,
        #[rpc(since = "1.2", default = NoSuchType::new())] value: NoSuchType,
    ) -> NoSuchType;
    #[cfg_attr(all(), cfg(any()))]
    #[rpc(multicall)]
    fn never_stream(
        &self,
        ctx: &Context,
        #[rpc(since = "1.2", default)] value: NoSuchType,
    ) -> impl rpc_core::Stream<Item = NoSuchType> + Send;
    #[cfg(all())]
    async fn always(&self, ctx: &Context, #[rpc(since = "1.2")] value: Option<u8>);
    #[cfg(not(any()))]
    async fn either(&self, ctx: &Context, #[rpc(since = "1.2")] this: Option<u8>) -> u32;
    #[cfg(any())]
    async fn either(&self, ctx: &Context, #[rpc(since = "1.3")] that: Option<u8>) -> u64;
    #[cfg_attr(all(), deprecated = "use `either`", cfg(all()))]
    #[rpc(cast)]
    async fn last(&self, ctx: &Context, #[rpc(since = "1.3")] value: Option<u8>);
}

fn calls(client: &SometimesClient) {
    let ctx = Context::new();
    drop(client.always(&ctx).value(1));
    drop(client.either(&ctx).this(1));
    #[expect(deprecated)]
    drop(client.last(&ctx).value(1));
}

#[expect(deprecated)]
type Last = SometimesLastCast;

fn main() {
    let _ = (calls, size_of::<Last>());
    let names: Vec<_> = sometimes_api::API
        .methods()
        .iter()
        .map(|method| method.name())
        .collect();
    assert_eq!(names, ["always", "either", "last"]);
}
