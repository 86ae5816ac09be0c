//! The service that both sides have; its Python twin is `tests/python/service.py`.

use rpc_core::{Context, Stream, rpc_api};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Shape {
    Empty,
    Circle(u32),
    Line(u32, u32),
    Box { w: u32, h: u32 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Wrapped(u32);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Note {
    note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Deep {
    wrapped: Wrapped,
    list: Vec<Note>,
}

/// One value of every sort.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sample {
    nothing: (),
    yes: bool,
    small: u8,
    large: u64,
    negative: i64,
    wide: i128,
    huge: u128,
    narrow: i128,
    half: f32,
    real: f64,
    letter: char,
    text: String,
    bytes: Vec<u8>,
    no_bytes: Vec<u8>,
    fixed: [u8; 3],
    list: Vec<u32>,
    pair: (u8, String),
    names: BTreeMap<u32, String>,
    some: Option<u32>,
    none: Option<u32>,
    shapes: Vec<Shape>,
    good: Result<u8, String>,
    bad: Result<u8, String>,
    id: Uuid,
    at: IpAddr,
    lasts: Duration,
    deep: Deep,
}

impl Sample {
    /// The one that is sent.
    pub(crate) fn new() -> Self {
        Self {
            nothing: (),
            yes: true,
            small: 200,
            large: u64::MAX,
            negative: i64::MIN,
            wide: i128::from(i64::MIN) - 1,
            huge: u128::from(u64::MAX) + 1,
            narrow: -5,
            half: 1.5,
            real: -0.1,
            letter: 'é',
            text: "täglich\n".into(),
            bytes: (0..=255).collect(),
            no_bytes: Vec::new(),
            fixed: [1, 2, 200],
            list: vec![1, 2, 300],
            pair: (1, "a".into()),
            names: BTreeMap::from([(1, "a".into()), (300, "b".into())]),
            some: Some(7),
            none: None,
            shapes: vec![
                Shape::Empty,
                Shape::Circle(3),
                Shape::Line(1, 2),
                Shape::Box { w: 1, h: 2 },
            ],
            good: Ok(1),
            bad: Err("no".into()),
            id: Uuid::from_u128(0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8),
            at: Ipv6Addr::LOCALHOST.into(),
            lasts: Duration::from_millis(2500),
            deep: Deep {
                wrapped: Wrapped(5),
                list: vec![
                    Note { note: None },
                    Note {
                        note: Some("x".into()),
                    },
                ],
            },
        }
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Guest {
    pub(crate) id: u64,
    pub(crate) name: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum FindError {
    Locked,
    NotFound { id: u64 },
}

#[rpc_api(version = "1.2", topic = "interop")]
pub(crate) trait Interop {
    async fn add(&self, ctx: &Context, a: i64, b: i64) -> i64;

    /// The same sample back. The error names the fields that did not arrive as they were sent.
    async fn swap(&self, ctx: &Context, sample: &Sample) -> Result<Sample, Vec<String>>;

    async fn find(&self, ctx: &Context, id: u64) -> Result<Guest, FindError>;

    async fn metadata(&self, ctx: &Context) -> BTreeMap<String, String>;

    /// Microseconds until the deadline.
    async fn remaining(&self, ctx: &Context) -> Option<u64>;

    /// Never ends. Records `began NAME`, and `cancelled NAME` when it is cancelled.
    async fn wait(&self, ctx: &Context, name: &str);

    /// Ends when this was recorded so often.
    async fn happened(&self, ctx: &Context, what: &str, times: u32);

    async fn times(&self, ctx: &Context, what: &str) -> u32;

    async fn crash(&self, ctx: &Context);

    /// Records `note TEXT COLOR`; without a color, `None` is in its place.
    #[rpc(cast)]
    async fn note(&self, ctx: &Context, text: &str, #[rpc(since = "1.1")] color: Option<u8>);

    /// Records `everyone TEXT`.
    #[rpc(cast, fanout)]
    async fn everyone(&self, ctx: &Context, text: &str);

    /// The numbers below `to`, and `together` says how many are ready at once. Records `item` for each, and `closed`.
    #[rpc(multicall)]
    fn count(&self, ctx: &Context, to: u64, together: u64) -> impl Stream<Item = u64> + Send;

    #[rpc(multicall)]
    fn blobs(&self, ctx: &Context, size: u64, items: u64) -> impl Stream<Item = Vec<u8>> + Send;

    /// Numbers, and then an error.
    #[rpc(multicall)]
    fn breaks(
        &self,
        ctx: &Context,
        items: u64,
    ) -> impl Stream<Item = Result<u64, FindError>> + Send;

    #[rpc(since = "1.2")]
    async fn newest(&self, ctx: &Context) -> String;
}

/// Does what a server should not do, or seldom does. Only the Python side has it.
#[rpc_api(version = "1.0", topic = "interop", namespace = "trouble")]
pub(crate) trait Trouble {
    /// Answers by FAIL of this kind.
    async fn fail(&self, ctx: &Context, kind: &str);

    /// Answers by a frame of this kind.
    async fn answer(&self, ctx: &Context, kind: u8, header: &[u8], body: &[u8]);

    /// Sends frames that break every rule, and then the answer: how many.
    async fn scatter(&self, ctx: &Context) -> u64;

    /// An item, and then ITEMS that say `first` and `count` and have one.
    #[rpc(multicall)]
    fn miscount(&self, ctx: &Context, first: u64, count: u64) -> impl Stream<Item = u64> + Send;

    /// The server drains from now on.
    async fn drain(&self, ctx: &Context);

    /// How many frames broke a rule.
    async fn counted(&self, ctx: &Context) -> u64;
}
