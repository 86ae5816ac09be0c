//! A gather is written as a call is, and what its client's method returns is a stream.

use rpc_core::{CallError, Context, Gather, Never, Stream, rpc_api};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub struct Percent(u64);

impl From<u64> for Percent {
    fn from(value: u64) -> Self {
        Self(value)
    }
}

impl From<&Percent> for u64 {
    fn from(Percent(value): &Percent) -> Self {
        *value
    }
}

#[rpc_api(version = "2.5")]
pub trait Compute {
    /// How busy each node is.
    #[rpc(gather, returned(type = u64, until = "2.4"), timeout = "5s")]
    async fn load(&self, ctx: &Context, #[rpc(since = "2.3")] cpu: Option<u32>) -> Result<Percent, String>;

    #[rpc(gather, since = "2.1", name = "up")]
    async fn r#type(&self, ctx: &Context, of: &str) -> bool;

    /// A cast with an argument that is set has the ways of every cast.
    #[rpc(cast)]
    async fn note(&self, ctx: &Context, #[rpc(since = "2.3")] text: Option<String>);
}

struct Node;

impl Compute for Node {
    async fn load(&self, _: &Context, _: Option<u32>) -> Result<Percent, String> {
        Ok(Percent(1))
    }

    async fn r#type(&self, _: &Context, of: &str) -> bool {
        of.is_empty()
    }

    async fn note(&self, _: &Context, _: Option<String>) {}
}

fn streams(_: &(impl Stream<Item = (String, Result<Percent, CallError<String>>)> + Unpin + Send)) {}

fn main() {
    let client = ComputeClient::local(Node);
    let ctx = Context::new();
    streams(&client.load(&ctx).cpu(3));
    let one: Gather<bool> = client.r#type(&ctx, "x");
    drop(one);
    drop(client.note(&ctx).text("x".to_owned()).fanout());
    let _: Option<CallError<Never>> = None;
}
