//! The module where the trait is has other things under the prelude's names, and modules named `core` and `std`.
#![allow(dead_code, non_camel_case_types, unused_imports)]

mod shadows {
    pub struct Option;
    pub struct Result;
    pub struct Box;
    pub struct Vec;
    pub struct String;
    pub struct Arc;
    pub struct Pin;
    pub struct PhantomData;
    pub struct Some;
    pub struct None;
    pub struct Ok;
    pub struct Err;
    pub struct Duration;
    pub struct Client;
    pub struct Request;
    pub struct Transport;
    pub struct Reply;
    pub struct str;
    pub struct usize;
    pub trait Send {}
    pub trait Sync {}
    pub trait Sized {}
    pub trait Future {}
    pub trait Default {}
    pub trait Clone {}
    pub trait Debug {}
    pub trait From {}
    pub trait FnOnce {}
    pub trait Drop {}
    pub fn drop() {}
    pub mod core {}
    pub mod std {}
    pub mod serde {}

    /// Methods of everything, which would come before those that generated code means.
    pub trait Everything: ::core::marker::Sized {
        fn open(self) {}
        fn args(self) {}
        fn required(self) {}
        fn bytes(self) {}
        fn get(self) {}
        fn methods(self) {}
        fn clone(self) {}
        fn prepare(self) {}
        fn field(self) {}
        fn finish(self) {}
        fn with_topic(self) {}
        fn call(self) {}
        fn arg(self) {}
    }

    impl<T> Everything for T {}
}

mod api {
    use super::shadows::*;
    use ::rpc_core::{Context, rpc_api};

    // As types of arguments, these must stay what they are here.
    #[derive(::serde::Serialize, ::serde::Deserialize)]
    pub struct S;
    #[derive(::serde::Serialize, ::serde::Deserialize)]
    pub struct V;

    #[rpc_api(version = "1.3", topic = "t", namespace = "n")]
    pub trait Compute {
        #[rpc(since = "1.1", timeout = "1s")]
        async fn call(
            &self,
            ctx: &Context,
            a: &[u8],
            b: &[u16],
            c: &S,
            d: V,
        ) -> ::core::result::Result<u32, u64>;
        #[rpc(cast)]
        async fn cast(&self, ctx: &Context, a: ::std::string::String);
        #[rpc(cast, fanout)]
        async fn fanout(&self, ctx: &Context);
        #[rpc(multicall)]
        fn multicall(
            &self,
            ctx: &Context,
        ) -> impl ::rpc_core::Stream<Item = u32> + ::core::marker::Send;
        async fn default(&self, _ctx: &Context) -> u32 {
            1
        }
    }
}

fn main() {
    fn new(transport: rpc_core::Transport) {
        let client = api::ComputeClient::new(transport);
        drop(client.call(&rpc_core::Context::new(), &[1], &[2], &api::S, api::V));
    }
    let _ = new;
}
