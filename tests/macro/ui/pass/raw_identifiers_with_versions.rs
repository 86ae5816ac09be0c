//! Keywords as the names of newer arguments, of those that are gone, and of parameters that are not sent.
#![deny(warnings)]
#![allow(non_camel_case_types)]

use rpc_core::{Context, rpc_api};

#[rpc_api(version = "1.1")]
pub trait r#async {
    #[rpc(removed(r#in: u8 = r#else, until = "1.1"), routing(r#else: u8))]
    async fn r#match(
        &self,
        r#ref: &Context,
        #[rpc(was(name = "x", until = "1.1"))] r#type: u8,
        #[rpc(since = "1.1", default)] r#fn: &[u8],
    ) -> u8;
}

fn main() {
    let _ = |client: &asyncClient| -> asyncMatchCall {
        client.r#match(&Context::new(), 1, 2).r#fn(b"3")
    };
    let args = async_api::API.methods()[0].args();
    let names: Vec<_> = args.iter().map(|arg| arg.name()).collect();
    assert_eq!(names, ["type", "fn", "in"]);
}
