//! Arguments may be borrowed, in every shape that one would write.
#![deny(warnings)]

use std::borrow::Cow;
use std::path::Path;

use rpc_core::{Context, Stream, rpc_api};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub struct Spec {
    name: String,
}

#[rpc_api(version = "1.0")]
pub trait Borrowing {
    async fn text(&self, ctx: &Context, text: &str, again: &'_ str) -> String;
    async fn bytes(&self, ctx: &Context, bytes: &[u8]) -> u64;
    async fn owner(&self, ctx: &Context, spec: &Spec, path: &Path, text: &String) -> u64;
    async fn list(
        &self,
        ctx: &Context,
        specs: &[Spec],
        names: &[&str],
        all: &[(u8, String)],
    ) -> u64;
    async fn inside(
        &self,
        ctx: &Context,
        name: Option<&str>,
        pair: (&str, u32),
        cow: Cow<'_, str>,
    ) -> u64;
    async fn deep_inside(
        &self,
        ctx: &Context,
        path: Option<&Path>,
        parts: &[(u8, &str, Option<&[u8]>)],
    ) -> u64;
    async fn outside(
        &self,
        ctx: &Context,
        name: &Option<&str>,
        twice: &&str,
        owned: Cow<'static, str>,
    ) -> u64;
    #[rpc(cast)]
    async fn cast(&self, ctx: &Context, text: &str, specs: &[Spec]);
    #[rpc(multicall)]
    fn items(
        &self,
        ctx: &Context,
        text: &str,
        spec: &Spec,
        bytes: &[u8],
    ) -> impl Stream<Item = u8> + Send;
}

fn main() {
    fn call(client: &BorrowingClient) {
        let spec = Spec {
            name: String::new(),
        };
        let call = {
            let (name, ctx) = (String::from("name"), Context::new());
            client.inside(&ctx, Some(&name), (&name, 1), Cow::Borrowed(&name))
        };
        // The arguments are gone; the call is not.
        drop(call);
        drop(client.list(&Context::new(), &[spec], &["a"], &[]));
    }
    let _ = call;
}
