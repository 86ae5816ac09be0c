//! A trait that comes out of a macro, with everything in it a fragment.
#![deny(warnings)]

use rpc_core::{Context, Stream, rpc_api};

macro_rules! api {
    ($vis:vis $name:ident, $version:literal, $context:ty, $a:ident: $at:ty, $bytes:ty, $text:ty, $value:ty, $item:ty, $stream:ty) => {
        #[rpc_api(version = $version, topic = "made")]
        $vis trait $name {
            async fn call(&self, ctx: $context, $a: $at, bytes: $bytes, text: $text, more: &$at) -> $value;
            #[rpc(cast)]
            async fn cast(&self, context: $context, frame: $at) -> ();
            #[rpc(multicall)]
            fn items(&self, ctx: $context) -> impl Stream<Item = $item> + Send;
            #[rpc(multicall)]
            fn more(&self, ctx: $context) -> $stream;
            async fn default(&self, _ctx: $context, value: $value) -> $value {
                value
            }
        }
    };
}

api!(pub Made, "1.2", &Context, frame: Vec<u8>, &[u8], &str, Result<u32, String>, Option<u8>, impl Stream<Item = u8> + Send);

fn main() {
    assert_eq!(made_api::API.methods().len(), 5);
}
