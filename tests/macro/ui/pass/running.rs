//! What can be said of how a method runs.

use futures_util::stream;
use rpc_core::{Context, Stream, rpc_api};
use std::time::Duration;

#[rpc_api(
    version = "2.5",
    namespace = "admin",
    legacy_namespaces("base", none)
)]
trait Compute {
    #[rpc(timeout = "10m", monitor = "60s")]
    async fn snapshot(&self, ctx: &Context, id: u64) -> bool;
    #[rpc(during_drain, no_cancel, blocking, monitor = "1500ms")]
    async fn finish(&self, ctx: &Context);
    #[rpc(cast, during_drain, blocking)]
    async fn note(&self, ctx: &Context);
    #[rpc(cast, fanout, blocking, during_drain)]
    async fn forget(&self, ctx: &Context);
    #[rpc(multicall, blocking, during_drain)]
    fn guests(&self, ctx: &Context) -> impl Stream<Item = u64> + Send;
}

struct Node;

impl Compute for Node {
    async fn snapshot(&self, _: &Context, id: u64) -> bool {
        id > 0
    }

    async fn finish(&self, _: &Context) {}

    async fn note(&self, _: &Context) {}

    async fn forget(&self, _: &Context) {}

    fn guests(&self, _: &Context) -> impl Stream<Item = u64> + Send {
        stream::empty()
    }
}

fn main() {
    let api = &compute_api::API;
    let namespaces: Vec<_> = api.namespaces().collect();
    assert_eq!(namespaces, [Some("admin"), Some("base"), None]);
    let [snapshot, finish, note, forget, guests] = api.methods() else {
        panic!("{api:?}");
    };
    assert_eq!(snapshot.monitor(), Some(Duration::from_secs(60)));
    assert!(!snapshot.is_during_drain() && !snapshot.is_no_cancel() && !snapshot.is_blocking());
    assert_eq!(finish.monitor(), Some(Duration::from_millis(1500)));
    assert!(finish.is_during_drain() && finish.is_no_cancel() && finish.is_blocking());
    for method in [note, forget, guests] {
        assert!(method.is_during_drain() && method.is_blocking());
        assert!(!method.is_no_cancel() && method.monitor().is_none());
    }
    let _ = ComputeDispatcher::new(Node);
    let _ = ComputeClient::local(Node);
}
