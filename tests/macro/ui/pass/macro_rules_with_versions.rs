//! A trait that a macro writes, with versions, types, values and expressions from elsewhere.
#![deny(warnings)]

use rpc_core::{Context, rpc_api};
use std::borrow::Cow;

pub struct Instance {
    host: String,
}

macro_rules! api {
    ($name:ident, $method:ident, $arg:ident: $ty:ty, $since:literal, $default:expr, $pattern:pat, $from:ident, $host:expr) => {
        #[rpc_api(version = "1.3")]
        pub trait $name {
            #[rpc(removed(gone: u8 = $default, until = "1.2"), routing($from: &Instance), server = $host)]
            async fn $method(
                &self,
                ctx: &Context,
                $arg: u8,
                /// Set on the call.
                #[rpc(since = $since)]
                value: $ty,
                #[rpc(since = $since, default = $default)] other: u8,
                #[rpc(since = "1.1", values($pattern = "1.2"))] request: Option<u8>,
            );
        }
    };
}

mod own {
    use super::*;

    macro_rules! with_type {
        ($ty:ty) => {
            #[rpc_api(version = "1.3")]
            pub trait Other {
                async fn ask(&self, ctx: &Context, #[rpc(since = "1.3")] value: Option<$ty>);
            }
        };
    }

    with_type!(Cow<'_, str>);
}

api!(Compute, ask, instance_: Option<&str>, "1.3", 5, Some(9), instance, instance.host);

fn main() {
    let _ = |client: &ComputeClient, instance: &Instance| {
        drop(
            client
                .ask(&Context::new(), 1, instance)
                .value("a")
                .other(2)
                .request(3),
        );
    };
    let _ = |client: &own::OtherClient| drop(client.ask(&Context::new()).value(Cow::Borrowed("a")));
}
