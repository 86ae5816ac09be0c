//! Code that works with any client that is new enough, or old enough, says so in its bounds.
#![deny(warnings)]

use rpc_core::{Context, rpc_api};

#[rpc_api(version = "6.1", also = "5.2")]
pub trait Compute {
    async fn always(&self, ctx: &Context, #[rpc(since = "6.1")] force: Option<bool>);
    #[rpc(since = "5.1", until = "6.0")]
    async fn old(&self, ctx: &Context);
    #[rpc(until = "6.1")]
    async fn older(&self, ctx: &Context);
    #[rpc(since = "6.1")]
    async fn newest(&self, ctx: &Context);
}

type Pinned<const MAJOR: u16, const MINOR: u16> = rpc_core::Pinned<MAJOR, MINOR>;

async fn anything<V>(client: &ComputeClient<V>) {
    let _ = client.always(&Context::new()).await;
}

async fn newest<V: compute_api::Since6_1>(client: &ComputeClient<V>) {
    anything(client).await;
    let _ = client.newest(&Context::new()).await;
    let _ = client.always(&Context::new()).force(true).await;
}

async fn old<V: compute_api::Since5_1 + compute_api::Until6_0>(client: &ComputeClient<V>) {
    let _ = client.old(&Context::new()).await;
    // what went later is still there
    let _ = client.older(&Context::new()).await;
}

async fn all(client: &ComputeClient) {
    newest(client).await;
    old(client).await;
    newest(&client.pin::<6, 1>()).await;
    old(&client.pin::<5, 1>()).await;
    let pinned: ComputeClient<Pinned<5, 2>> = client.pin::<5, 2>();
    old(&pinned).await;
    anything(&client.pin::<5, 0>()).await;
    // a pin is no one-way street: the cap stays where it is
    newest(&pinned.pin::<6, 1>()).await;
    if let Some(client) = client.at_least::<6, 1>() {
        newest(&client).await;
    }
}

struct Keeps<V = rpc_core::Dynamic> {
    client: ComputeClient<V>,
    call: Option<ComputeAlwaysCall<V>>,
}

impl<V> Keeps<V> {
    fn prepare(&mut self) {
        self.call = Some(self.client.always(&Context::new()));
    }
}

fn main() {
    let _ = (all, Keeps::<Pinned<6, 0>>::prepare);
}
