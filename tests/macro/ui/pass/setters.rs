//! Newer arguments are set on what the method returns, under any name, in any type, on any kind of message.
#![deny(warnings)]
#![allow(clippy::too_many_arguments)]

use rpc_core::{Context, RpcError, Stream, rpc_api};
use std::borrow::Cow;
use std::fmt::Debug;

const DEFAULT: u8 = 3;

#[derive(Debug, Default, Clone, serde::Serialize, serde::Deserialize)]
pub struct Spec {
    value: u8,
}

#[rpc_api(version = "1.2")]
pub trait Names {
    async fn names(
        &self,
        request: &Context,
        call: u8,
        #[rpc(since = "1.1")] value: Option<u8>,
        #[rpc(since = "1.1")] request_: Option<u8>,
        #[rpc(since = "1.1")] pin: Option<u8>,
        #[rpc(since = "1.1", default = DEFAULT)] poll: u8,
        #[rpc(since = "1.1", default)] cx: u8,
        #[rpc(since = "1.1", default)] fmt: u8,
        #[rpc(since = "1.1", default)] self_: u8,
        #[rpc(since = "1.1", default)] into: u8,
        #[rpc(since = "1.1")] r#type: Option<u8>,
        #[rpc(since = "1.1", default, positional)] index: u8,
    ) -> u8;

    async fn request(
        &self,
        value: &Context,
        request: u8,
        #[rpc(since = "1.1", default, positional)] value_: u8,
        #[rpc(since = "1.1", default)] call: u8,
    );

    async fn types(
        &self,
        ctx: &Context,
        #[rpc(since = "1.1", default = "text")] text: &str,
        #[rpc(since = "1.1", default = String::from("text"))] owned_text: &str,
        #[rpc(since = "1.1", default)] bytes: &[u8],
        #[rpc(since = "1.1", default = [1, 2])] more_bytes: &[u8],
        #[rpc(since = "1.1", default = [1, 2])] numbers: &[u16],
        #[rpc(since = "1.1", default = vec![1, 2])] more_numbers: &[u16],
        #[rpc(since = "1.1", default = &[])] texts: &[&str],
        #[rpc(since = "1.1", default = Spec { value: 3 })] spec: &Spec,
        #[rpc(since = "1.1", default)] specs: &[Spec],
        #[rpc(since = "1.1")] maybe_text: Option<&str>,
        #[rpc(since = "1.1")] maybe_cow: Option<Cow<'_, str>>,
        #[rpc(since = "1.1", default = Cow::Borrowed("a"))] cow: Cow<'_, str>,
        #[rpc(since = "1.1")] maybe_spec: std::option::Option<Spec>,
        #[rpc(since = "1.1")] lent: &Option<u8>,
        #[rpc(since = "1.1", default = 1 << 40, lossy)] number: u64,
        #[rpc(since = "1.1", default = (1, "a".to_owned()))] pair: (u8, String),
    ) -> Result<(), String>;

    #[rpc(cast)]
    async fn send(&self, ctx: &Context, #[rpc(since = "1.2")] value: Option<u8>);
    #[rpc(cast, fanout)]
    async fn send_all(&self, ctx: &Context, #[rpc(since = "1.2")] value: Option<u8>);
    #[rpc(multicall)]
    fn list(
        &self,
        ctx: &Context,
        #[rpc(since = "1.2")] value: Option<u8>,
    ) -> impl Stream<Item = u8> + Send;
    /// What these return has names that neither the client nor a type of the user's has.
    async fn client(&self, ctx: &Context, #[rpc(since = "1.2")] value: Option<u8>);
    async fn dispatcher(&self, ctx: &Context, #[rpc(since = "1.2")] value: Option<u8>);
    async fn item(
        &self,
        ctx: &Context,
        #[rpc(since = "1.2")] value: Option<u8>,
    ) -> Result<NamesItem, String>;
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct NamesItem {
    value: u8,
}

fn is_call<T>(_: impl Future<Output = T> + Unpin + Send + Debug + 'static) {}
fn is_stream<T>(_: impl Stream<Item = T> + Unpin + Send + Debug + 'static) {}

fn calls(client: &NamesClient) {
    let ctx = Context::new();
    let names: NamesNamesCall = client.names(&ctx, 1, 2);
    let names = names
        .value(1)
        .request_(None)
        .pin(Some(3))
        .poll(4)
        .cx(5)
        .fmt(6);
    is_call(names.self_(7).into(8).r#type(9));
    is_call(client.request(&ctx, 1, 2).call(3).cast());
    let spec = Spec::default();
    let text = String::from("text");
    let types = client
        .types(&ctx)
        .text("a")
        .owned_text(&text)
        .bytes(b"a")
        .more_bytes(&[1])
        .numbers(&[1])
        .more_numbers(&[1])
        .texts(&["a"])
        .spec(&spec)
        .specs(std::slice::from_ref(&spec))
        .maybe_text("a")
        .maybe_text(None)
        .maybe_text(&*text)
        .maybe_cow(Cow::Borrowed(&*text))
        .cow(Cow::Borrowed(&text))
        .maybe_spec(spec)
        .lent(&Some(1))
        .number(5)
        .pair((1, text));
    is_call(types);
    is_call::<Result<(), RpcError>>(client.types(&ctx).cast());
    let cast: NamesSendCast = client.send(&ctx).value(1);
    is_call::<Result<(), RpcError>>(cast);
    let fanout: NamesSendAllFanout = client.send_all(&ctx).value(1);
    is_call(fanout);
    let multicall: NamesListMulticall = client.list(&ctx).value(1);
    is_stream(multicall);
    is_call(client.client(&ctx).value(1));
    is_call(client.dispatcher(&ctx).value(1));
    is_call(client.item(&ctx).value(1));
}

fn main() {
    let _ = calls;
    let defaults: Vec<_> = names_api::API.methods()[2]
        .args()
        .iter()
        .map(|arg| arg.default_bytes().unwrap().len())
        .collect();
    assert_eq!(defaults[..4], [5, 5, 2, 4]);
}
