//! What a message holds in each version, from both ends.

use super::*;
use crate::{ApiInfo, ArgInfo, ErrorKind, MethodInfo, MethodKind, Version};

const fn v(major: u16, minor: u16) -> Version {
    Version::new(major, minor)
}

static PLAIN: MethodInfo = MethodInfo::new("m", MethodKind::Call, v(1, 0))
    .with_args(&[ArgInfo::new("id", "u32"), ArgInfo::new("name", "&str")]);

/// Everything that an argument can go through, in two majors.
static GROWN: MethodInfo = MethodInfo::new("grown", MethodKind::Call, v(5, 1)).with_args(&[
    ArgInfo::new("id", "u32"),
    ArgInfo::new("clean", "Option<bool>")
        .with_since(v(6, 2))
        .with_default(none),
    ArgInfo::new("limit", "u8")
        .with_since(v(5, 3))
        .with_default(|| &[10]),
    ArgInfo::new("hint", "Option<u8>")
        .with_since(v(6, 3))
        .with_default(none)
        .with_lossy(),
    ArgInfo::new("flavor", "Flavor")
        .with_names(&[(v(6, 0), "kind")])
        .with_types(&[(v(5, 2), "u8"), (v(5, 4), "bool")]),
    ArgInfo::new("gone", "u8").with_until(v(6, 0)),
]);

static API: ApiInfo = ApiInfo::new("Api", v(6, 5)).with_also(v(5, 4));

fn cap(major: u16, minor: u16) -> Option<Cap> {
    Some(Cap {
        version: v(major, minor),
        origin: CapOrigin::Configured,
    })
}

/// A message to `GROWN`, with the arguments that every caller gives.
fn packed() -> Packed {
    let mut packed = Packed::new(&API, &GROWN);
    packed.arg(0, &7).unwrap();
    packed.arg(4, "large").unwrap();
    packed.form(4, 0, Ok(3u8));
    packed.form(4, 1, Err::<bool, _>("it is neither small nor large".into()));
    packed.arg(5, &9).unwrap();
    packed
}

/// What is in a message, as names and the bytes of values.
fn holds(packed: Packed, version: Version) -> Vec<(String, Vec<u8>)> {
    let bytes = packed.seal(version).unwrap().into_bytes();
    let value: std::collections::BTreeMap<String, serde_json::Value> =
        crate::codec::decode(&bytes).unwrap();
    value
        .into_iter()
        .map(|(name, value)| (name, value.to_string().into_bytes()))
        .collect()
}

fn shown(packed: Packed, version: Version) -> String {
    let pairs = holds(packed, version);
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| format!("{name}={}", String::from_utf8(value).unwrap()))
        .collect();
    pairs.join(" ")
}

#[test]
fn arguments_go_by_name() {
    let mut args = Packed::new(&API, &PLAIN);
    args.arg(0, &7u32).unwrap();
    args.arg(1, "ada").unwrap();
    let frame = Frame::new(&PLAIN, v(1, 0), args.seal(v(1, 0)).unwrap().into_bytes());
    let [id, name] = frame.args().unwrap();
    assert_eq!(id.decode::<u32>().unwrap(), 7);
    assert_eq!(name.decode::<&str>().unwrap(), "ada");

    let turned = framed(&[("name", b"\xa1x"), ("id", b"\x01")]);
    assert_eq!(error(&turned), "none");
}

fn framed(pairs: &[(&str, &[u8])]) -> Frame {
    Frame::new(&PLAIN, v(1, 0), map(pairs).into())
}

fn map(pairs: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    rmp::encode::write_map_len(&mut bytes, u32::try_from(pairs.len()).unwrap()).unwrap();
    for (name, value) in pairs {
        rmp::encode::write_str(&mut bytes, name).unwrap();
        bytes.extend_from_slice(value);
    }
    bytes
}

fn error(frame: &Frame) -> String {
    match frame.args::<2>() {
        Err(error) => error.message(),
        Ok([id, name]) => match (id.decode::<u32>(), name.decode::<&str>()) {
            (Err(error), _) | (_, Err(error)) => error.message(),
            _ => "none".into(),
        },
    }
}

#[test]
fn what_is_wrong_is_named() {
    let id = ("id", &b"\x01"[..]);
    let name = ("name", &b"\xa1x"[..]);
    assert_eq!(error(&framed(&[id])), "`name`: it is missing");
    assert_eq!(
        error(&framed(&[id, name, ("extra", b"\x01")])),
        "`extra`: no such argument"
    );
    assert_eq!(error(&framed(&[id, id, name])), "`id`: it is there twice");
    assert_eq!(
        error(&framed(&[("id", b"\xa3abc"), name])),
        "`id`: this is a string, expected u32"
    );
    let frame = |bytes: &'static [u8]| Frame::new(&PLAIN, v(1, 0), bytes.into());
    assert_eq!(
        error(&frame(b"\x93\x01\x02\x03")),
        "arguments are a map by name, this is an array"
    );
    assert_eq!(
        error(&frame(b"\x82\xa2id")),
        "it ends in the middle of a value"
    );
    assert_eq!(
        error(&frame(b"\xc1")),
        "not MessagePack: byte 0xc1 is never used"
    );
    let mut deep = vec![0x91; 10_000];
    deep.push(0xc0);
    assert!(error(&framed(&[id, ("name", &deep)])).contains("nested deeper than 64 levels"));
}

#[test]
fn the_version_sent_is_the_lowest_that_says_all() {
    let version = |packed: &Packed| packed.version(None, None).unwrap();
    assert_eq!(version(&packed()), v(6, 0));
    let mut at_default = packed();
    at_default.arg(1, &None::<bool>).unwrap();
    at_default.arg(2, &10u8).unwrap();
    assert_eq!(version(&at_default), v(6, 0));
    assert_eq!(
        shown(at_default, v(6, 0)),
        r#"flavor="large" id=7 limit=10"#
    );
    let mut set = packed();
    set.arg(1, &Some(true)).unwrap();
    assert_eq!(version(&set), v(6, 2));
    assert_eq!(
        shown(set, v(6, 2)),
        r#"clean=true flavor="large" id=7 limit=10"#
    );
    let mut lossy = packed();
    lossy.arg(3, &5u8).unwrap();
    assert_eq!(version(&lossy), v(6, 3), "lossy alone lowers nothing");
    let mut later = packed();
    later.came_with(0, v(6, 4), true);
    later.came_with(4, v(6, 1), true);
    assert_eq!(version(&later), v(6, 4));
    later.came_with(0, v(6, 4), false);
    assert_eq!(version(&later), v(6, 1), "given anew");
    assert_eq!(
        packed().version(None, Some(v(6, 1))).unwrap(),
        v(6, 1),
        "a floor"
    );
    assert_eq!(packed().version(None, Some(v(5, 2))).unwrap(), v(6, 0));
}

#[test]
fn under_a_cap_less_is_said_or_it_is_refused() {
    let mut lossy = packed();
    lossy.arg(3, &5u8).unwrap();
    assert_eq!(lossy.version(cap(6, 2), None).unwrap(), v(6, 0));
    assert_eq!(shown(lossy, v(6, 0)), r#"flavor="large" id=7 limit=10"#);

    let refused = |packed: &Packed, cap| {
        let error = packed.version(cap, None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::VersionCap);
        error.message().to_owned()
    };
    let mut set = packed();
    set.arg(1, &true).unwrap();
    assert_eq!(
        refused(&set, cap(6, 1)),
        "argument `clean` needs version 6.2, the client's cap is 6.1"
    );
    set.arg(1, &None::<bool>).unwrap();
    assert_eq!(
        set.version(cap(6, 1), None).unwrap(),
        v(6, 0),
        "set again, to its default"
    );
    assert_eq!(
        refused(&packed(), cap(5, 0)),
        "it needs version 5.1, the client's cap is 5.0"
    );
    assert_eq!(
        refused(&packed(), cap(4, 9)),
        "this client speaks `Api` 6.5 and 5.4, the client's cap is 4.9, which is another major"
    );
    assert_eq!(
        refused(&packed(), cap(5, 3)),
        "argument `flavor` (it is neither small nor large) needs version 5.4, the client's cap is 5.3"
    );
    let mut later = packed();
    later.came_with(0, v(6, 4), true);
    assert_eq!(
        refused(&later, cap(6, 3)),
        "this value of argument `id` needs version 6.4, the client's cap is 6.3"
    );
    let floor = packed().version(cap(6, 3), Some(v(6, 4))).unwrap_err();
    assert_eq!(
        floor.message(),
        "the client asks for at least version 6.4, the client's cap is 6.3"
    );
}

#[test]
fn a_cap_selects_the_major_and_old_names_and_removed_arguments_come_back() {
    let old = packed();
    assert_eq!(old.version(cap(5, 9), None).unwrap(), v(5, 4));
    assert_eq!(shown(old, v(5, 4)), r#"gone=9 id=7 kind="large" limit=10"#);
    let mut oldest = packed();
    oldest.form(4, 1, Ok(true));
    assert_eq!(oldest.version(cap(5, 3), None).unwrap(), v(5, 2));
    assert_eq!(shown(oldest.clone(), v(5, 2)), "gone=9 id=7 kind=true");
    assert_eq!(oldest.version(cap(5, 1), None).unwrap(), v(5, 1));
    assert_eq!(shown(oldest, v(5, 1)), "gone=9 id=7 kind=3");
}

#[test]
fn a_removed_method_is_sent_in_the_older_major() {
    static REMOVED: MethodInfo =
        MethodInfo::new("removed", MethodKind::Call, v(5, 2)).with_until(v(6, 0));
    let packed = Packed::new(&API, &REMOVED);
    assert_eq!(packed.version(None, None).unwrap(), v(5, 2));
    let error = packed.version(cap(6, 1), None).unwrap_err();
    assert_eq!(
        error.message(),
        "it was removed in version 6.0, the client's cap is 6.1"
    );
}

/// What the server makes of a message: the number of each argument's bytes, and older forms.
fn read(version: Version, pairs: &[(&str, &[u8])]) -> Result<Vec<(usize, Option<usize>)>, String> {
    let frame = Frame::new(&GROWN, version, map(pairs).into());
    let slots = frame.args::<6>().map_err(|error| error.message())?;
    Ok(slots.iter().map(|slot| (slot.len(), slot.form())).collect())
}

#[test]
fn the_server_reads_by_the_rules_of_the_messages_version() {
    let id = ("id", &b"\x07"[..]);
    let kind = ("kind", &b"\xa1x"[..]);
    let (gone, limit) = (("gone", &b"\x09"[..]), ("limit", &b"\x05"[..]));
    assert_eq!(
        read(v(6, 0), &[id, ("flavor", b"\xa1x"), limit]).unwrap(),
        [
            (1, None),
            (1, None),
            (1, None),
            (1, None),
            (2, None),
            (0, None)
        ]
    );
    assert_eq!(
        read(v(5, 1), &[id, ("kind", b"\x03"), gone]).unwrap()[4],
        (1, Some(0))
    );
    // a message that is older than its method is one of the method's first version
    assert!(read(v(5, 0), &[id, ("kind", b"\x03"), gone]).is_ok());
    assert_eq!(
        read(v(5, 2), &[id, kind, gone, limit]).unwrap_err(),
        "`limit`: no such argument in version 5.2"
    );
    assert_eq!(
        read(v(5, 3), &[id, kind, gone]).unwrap_err(),
        "`limit`: it is missing"
    );
    assert_eq!(
        read(v(6, 0), &[id, kind, limit]).unwrap_err(),
        "`kind`: no such argument in version 6.0"
    );
}

#[test]
fn what_is_set_twice_is_sent_once() {
    let mut args = packed();
    args.arg(0, &8u32).unwrap();
    args.arg(2, &1u8).unwrap();
    args.arg(2, &2u8).unwrap();
    assert_eq!(shown(args, v(6, 1)), r#"flavor="large" id=8 limit=2"#);
}

#[test]
fn more_than_fifteen_arguments() {
    static ARGS: [ArgInfo; 20] = {
        const NEW: ArgInfo = ArgInfo::new("a", "u8")
            .with_since(v(1, 1))
            .with_default(none);
        let mut args = [NEW; 20];
        let names = [
            "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q",
            "r", "s", "t",
        ];
        let mut at = 0;
        while at < 20 {
            args[at] = ArgInfo::new(names[at], "u8")
                .with_since(v(1, 1))
                .with_default(none);
            at += 1;
        }
        args
    };
    static MANY: MethodInfo = MethodInfo::new("many", MethodKind::Call, v(1, 0)).with_args(&ARGS);
    static API: ApiInfo = ApiInfo::new("Api", v(1, 1));
    let mut packed = Packed::new(&API, &MANY);
    packed.arg(3, &4u8).unwrap();
    packed.arg(3, &5u8).unwrap();
    let version = packed.version(None, None).unwrap();
    assert_eq!(holds(packed.clone(), version).len(), 20);
    assert_eq!(holds(packed, v(1, 0)), []);
}

#[test]
fn a_name_can_be_used_again() {
    static TWICE: MethodInfo = MethodInfo::new("twice", MethodKind::Call, v(1, 0)).with_args(&[
        ArgInfo::new("size", "u64")
            .with_since(v(1, 2))
            .with_default(|| &[0]),
        ArgInfo::new("size", "Size").with_until(v(1, 2)),
    ]);
    static API: ApiInfo = ApiInfo::new("Api", v(1, 2));
    let mut packed = Packed::new(&API, &TWICE);
    packed.arg(1, "small").unwrap();
    packed.arg(0, &7).unwrap();
    packed.arg(0, &8).unwrap();
    let version = packed.version(None, None).unwrap();
    assert_eq!(shown(packed.clone(), version), "size=8");
    let mut at_default = packed;
    at_default.arg(0, &0).unwrap();
    assert_eq!(at_default.version(cap(1, 1), None).unwrap(), v(1, 0));
    assert_eq!(shown(at_default, v(1, 0)), r#"size="small""#);
}
