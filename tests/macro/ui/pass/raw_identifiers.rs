//! Keywords as the names of the trait, of methods and of arguments. On the wire they are without `r#`.
#![deny(warnings)]
#![allow(non_camel_case_types)]

use rpc_core::{Context, rpc_api};

#[rpc_api(version = "1.0")]
pub trait r#async {
    async fn r#type(&self, ctx: &Context, r#match: u32, r#in: &str) -> u32;
    #[rpc(cast)]
    async fn r#move(&self, r#ref: &Context, r#fn: &[u8]);
}

struct Node;

impl r#async for Node {
    async fn r#type(&self, _: &Context, r#match: u32, r#in: &str) -> u32 {
        let _ = r#in;
        r#match
    }

    async fn r#move(&self, _: &Context, _: &[u8]) {}
}

fn main() {
    fn names() -> Vec<&'static str> {
        async_api::API
            .methods()
            .iter()
            .map(|method| method.name())
            .collect()
    }
    assert_eq!(names(), ["type", "move"]);
    fn client(client: &asyncClient) {
        drop(client.r#type(&Context::new(), 1, "in"));
        drop(client.r#move(&Context::new(), b"fn"));
    }
    let _ = (client, asyncDispatcher::new(Node));
}
