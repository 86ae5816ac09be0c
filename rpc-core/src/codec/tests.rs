//! Round trips of what serde makes hard, and what is refused.

use super::{Encoded, MAX_DEPTH, decode, decode_checked, skip};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt::Debug;
use uuid::Uuid;

fn encode<T: ?Sized + Serialize>(value: &T) -> Vec<u8> {
    let mut encoded = Encoded::new();
    encoded.push(value).unwrap();
    encoded.into_bytes().to_vec()
}

fn refused<T: ?Sized + Serialize>(value: &T) -> String {
    Encoded::new().push(value).unwrap_err().to_string()
}

fn error<T: DeserializeOwned + Debug>(bytes: &[u8]) -> String {
    decode::<T>(bytes).unwrap_err().to_string()
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "values are made where it is called"
)]
fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T) {
    let bytes = encode(&value);
    assert_eq!(
        decode::<T>(&bytes).unwrap_or_else(|error| panic!("{value:?}: {error}")),
        value
    );
}

fn id() -> Uuid {
    Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef)
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Struct { id: Uuid, n: u32 },
    Tuple(Uuid, u8),
    Id(Uuid),
    Number(i64),
    Bytes(Vec<u8>),
    Unit,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Tagged {
    Struct { id: Uuid, n: i64 },
    Char { c: char, id: Uuid },
    Map { ids: BTreeMap<u32, Uuid> },
    Bytes { id: Uuid, bytes: Vec<u8> },
    Optional { id: Option<Uuid>, none: Option<u8> },
    Inner(Renamed),
    Unit,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    Struct { id: Uuid, n: i64 },
    Tuple(Uuid, u8),
    Char(char),
    Bytes(Vec<u8>),
    Unit,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Renamed {
    #[serde(rename = "Id")]
    some_id: Uuid,
    a_char: char,
    the_unit: (),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flattened {
    first: u8,
    #[serde(flatten)]
    inner: Inner,
    #[serde(flatten)]
    rest: BTreeMap<String, Uuid>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Inner {
    id: Uuid,
    c: char,
    n: i64,
    bytes: Vec<u8>,
    o: Option<u8>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct FlattenedEnum {
    a: u8,
    #[serde(flatten)]
    external: External,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum External {
    Newtype(Uuid),
    Struct { id: Uuid, n: i64 },
    Tuple(Uuid, u8),
    Unit,
}

#[test]
fn untagged_values_round_trip() {
    round_trip(Untagged::Struct { id: id(), n: 1 });
    round_trip(Untagged::Tuple(id(), 1));
    round_trip(Untagged::Id(id()));
    round_trip(Untagged::Number(-5));
    round_trip(Untagged::Bytes(vec![1, 2, 255]));
    round_trip(Untagged::Unit);
}

#[test]
fn tagged_values_round_trip() {
    round_trip(Tagged::Struct {
        id: id(),
        n: i64::MIN,
    });
    round_trip(Tagged::Char { c: 'é', id: id() });
    round_trip(Tagged::Map {
        ids: [(1, id()), (70_000, id())].into(),
    });
    round_trip(Tagged::Bytes {
        id: id(),
        bytes: vec![0; 300],
    });
    round_trip(Tagged::Optional {
        id: Some(id()),
        none: None,
    });
    round_trip(Tagged::Inner(renamed()));
    round_trip(Tagged::Unit);
    round_trip(Adjacent::Struct { id: id(), n: 7 });
    round_trip(Adjacent::Tuple(id(), 7));
    round_trip(Adjacent::Char('x'));
    round_trip(Adjacent::Bytes(vec![]));
    round_trip(Adjacent::Unit);
}

fn renamed() -> Renamed {
    Renamed {
        some_id: id(),
        a_char: '😀',
        the_unit: (),
    }
}

#[test]
fn renamed_and_flattened_values_round_trip() {
    round_trip(renamed());
    round_trip(Flattened {
        first: 1,
        inner: Inner {
            id: id(),
            c: 'c',
            n: 9,
            bytes: vec![1, 2],
            o: None,
        },
        rest: [("q".to_owned(), id())].into(),
    });
    for external in [
        External::Newtype(id()),
        External::Struct {
            id: id(),
            n: i64::MAX,
        },
        External::Tuple(id(), 1),
        External::Unit,
    ] {
        round_trip(FlattenedEnum { a: 1, external });
    }
}

#[test]
fn integers_of_128_bits_round_trip() {
    for n in [
        0,
        1,
        -1,
        i128::from(i64::MIN),
        i128::from(u64::MAX),
        i128::from(u64::MAX) + 1,
        i128::MIN,
        i128::MAX,
    ] {
        round_trip(n);
        round_trip(vec![n]);
    }
    for n in [0, u128::from(u64::MAX), u128::from(u64::MAX) + 1, u128::MAX] {
        round_trip((id(), n));
    }
    // small ones are what any other integer is
    assert_eq!(encode(&5i128), encode(&5u8));
}

#[test]
fn a_wide_integer_within_a_buffered_type_is_an_error_and_no_other_value() {
    // serde itself cannot keep these while it looks for the tag
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type")]
    enum Wide {
        Number { n: i128 },
    }
    for n in [1, i128::MAX] {
        assert!(error::<Wide>(&encode(&Wide::Number { n })).contains("i128 is not supported"));
    }
}

#[test]
fn plain_values_round_trip() {
    round_trip(id());
    round_trip(('x', "é".to_owned(), 1.5f32, -2.5f64, true));
    round_trip(((), Some(id()), None::<Uuid>, Ok::<u8, String>(1)));
    round_trip(vec![None, Some(id())]);
    round_trip(BTreeMap::from([(1u32, id()), (2, id())]));
    round_trip(BTreeMap::from([(id(), 1)]));
    round_trip(BTreeMap::from([((1, 'c'), id())]));
    round_trip(HashMap::from([(true, vec![1u8])]));
    round_trip("::1".parse::<std::net::IpAddr>().unwrap());
    round_trip(std::time::Duration::from_millis(5));
    round_trip([1u8, 2, 3]);
    round_trip((1u8, 2u8));
    round_trip(Some(Some(1u8)));
    round_trip(None::<Option<u8>>);
    round_trip(bytes::Bytes::from_static(b"abc"));
}

#[test]
fn what_holds_bytes_is_bin() {
    assert_eq!(encode(&vec![1u8, 2]), b"\xc4\x02\x01\x02");
    assert_eq!(encode(&[1u8, 2][..]), b"\xc4\x02\x01\x02");
    assert_eq!(encode(&Vec::<u8>::new()), b"\xc4\x00");
    assert_eq!(encode(&VecDeque::from([1u8])), b"\xc4\x01\x01");
    assert_eq!(encode(&BTreeSet::from([1u8])), b"\xc4\x01\x01");
    assert_eq!(encode(&bytes::Bytes::from_static(b"a")), b"\xc4\x01a");
    round_trip(VecDeque::from([1u8, 2]));
    round_trip(BTreeSet::from([1u8, 2]));
    round_trip(vec![vec![1u8], vec![]]);
    // a peer may send an array as well
    assert_eq!(decode::<Vec<u8>>(b"\x92\x01\x02").unwrap(), [1, 2]);
    // without a copy
    let bytes = encode(&vec![1u8, 2]);
    assert_eq!(decode::<&[u8]>(&bytes).unwrap(), [1, 2]);
    // what only looks like bytes at first is none
    round_trip(vec![Untagged::Number(1), Untagged::Id(id())]);
}

#[test]
fn structs_are_maps_and_enums_go_by_name() {
    assert_eq!(
        encode(&FlattenedEnum {
            a: 1,
            external: External::Unit
        })[0],
        0xdf
    );
    assert_eq!(
        encode(&Inner {
            id: id(),
            c: 'c',
            n: 9,
            bytes: vec![],
            o: None
        })[0],
        0x85
    );
    assert_eq!(encode(&External::Unit), b"\xa4Unit");
    assert_eq!(encode(&id()).len(), 2 + 36);
}

#[test]
fn some_of_nothing_is_refused() {
    assert!(refused(&Some(None::<u8>)).contains("would arrive as `None`"));
    assert!(refused(&Some(())).contains("would arrive as `None`"));
    let deep = BTreeMap::from([("flavors", vec![(1, Some(None::<u8>))])]);
    assert!(
        refused(&deep).starts_with("`[0][0][1]`"),
        "{}",
        refused(&deep)
    );
}

#[derive(Debug, Serialize, Deserialize)]
struct Nested(Vec<Nested>);

fn nested(depth: usize) -> Nested {
    (1..depth).fold(Nested(vec![]), |inner, _| Nested(vec![inner]))
}

#[test]
fn nesting_is_bounded_both_ways() {
    let bytes = encode(&nested(MAX_DEPTH));
    assert!(decode::<Nested>(&bytes).is_ok());
    assert!(refused(&nested(MAX_DEPTH + 1)).contains("deeper than 64"));
    for start in [[0x91].as_slice(), &[0x81, 0xa1, b'x']] {
        let mut bytes: Vec<u8> = start
            .iter()
            .copied()
            .cycle()
            .take(10_000 * start.len())
            .collect();
        bytes.push(0xc0);
        assert!(error::<serde::de::IgnoredAny>(&bytes).contains("deeper than 64"));
    }
}

#[test]
fn malformed_bytes_are_errors() {
    for (bytes, expected) in [
        (&b""[..], "ends in the middle"),
        (b"\xc1", "never used"),
        (b"\xd6\x01abcd", "extension type"),
        (b"\x01\x02", "1 bytes follow"),
        (b"\xa3ab", "ends in the middle"),
        (b"\xa1\xff", "not UTF-8"),
        // lengths of four gigabytes that are not there
        (b"\xdd\xff\xff\xff\xff", "ends in the middle"),
        (b"\xdf\xff\xff\xff\xff", "ends in the middle"),
        (b"\xc6\xff\xff\xff\xff", "ends in the middle"),
        (b"\xdb\xff\xff\xff\xff", "ends in the middle"),
        (b"\x82\xa1a\x01\xa1a\x02", "occurs twice"),
    ] {
        let error = error::<serde::de::IgnoredAny>(bytes);
        assert!(error.contains(expected), "{bytes:x?}: {error}");
    }
    let many: BTreeMap<u32, u32> = (0..100).map(|n| (n, n)).collect();
    let mut twice = encode(&many);
    twice[5] = twice[3];
    assert!(error::<serde::de::IgnoredAny>(&twice).contains("occurs twice"));
}

#[test]
fn errors_say_where_and_never_what() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only decoded")]
    struct Spec {
        flavors: Vec<Flavor>,
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only decoded")]
    struct Flavor {
        name: u32,
    }
    let secret = BTreeMap::from([("flavors", vec![BTreeMap::from([("name", "hunter2")])])]);
    let error = error::<Spec>(&encode(&secret));
    assert_eq!(error, "`flavors[0].name`: this is a string, expected u32");
    let error = self::error::<u8>(&encode(&70_000));
    assert!(
        error.contains("does not fit") && !error.contains("70000"),
        "{error}"
    );
    let error = self::error::<External>(&encode("hunter2"));
    assert!(
        error.contains("unknown variant") && !error.contains("hunter2"),
        "{error}"
    );
}

#[test]
fn a_header_fits_in_front_or_is_made_room_for() {
    for len in [0, 12, 96, 97, 5000] {
        let mut encoded = Encoded::new();
        encoded.push("value").unwrap();
        let header = vec![7; len];
        encoded.prepend(&header);
        let bytes = encoded.into_bytes();
        assert_eq!(bytes[..len], header);
        assert_eq!(decode::<&str>(&bytes[len..]).unwrap(), "value");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        if let Ok(end) = skip(&bytes, 0) {
            prop_assert!(end <= bytes.len());
        }
        let _ = decode::<serde::de::IgnoredAny>(&bytes);
        let _ = decode::<Tagged>(&bytes);
        let _ = decode::<Untagged>(&bytes);
        let _ = decode::<Flattened>(&bytes);
        let _ = decode::<BTreeMap<String, Vec<Option<External>>>>(&bytes);
        // decoding without the check must not do harm either
        let _ = decode_checked::<Tagged>(&bytes);
        let _ = decode_checked::<Nested>(&bytes);
        let _ = decode_checked::<i128>(&bytes);
    }

    #[test]
    fn values_round_trip(
        ints: Vec<i64>, floats: Vec<u32>, text: String, bytes: Vec<u8>, map: BTreeMap<String, Option<u64>>, wide: i128,
    ) {
        let floats: Vec<f32> = floats.into_iter().map(|n| n as f32).collect();
        round_trip((ints, floats, text, bytes, map, wide));
    }

    #[test]
    fn a_value_that_is_cut_short_is_an_error(ints: Vec<i64>, text: String, cut: prop::sample::Index) {
        let bytes = encode(&(ints, text));
        let cut = cut.index(bytes.len());
        prop_assert!(decode::<(Vec<i64>, String)>(&bytes[..cut]).is_err());
    }
}
