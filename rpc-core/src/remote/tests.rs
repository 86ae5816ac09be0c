#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing has failed")]

use crate::{Context, RemoteError, codec, history, rpc_api};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt;

/// What a newer side knows.
#[derive(Clone, Debug, PartialEq, RemoteError)]
#[rpc(crate = "crate")]
enum Newer {
    NotFound {
        id: u64,
        #[serde(default, rename = "where")]
        place: Option<String>,
    },
    Gone,
    Code(u32),
    Range(u8, i128),
    #[rpc(class = "NoValidHost")]
    Full {
        #[serde(with = "text")]
        free: u64,
        bytes: Vec<u8>,
    },
    #[rpc(other)]
    Unknown {
        class: String,
        message: String,
    },
}

/// A number as a text.
mod text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// The same on a side that is older.
#[derive(Debug, PartialEq, RemoteError)]
#[rpc(crate = "crate")]
enum Older {
    NotFound {
        id: u64,
    },
    #[rpc(other)]
    Other {
        class: String,
        message: String,
    },
}

/// And on one that takes nothing unknown.
#[derive(Debug, PartialEq, RemoteError)]
#[rpc(crate = "crate")]
enum Strict {
    Gone,
}

#[derive(Debug, PartialEq, RemoteError)]
#[rpc(crate = "crate", class = "Missing")]
struct Absent {
    id: u64,
    #[serde(default)]
    hint: String,
}

#[derive(Debug, PartialEq, RemoteError)]
#[rpc(crate = "crate")]
struct Number(u32);

#[derive(Debug, PartialEq, RemoteError)]
#[rpc(crate = "crate")]
struct Nothing;

macro_rules! shown {
    ($($type:ty),*) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "shown: {self:?}")
            }
        }
    )*};
}
shown!(Newer, Older, Strict, Absent, Number, Nothing);

fn sent<T: Serialize>(error: &T) -> Vec<u8> {
    let mut encoded = codec::Encoded::new();
    encoded.push(error).unwrap();
    encoded.bytes().to_vec()
}

fn seen<T: Serialize>(error: &T) -> Value {
    codec::decode(&sent(error)).unwrap()
}

fn read<T: for<'de> Deserialize<'de>>(value: &Value) -> Result<T, String> {
    codec::decode(&sent(value)).map_err(|error| error.to_string())
}

fn full() -> Newer {
    Newer::Full {
        free: 7,
        bytes: vec![1, 2],
    }
}

#[test]
fn a_variant_travels_by_its_class_with_message_and_data() {
    assert_eq!(
        seen(&full()),
        json!({
            "class": "NoValidHost",
            "message": "shown: Full { free: 7, bytes: [1, 2] }",
            "data": { "free": "7", "bytes": [1, 2] },
        })
    );
    assert_eq!(
        seen(&Newer::Gone),
        json!({ "class": "Gone", "message": "shown: Gone" })
    );
    assert_eq!(seen(&Newer::Code(5))["data"], json!(5));
    assert_eq!(seen(&Newer::Range(1, -2))["data"], json!([1, -2]));
}

#[test]
fn every_form_of_variant_comes_back() {
    let errors = [
        full(),
        Newer::Gone,
        Newer::Code(5),
        Newer::Range(1, i128::MIN),
        Newer::NotFound {
            id: 1,
            place: Some("attic".into()),
        },
    ];
    for error in errors {
        assert_eq!(codec::decode::<Newer>(&sent(&error)).unwrap(), error);
        if !matches!(error, Newer::Range(..)) {
            let text = serde_json::to_string(&error).unwrap();
            assert_eq!(serde_json::from_str::<Newer>(&text).unwrap(), error);
        }
    }
}

#[test]
fn structs_have_one_class() {
    let absent = Absent {
        id: 7,
        hint: String::new(),
    };
    assert_eq!(seen(&absent)["class"], "Missing");
    assert_eq!(codec::decode::<Absent>(&sent(&absent)).unwrap(), absent);
    assert_eq!(
        codec::decode::<Number>(&sent(&Number(7))).unwrap(),
        Number(7)
    );
    assert_eq!(codec::decode::<Nothing>(&sent(&Nothing)).unwrap(), Nothing);
    assert!(codec::decode::<Number>(&sent(&absent)).is_err());
}

#[test]
fn an_unknown_class_is_kept_and_sent_on_as_what_it_was() {
    let other: Older = codec::decode(&sent(&full())).unwrap();
    let message = full().to_string();
    assert_eq!(
        other,
        Older::Other {
            class: "NoValidHost".into(),
            message: message.clone(),
        }
    );
    assert_eq!(
        seen(&other),
        json!({ "class": "NoValidHost", "message": message })
    );
}

#[test]
fn without_other_an_unknown_class_is_an_error_that_names_it() {
    let error = codec::decode::<Strict>(&sent(&full())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`NoValidHost` is no class of Strict that is known here: Gone"
    );
}

#[test]
fn data_that_is_not_known_is_ignored() {
    let error = Newer::NotFound {
        id: 1,
        place: Some("attic".into()),
    };
    let older = codec::decode::<Older>(&sent(&error)).unwrap();
    assert_eq!(older, Older::NotFound { id: 1 });
    let gone = json!({ "class": "Gone", "data": { "when": 7 }, "more": [1] });
    assert_eq!(read::<Strict>(&gone), Ok(Strict::Gone));
}

#[test]
fn a_field_that_came_later_has_serdes_default() {
    let error = json!({ "class": "NotFound", "message": "", "data": { "id": 1 } });
    let expected = Newer::NotFound { id: 1, place: None };
    assert_eq!(read::<Newer>(&error), Ok(expected));
}

#[test]
fn what_is_missing_is_named() {
    let missing = |error: Value| read::<Newer>(&error).unwrap_err();
    assert!(missing(json!({ "message": "" })).contains("`class`"));
    assert!(missing(json!({ "class": "NotFound" })).contains("`id`"));
    assert!(missing(json!({ "class": "Code" })).contains("`data`"));
    assert!(missing(json!({ "class": "Range" })).contains("`data`"));
    assert!(missing(json!({ "class": "NotFound", "data": {} })).contains("`id`"));
    assert!(missing(json!("Gone")).contains("class, message and data"));
}

#[test]
fn the_class_comes_before_the_data() {
    let late = serde_json::from_str::<Newer>(r#"{"data": {"id": 1}, "class": "NotFound"}"#);
    assert!(late.unwrap_err().to_string().contains("before `data`"));
}

/// Is told how something went elsewhere.
#[rpc_api(version = "1.0", crate = "crate")]
trait Told {
    async fn newer(&self, ctx: &Context, error: Newer);
    async fn strict(&self, ctx: &Context, error: Option<Strict>, absent: Vec<Absent>);
    async fn number(&self, ctx: &Context, number: Number, nothing: Nothing);
}

struct Nobody;

impl Told for Nobody {
    async fn newer(&self, _: &Context, _: Newer) {}
    async fn strict(&self, _: &Context, _: Option<Strict>, _: Vec<Absent>) {}
    async fn number(&self, _: &Context, _: Number, _: Nothing) {}
}

#[test]
fn messages_that_hold_errors_are_made_up_for_a_history() {
    let folder = std::env::temp_dir().join(format!("remote-errors-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("told.api");
    let frozen = history::freeze(&path, &ToldDispatcher::new(Nobody)).unwrap();
    let unmade = format!("{:?}", frozen.unmade());
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(unmade, "[]", "{text}");
}
