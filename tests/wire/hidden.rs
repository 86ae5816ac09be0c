//! What a client may not call does not exist for it: not a byte differs.

use crate::raw::{CALL, CAST, Frame, MULTICALL, RawPeer, request_header};
use rpc_core::{
    ApiInfo, Context, Endpoint, MethodInfo, Peer, Server, ServerBuilder, Stream, Target, rpc_api,
};

mod whole {
    use super::{Context, Stream, rpc_api};

    #[rpc_api(version = "1.0", topic = "raw")]
    pub(super) trait Raw {
        async fn shown(&self, ctx: &Context);
        async fn hidden_call(&self, ctx: &Context);
        #[rpc(cast)]
        async fn hidden_cast(&self, ctx: &Context);
        #[rpc(multicall)]
        fn hidden_stream(&self, ctx: &Context) -> impl Stream<Item = u64> + Send;
    }
}

mod part {
    use super::{Context, rpc_api};

    #[rpc_api(version = "1.0", topic = "raw")]
    pub(super) trait Raw {
        async fn shown(&self, ctx: &Context);
    }
}

struct Silent;

impl whole::Raw for Silent {
    async fn shown(&self, _: &Context) {}
    async fn hidden_call(&self, _: &Context) {}
    async fn hidden_cast(&self, _: &Context) {}
    fn hidden_stream(&self, _: &Context) -> impl Stream<Item = u64> + Send {
        futures_util::stream::empty()
    }
}

impl part::Raw for Silent {
    async fn shown(&self, _: &Context) {}
}

/// What a server answers to every request that it should know nothing of.
async fn answers(
    endpoint: impl Endpoint,
    set: impl FnOnce(ServerBuilder) -> ServerBuilder,
) -> Vec<Frame> {
    let transport = rpc_zmq::connect("zmq://127.0.0.1:0").await.unwrap();
    let builder = Server::builder(transport.clone())
        .target(Target::topic("raw").server("node-1"))
        .endpoint(endpoint);
    let server = set(builder).start().await.unwrap();
    let mut raw = RawPeer::connect(&transport.local_addr().unwrap()).await;
    let mut answers = Vec::new();
    for draining in [false, true] {
        if draining {
            server.stop().await;
        }
        for kind in [CALL, CAST, MULTICALL] {
            for method in ["hidden_call", "hidden_cast", "hidden_stream"] {
                let id = answers.len() as u64 + 1;
                let header = request_header(method);
                raw.send_frame(&Frame::new(kind, id, &header, &[0x80]))
                    .await;
                answers.push(raw.receive().await);
            }
        }
    }
    assert_eq!(server.stats().refused, 18);
    answers
}

#[tokio::test]
async fn a_hidden_method_and_a_missing_one_get_the_same_bytes() {
    let policy = |_: &Peer, _: &ApiInfo, method: &MethodInfo| !method.name().starts_with("hidden");
    let hidden = answers(whole::RawDispatcher::new(Silent), |server| {
        server.access(policy)
    });
    let missing = answers(part::RawDispatcher::new(Silent), |server| server);
    let hidden = hidden.await;
    assert_eq!(hidden, missing.await);
    for answer in hidden {
        assert_eq!(answer.failure().0, "NoSuchMethod");
    }
}
