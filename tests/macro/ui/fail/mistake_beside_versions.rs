//! One mistake, in a trait with all that there is.

use rpc_core::{Context, Stream, rpc_api};

#[rpc_api(version = "6.5", also = "5.13")]
pub trait Compute {
    #[rpc(
        timeout = "never",
        removed(force: bool = false, until = "6.0"),
        routing(host: &'static str),
        server = host
    )]
    async fn reboot(
        &self,
        ctx: &Context,
        /// How hard.
        #[rpc(was(name = "hardness", until = "6.0"), values(None = "5.3"))]
        hard: Option<u8>,
        #[rpc(since = "5.3")] soon: Option<bool>,
        /// Why.
        #[rpc(since = "6.1")]
        reason: Option<&str>,
        #[rpc(since = "6.2", default = 5, lossy)] times: u32,
        #[rpc(since = "6.2", default, positional)] quiet: bool,
    );
    #[rpc(cast, since = "6.1")]
    async fn note(&self, ctx: &Context, #[rpc(since = "6.3", default)] text: &str);
    #[rpc(multicall)]
    fn guests(
        &self,
        ctx: &Context,
        #[rpc(since = "6.3")] of: Option<u64>,
    ) -> impl Stream<Item = u64> + Send;
    #[cfg(unix)]
    async fn stop(&self, ctx: &Context, #[rpc(since = "6.4")] now: Option<bool>) -> bool;
    #[cfg(not(unix))]
    async fn stop(&self, ctx: &Context, #[rpc(since = "6.4")] now: Option<bool>) -> bool;
    #[rpc(until = "6.0")]
    async fn start(&self, ctx: &Context);
}

async fn uses(client: &ComputeClient) {
    let ctx = Context::new();
    let reason = String::from("it hangs");
    let call = client.reboot(&ctx, None, Some(true), false, "node-1");
    let _ = call.reason(&*reason).times(3).await;
    let _ = client.reboot(&ctx, None, None, true, "node-1").cast().await;
    let _ = client.note(&ctx).text(&reason).await;
    let _ = client.guests(&ctx).of(5);
    let _ = client.stop(&ctx).now(true).await;
    let _ = client.pin::<5, 4>().start(&ctx).await;
    let _ = client.at_least::<6, 2>();
    drop(ComputeClient::local(Node));
    drop(ComputeDispatcher::new(Node));
    let _ = &compute_api::API;
}

struct Node;

impl Compute for Node {
    async fn reboot(
        &self,
        _: &Context,
        _: Option<u8>,
        _: Option<bool>,
        _: Option<&str>,
        _: u32,
        _: bool,
    ) {
    }

    async fn note(&self, _: &Context, _: &str) {}

    fn guests(&self, _: &Context, _: Option<u64>) -> impl Stream<Item = u64> + Send {
        futures_util::stream::empty()
    }

    async fn stop(&self, _: &Context, now: Option<bool>) -> bool {
        now.is_some()
    }

    async fn start(&self, _: &Context) {}
}

fn main() {
    let _ = uses;
}
