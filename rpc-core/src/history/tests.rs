//! Real traits: what is made up for types of every kind.

use super::extend::extended;
use super::shape::Golden;
use crate::codec::{Reader, Token};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

/// A message, readable.
fn shown(reader: &mut Reader<'_>) -> String {
    match reader.token().unwrap() {
        Token::Nil => "nil".into(),
        Token::Bool(v) => v.to_string(),
        Token::Unsigned(v) => v.to_string(),
        Token::Signed(v) => v.to_string(),
        Token::F32(v) => v.to_string(),
        Token::F64(v) => v.to_string(),
        Token::Str(v) => v.into(),
        Token::Bin(v) => format!("bin{v:?}"),
        Token::Array(len) => {
            let items: Vec<String> = (0..len).map(|_| shown(reader)).collect();
            format!("[{}]", items.join(" "))
        }
        Token::Map(len) => {
            let pair = |reader: &mut Reader<'_>| format!("{}={}", shown(reader), shown(reader));
            let entries: Vec<String> = (0..len).map(|_| pair(reader)).collect();
            format!("{{{}}}", entries.join(" "))
        }
    }
}

macro_rules! made {
    ($($ty:ty),* $(,)?) => {{
        let mut made = Vec::new();
        $({
            #[crate::rpc_api(version = "1.0", crate = "crate")]
            trait One {
                #[rpc(cast)]
                async fn take(&self, ctx: &crate::Context, it: $ty);
            }
            struct Nobody;
            impl One for Nobody {
                async fn take(&self, _: &crate::Context, _: $ty) {
                    panic!("the method is never run");
                }
            }
            let endpoint = OneDispatcher::new(Nobody);
            let history = extended(None, &endpoint);
            let [(_, golden)] = &history.methods[0].golden[..] else { panic!("{history}") };
            let text = match golden {
                Golden::Bytes(bytes) => shown(&mut Reader::new(bytes)),
                Golden::None(reason) => format!("none: {reason}"),
            };
            made.push(format!("{}: {text}", stringify!($ty)));
        })*
        made
    }};
}

#[derive(Serialize, Deserialize)]
struct Guest {
    id: uuid::Uuid,
    #[serde(rename = "what", alias = "kind")]
    kind: Kind,
    parent: Option<Box<Guest>>,
    children: Vec<Guest>,
    #[serde(default)]
    tags: HashMap<String, u32>,
}

#[derive(Serialize, Deserialize)]
enum Kind {
    Nested(Box<Kind>),
    Both(Box<Kind>, Box<Kind>),
    Sized { size: f32, name: String },
    Plain,
}

#[derive(Serialize, Deserialize)]
enum Only {
    Sized { size: f32, bytes: Vec<u8> },
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
enum Tagged {
    Disk {
        path: String,
        size: u64,
        by: uuid::Uuid,
    },
    Net,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    Disk(u8, String),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Disk { path: String, size: Inner },
    Other { name: bool },
}

#[derive(Serialize, Deserialize)]
struct Inner {
    inside: Vec<i8>,
}

#[derive(Serialize, Deserialize)]
struct Flat {
    own: char,
    #[serde(flatten)]
    inner: Inner,
    #[serde(flatten)]
    rest: BTreeMap<String, u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(try_from = "(u32, u32)")]
struct Range {
    low: u32,
    high: u32,
}

impl TryFrom<(u32, u32)> for Range {
    type Error = &'static str;

    fn try_from((low, high): (u32, u32)) -> Result<Self, &'static str> {
        if low < high {
            Ok(Self { low, high })
        } else {
            Err("from high to low")
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(try_from = "String")]
struct Password(String);

impl TryFrom<String> for Password {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        if text == "open sesame" {
            Ok(Self(text))
        } else {
            Err("this is not the word")
        }
    }
}

#[test]
fn values_are_made_up_of_what_their_types_ask_for() {
    use std::net::{IpAddr, SocketAddr};
    use std::time::{Duration, SystemTime};
    let made = made![
        bool, u8, i64, i128, f32, char, String, &str, &[u8], Vec<u8>, [u8; 2], Vec<Vec<u8>>, bytes::Bytes,
        Option<u8>, Option<Vec<bool>>, (), (u8, String), BTreeMap<u32, Option<String>>, Vec<&str>,
        uuid::Uuid, IpAddr, SocketAddr, Duration, SystemTime, std::num::NonZeroU16, PathBuf, Result<u8, String>,
        serde_json::Value, Kind, Only, Guest, Tagged, Adjacent, Untagged, Flat, Range, Password,
    ];
    let expected = [
        "bool: {it=true}",
        "u8: {it=1}",
        "i64: {it=1}",
        "i128: {it=1}",
        "f32: {it=1.5}",
        "char: {it=a}",
        "String: {it=a}",
        "&str: {it=a}",
        "&[u8]: {it=bin[1]}",
        "Vec<u8>: {it=bin[1]}",
        "[u8; 2]: {it=[1 1]}",
        "Vec<Vec<u8>>: {it=[bin[1]]}",
        "bytes::Bytes: {it=bin[1]}",
        "Option<u8>: {it=1}",
        "Option<Vec<bool>>: {it=[true]}",
        "(): {it=nil}",
        "(u8, String): {it=[1 a]}",
        "BTreeMap<u32, Option<String>>: {it={1=a}}",
        "Vec<&str>: {it=[a]}",
        "uuid::Uuid: {it=00000000-0000-4000-8000-000000000001}",
        "IpAddr: {it=192.0.2.1}",
        "SocketAddr: {it=192.0.2.1:1}",
        "Duration: {it={secs=1 nanos=1}}",
        "SystemTime: {it={secs_since_epoch=1 nanos_since_epoch=1}}",
        "std::num::NonZeroU16: {it=1}",
        "PathBuf: {it=a}",
        "Result<u8, String>: {it={Ok=1}}",
        "serde_json::Value: {it=1}",
        "Kind: {it={Nested={Both=[{Sized={size=1.5 name=a}} {Sized={size=1.5 name=a}}]}}}",
        "Only: {it={Sized={size=1.5 bytes=bin[1]}}}",
        "Guest: {it={id=00000000-0000-4000-8000-000000000001 what={Nested={Both=[{Sized={size=1.5 name=a}} {Sized={size=1.5 name=a}}]}} parent=nil children=[] tags={a=1}}}",
        "Tagged: {it={type=Disk path=a size=1 by=00000000-0000-4000-8000-000000000001}}",
        "Adjacent: {it={t=Disk c=[1 a]}}",
        "Untagged: {it={path=a size={inside=[1]}}}",
        "Flat: {it={own=a inside=[1]}}",
        "Range: {it=[1 2]}",
        "Password: none: `it`: this is not the word",
    ];
    assert_eq!(made, expected);
}

#[test]
fn the_released_api_is_kept() {
    let endpoint = crate::introspection::endpoint(
        &crate::Target::topic("any"),
        &[],
        crate::server::Access::default(),
    );
    super::check("introspection.api", &*endpoint);
}
