//! Values: what can be decoded is encoded, and that is decoded to the same.

use bytes::Bytes;
use rpc_core::fuzzing::{decode, encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::time::Duration;

#[derive(Serialize, Deserialize)]
struct Guest {
    id: u64,
    name: String,
    #[serde(default)]
    tags: Vec<String>,
    memory: Option<u32>,
    inner: Option<Box<Guest>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Strict {
    a: i8,
    b: (u16, f32, char),
    c: [u8; 4],
}

#[derive(Serialize, Deserialize)]
enum Choice {
    Nothing,
    One(i64),
    Two(u8, String),
    Named { at: Duration, left: Option<bool> },
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(i64),
    Text(String),
    List(Vec<Untagged>),
    Guest { id: u64, bytes: Bytes },
    Map(BTreeMap<String, Untagged>),
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    Empty,
    Full { bytes: Vec<u8>, at: Option<u32> },
}

#[derive(Serialize, Deserialize)]
struct Flat {
    id: u32,
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

#[derive(Serialize, Deserialize)]
struct Nested(Vec<Option<Nested>>);

/// Decodes the bytes as a value of any of these types.
pub(crate) fn codec(bytes: &[u8]) {
    there_and_back::<serde_json::Value>(bytes);
    there_and_back::<Guest>(bytes);
    there_and_back::<Strict>(bytes);
    there_and_back::<Vec<Choice>>(bytes);
    there_and_back::<Untagged>(bytes);
    there_and_back::<Tagged>(bytes);
    there_and_back::<Flat>(bytes);
    there_and_back::<Nested>(bytes);
    there_and_back::<Vec<(i128, u128)>>(bytes);
    there_and_back::<BTreeMap<i32, BTreeSet<u8>>>(bytes);
    there_and_back::<BTreeMap<Option<String>, Result<Bytes, f64>>>(bytes);
    there_and_back::<HashMap<u8, [bool; 2]>>(bytes);
    there_and_back::<(IpAddr, Duration, char)>(bytes);
    there_and_back::<Option<Vec<u8>>>(bytes);
    there_and_back::<()>(bytes);
    there_and_back::<f32>(bytes);
    let _ = decode::<&str>(bytes);
    let _ = decode::<(&[u8], &str)>(bytes);
    let _ = decode::<serde::de::IgnoredAny>(bytes);
}

fn there_and_back<T: Serialize + DeserializeOwned>(bytes: &[u8]) {
    let Ok(value) = decode::<T>(bytes) else {
        return;
    };
    let name = std::any::type_name::<T>();
    let written = encode(&value).unwrap_or_else(|error| panic!("{name}: {error}"));
    let read: T = decode(&written).unwrap_or_else(|error| panic!("{name}: {error}"));
    // what is not equal to itself is compared by its bytes, and those of a set in any order by how many they are
    let again = encode(&read).unwrap_or_else(|error| panic!("{name}: {error}"));
    if name.contains("HashMap") {
        assert_eq!(written.len(), again.len(), "{name}");
    } else {
        assert_eq!(written, again, "{name}");
    }
}
