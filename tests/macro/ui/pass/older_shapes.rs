//! What was otherwise in older versions: names, types, arguments, answers, and where a message goes.
#![deny(warnings)]

use rpc_core::{Context, rpc_api};
use serde::{Deserialize, Serialize};

/// An older type, from which there is no way back.
macro_rules! older {
    ($($old:ident: $new:ty;)*) => {$(
        #[derive(Debug, Serialize, Deserialize)]
        pub struct $old(String);

        impl From<&$new> for $old {
            fn from(new: &$new) -> Self {
                Self(format!("{new:?}"))
            }
        }

        impl TryFrom<$old> for <$new as ToOwned>::Owned {
            type Error = &'static str;

            fn try_from(old: $old) -> Result<Self, &'static str> {
                let _ = old;
                Err("it is too old")
            }
        }
    )*};
}

older! {
    OldSpec: Spec;
    OlderSpec: Spec;
    OldAnswer: Answer;
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Spec(u8);

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Answer(u8);

#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Block {
    Wait,
    Never(u8),
}

/// Where guests are.
#[derive(Debug)]
pub struct Instance {
    id: u64,
    host: String,
    node: Option<String>,
}

/// A name as it was once sent.
#[derive(Debug, Serialize, Deserialize)]
pub struct OldName(u64);

impl TryFrom<&str> for OldName {
    type Error = std::num::ParseIntError;

    fn try_from(name: &str) -> Result<Self, Self::Error> {
        name.parse().map(Self)
    }
}

impl From<OldName> for String {
    fn from(name: OldName) -> Self {
        name.0.to_string()
    }
}

/// Bytes, or a list, as they were once sent.
#[derive(Debug, Serialize, Deserialize)]
pub struct OldList(u64);

impl<T> From<&[T]> for OldList {
    fn from(list: &[T]) -> Self {
        Self(list.len() as u64)
    }
}

impl<T> From<OldList> for Vec<T> {
    fn from(_: OldList) -> Self {
        Self::new()
    }
}

#[rpc_api(version = "2.5", also = "1.4", aliases(first = "1.0", latest = "2.5"))]
pub trait Compute {
    #[allow(clippy::too_many_arguments)]
    #[rpc(
        removed(reservations: Option<Vec<u64>> = None, until = "1.3"),
        removed(value: u64 = instance.id, since = "1.1", until = "2.0"),
        removed(name: &str = &instance.host, until = "2.1"),
        removed(bytes: &[u8] = b"", until = "2.1"),
        removed(all: Vec<u8> = request, until = "2.1"),
        routing(instance: &Instance, request: Vec<u8>, unused: u8),
        server = instance.host,
    )]
    async fn was(
        &self,
        ctx: &Context,
        #[rpc(name = "instance", was(name = "instance_id", until = "1.2"))] id: u64,
        #[rpc(was(type = OlderSpec, until = "1.2"), was(type = OldSpec, until = "2.1"))]
        spec: &Spec,
        #[rpc(was(type = OldSpec, until = "2.1"))] call: Spec,
        #[rpc(was(type = OldName, until = "2.1"))] text: &str,
        #[rpc(was(type = OldList, until = "2.1"))] data: &[u8],
        #[rpc(was(type = OldList, until = "2.1"))] list: &[u16],
        #[rpc(since = "2.2", default = Spec(1), was(type = OldSpec, until = "2.3"))] newer: Spec,
    );

    #[rpc(
        returned(type = OldAnswer, until = "1.2", one_way),
        returned(type = OldAnswer, until = "2.3"),
        routing(host: String),
        server = host
    )]
    async fn answers(&self, ctx: &Context) -> Result<Answer, String>;

    #[rpc(returned(type = OldAnswer, until = "2.3", one_way), routing(host: Option<&str>), server = host)]
    async fn answers_newly(&self, ctx: &Context) -> Result<Answer, String>;

    #[rpc(routing(instance: Instance), server = instance.node)]
    async fn values(
        &self,
        ctx: &Context,
        #[rpc(values(None = "1.2", Some(Block::Never(_)) = "2.3"))] block: Option<Block>,
        #[rpc(values(Block::Never(7..=9) = "2.3"))] lent: &Block,
        #[rpc(values("wait" | "never" = "2.3"))] text: &str,
        #[rpc(values(Some("wait") = "2.3"))] maybe: Option<&str>,
        #[rpc(since = "2.1", values(Some(Block::Wait) = "2.3"))] newer: Option<Block>,
    );

    #[rpc(cast, server = format!("node-{id}"))]
    async fn sent(&self, ctx: &Context, id: u64);
}

fn calls(client: &ComputeClient) {
    let ctx = Context::new();
    let instance = Instance {
        id: 1,
        host: "host".into(),
        node: None,
    };
    drop(
        client
            .was(
                &ctx,
                1,
                &Spec(1),
                Spec(2),
                "a",
                b"a",
                &[1],
                &instance,
                vec![],
                1,
            )
            .newer(Spec(3)),
    );
    drop(client.answers(&ctx, "host".into()));
    drop(client.answers_newly(&ctx, Some("host")));
    drop(
        client
            .values(&ctx, None, &Block::Wait, "a", Some("b"), instance)
            .newer(Block::Wait)
            .cast(),
    );
    drop(client.sent(&ctx, 5));
}

fn main() {
    let _ = calls;
    let method = &compute_api::API.methods()[0];
    let names: Vec<_> = method.args().iter().map(|arg| arg.name()).collect();
    assert_eq!(names[..3], ["instance", "spec", "call"]);
    assert_eq!(
        names[7..],
        ["reservations", "value", "name", "bytes", "all"]
    );
}
