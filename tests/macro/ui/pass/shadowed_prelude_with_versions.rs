//! What newer arguments and older shapes need is found whatever the module calls so.
#![allow(dead_code, non_camel_case_types, unused_imports)]

mod shadows {
    pub struct Option;
    pub struct Result;
    pub struct Box;
    pub struct Vec;
    pub struct String;
    pub struct Pin;
    pub struct Poll;
    pub struct PhantomData;
    pub struct Some;
    pub struct None;
    pub struct Dynamic;
    pub struct Pinned;
    pub struct Known;
    pub struct Info;
    pub struct Request;
    pub struct Version;
    pub struct str;
    pub struct u8;
    pub struct u16;
    pub struct usize;
    pub struct bool;
    pub trait Send {}
    pub trait Sync {}
    pub trait Sized {}
    pub trait Future {}
    pub trait Stream {}
    pub trait Default {}
    pub trait Debug {}
    pub trait From {}
    pub trait Into {}
    pub trait TryFrom {}
    pub trait Prepared {}
    pub const MAJOR: () = ();
    pub const MINOR: () = ();
    pub mod core {}
    pub mod std {}
    pub mod rpc_core {}

    /// Methods of everything, which would come before those that generated code means.
    pub trait Everything: ::core::marker::Sized {
        fn arg(self) {}
        fn form(self) {}
        fn came_with(self) {}
        fn server(self) {}
        fn request(self) {}
        fn call(self) {}
        fn call_with(self) {}
        fn cast(self) {}
        fn get(self) {}
        fn get_mut(self) {}
        fn into(self) {}
        fn from(self) {}
        fn decode(self) {}
        fn converted(self) {}
        fn version(self) {}
        fn poll(self) {}
        fn fmt(self) {}
        fn then(self) {}
        fn pin(self) {}
        fn is_at_least(self) {}
        fn to_vec(self) {}
        fn with_since(self) {}
        fn with_default(self) {}
        fn one_way(self) {}
    }

    impl<T> Everything for T {}
}

mod api {
    use super::shadows::*;
    use ::core::option::Option::{None as Nothing, Some as Something};
    use ::rpc_core::{Context, rpc_api};

    #[derive(::core::fmt::Debug, ::serde::Serialize, ::serde::Deserialize)]
    pub struct Now;
    #[derive(::core::fmt::Debug, ::serde::Serialize, ::serde::Deserialize)]
    pub struct Then;

    impl ::core::convert::From<&Now> for Then {
        fn from(_: &Now) -> Self {
            Self
        }
    }

    impl ::core::convert::From<Then> for Now {
        fn from(_: Then) -> Self {
            Self
        }
    }

    #[rpc_api(version = "2.3", also = "1.5")]
    pub trait Compute {
        #[rpc(
            since = "1.1",
            until = "2.3",
            removed(gone: ::core::option::Option<::core::primitive::u8> = Nothing, until = "1.4"),
            routing(host: ::std::string::String),
            server = &host,
            returned(type = Then, until = "2.1"),
            returned(type = Then, until = "1.3", one_way),
        )]
        async fn call(
            &self,
            ctx: &Context,
            #[rpc(was(type = Then, until = "2.1"), was(name = "b", until = "2.1"))] a: Now,
            #[rpc(values(Something(5) = "2.1"))] c: ::core::option::Option<::core::primitive::u32>,
            #[rpc(since = "2.2")] d: ::core::option::Option<::core::primitive::u32>,
            #[rpc(since = "2.2", default = Now, was(type = Then, until = "2.3"))] e: &Now,
            #[rpc(since = "2.2", default)] f: ::core::primitive::u8,
        ) -> ::core::result::Result<Now, Now>;
        async fn cast(
            &self,
            ctx: &Context,
            #[rpc(since = "2.2", default)] f: ::core::primitive::u8,
        );
        #[rpc(multicall)]
        fn multicall(
            &self,
            ctx: &Context,
            #[rpc(since = "2.2", default)] f: ::core::primitive::u8,
        ) -> impl ::rpc_core::Stream<Item = ::core::primitive::u32> + ::core::marker::Send;
    }
}

fn main() {
    fn calls(client: &api::ComputeClient) {
        let ctx = rpc_core::Context::new();
        let call = client.call(&ctx, api::Now, Some(5), "host".to_owned());
        drop(call.e(&api::Now).f(1));
        drop(client.cast(&ctx).f(1).cast());
        drop(client.pin::<2, 2>().multicall(&ctx).f(1));
        drop(client.at_least::<2, 2>());
    }
    let _ = calls;
}
