//! No argument name is taken, neither for data nor for the context.
#![deny(warnings)]
#![allow(clippy::too_many_arguments)]

use rpc_core::{Context, Stream, rpc_api};

#[rpc_api(version = "1.0")]
pub trait Names {
    async fn one(
        &self,
        call: &Context,
        service: u8,
        incoming: u8,
        frame: u8,
        context: u8,
        self_: u8,
    ) -> u8;
    async fn two(
        &self,
        context: &Context,
        encode: u8,
        set: u8,
        core: u8,
        std: u8,
        rpc_core: u8,
    ) -> u8;
    #[rpc(cast)]
    async fn three(
        &self,
        frame: &Context,
        args: u8,
        ctx: &str,
        request: &[u8],
        items: u8,
        table: &[u8],
        run: u8,
    );
    #[rpc(multicall)]
    fn four(
        &self,
        items: &Context,
        names_api: u8,
        method: u8,
        client: u8,
    ) -> impl Stream<Item = u8> + Send;
    async fn five(&self, encode: &Context, pin: u8, new: u8, f: u8, drop: u8, module: u8) -> u8 {
        let _ = encode;
        pin + new + f + drop + module
    }
}

/// Data that is called as the context is.
pub mod data {
    #[derive(serde::Serialize, serde::Deserialize)]
    pub struct Context;
}

#[rpc_api(version = "1.0")]
pub trait Types {
    async fn one(&self, ctx: &Context, context: &data::Context) -> u8;
    async fn two(&self, call: &Call, ctx: &str) -> u8;
    async fn three(&self, call: &Call, ctx: u8) -> u8;
}

use Context as Call;

fn main() {}
