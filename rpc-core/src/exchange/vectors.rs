//! The test vectors of the wire protocol, `docs/wire-vectors.json`: what they mean is written, and must give their bytes; their
//! bytes are read, and must give what they mean. A vector that is not known here fails the test.

#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing has failed")]

use super::execution::Execution;
use super::frame::{
    self, AnnouncedApi, AnnouncedService, Announcement, Credit, Fail, Frame, HeaderWriter, Kind,
    METHOD_ERROR, RequestHeader, Window,
};
use super::{ClientLink, Inbound, Outbound, ServerLink};
use crate::args;
use crate::codec::{self, Encoded};
use crate::server::{Ending, Responder};
use crate::transport::TransportCounters;
use crate::{ArgInfo, Context, ErrorKind, MethodInfo, MethodKind, Peer, Version};
use bytes::Bytes;
use futures_util::FutureExt;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

const VECTORS: &str = include_str!("../../../docs/wire-vectors.json");
const DOCUMENT: &str = include_str!("../../../docs/wire-protocol.md");

/// One entry of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    hex: String,
    /// The name of a frame's kind, or `value`, or `bad`.
    kind: String,
    id: Option<u64>,
    #[serde(default)]
    meaning: Value,
    /// It is understood, but never written.
    #[serde(default)]
    read_only: bool,
    /// The type of a value.
    r#type: Option<String>,
    /// What a bad vector would be.
    of: Option<String>,
    /// What becomes of a bad vector, in words.
    outcome: Option<String>,
    /// What a server answers to a bad frame.
    #[serde(default)]
    answer: Value,
}

impl Vector {
    fn bytes(&self) -> Bytes {
        from_hex(&self.hex).into()
    }

    fn is_frame(&self) -> bool {
        !matches!(self.kind.as_str(), "value" | "bad")
    }
}

fn vectors() -> Vec<Vector> {
    let vectors: Vec<Vector> = serde_json::from_str(VECTORS).unwrap();
    let names: BTreeSet<&str> = vectors.iter().map(|vector| vector.name.as_str()).collect();
    assert_eq!(names.len(), vectors.len(), "a name is there twice");
    vectors
}

fn from_hex(hex: &str) -> Vec<u8> {
    assert!(hex.len().is_multiple_of(2), "half a byte: {hex}");
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A kind's name in the document.
fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Hello => "HELLO",
        Kind::Announce => "ANNOUNCE",
        Kind::Call => "CALL",
        Kind::Cast => "CAST",
        Kind::Multicall => "MULTICALL",
        Kind::Reply => "REPLY",
        Kind::Fail => "FAIL",
        Kind::Accept => "ACCEPT",
        Kind::Items => "ITEMS",
        Kind::End => "END",
        Kind::Credit => "CREDIT",
        Kind::Cancel => "CANCEL",
        Kind::Unsupported => "UNSUPPORTED",
        Kind::Seen => "SEEN",
        Kind::Running => "RUNNING",
    }
}

fn kinds() -> impl Iterator<Item = Kind> {
    (0..=u8::MAX).filter_map(|kind| frame::kind(&[frame::PROTOCOL, kind]))
}

fn kind_of(vector: &Vector) -> Kind {
    kinds()
        .find(|kind| name(*kind) == vector.kind)
        .unwrap_or_else(|| panic!("{}: no handler for kind {}", vector.name, vector.kind))
}

#[test]
fn every_kind_is_described_and_has_a_vector() {
    let vectors = vectors();
    for kind in kinds() {
        let row = format!("| {} | `{}` |", kind as u8, name(kind));
        assert!(DOCUMENT.contains(&row), "the kinds table lacks {row}");
        assert!(
            vectors
                .iter()
                .any(|vector| vector.kind == name(kind) && !vector.read_only),
            "there is no vector of kind {}",
            name(kind)
        );
    }
}

#[test]
fn the_examples_of_the_document_are_vectors() {
    let vectors = vectors();
    let mut examples = vectors
        .iter()
        .filter(|vector| vector.name.starts_with("example: "))
        .peekable();
    assert!(examples.peek().is_some());
    for example in examples {
        assert!(
            DOCUMENT.contains(&example.hex),
            "{} is not in the document",
            example.name
        );
    }
}

#[tokio::test]
async fn frames_are_written_and_read_as_they_mean() {
    for vector in vectors().iter().filter(|vector| vector.is_frame()) {
        let (kind, id) = (kind_of(vector), vector.id.unwrap());
        let frame = Frame::parse(vector.bytes()).unwrap();
        assert_eq!(frame.kind, Some(kind), "{}", vector.name);
        assert_eq!(frame.kind_byte, kind as u8, "{}", vector.name);
        assert_eq!(frame.id, id, "{}", vector.name);
        assert_eq!(meaning(kind, &frame), vector.meaning, "{}", vector.name);
        if !vector.read_only {
            let written = written(kind, id, &vector.meaning).await;
            assert_eq!(to_hex(&written), vector.hex, "{}", vector.name);
        }
    }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("`{key}` is no text in {value}"))
}

fn number(value: &Value, key: &str) -> u64 {
    value[key]
        .as_u64()
        .unwrap_or_else(|| panic!("`{key}` is no number in {value}"))
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key]
        .as_array()
        .unwrap_or_else(|| panic!("`{key}` is no array in {value}"))
}

fn encoded(value: &Value) -> Encoded {
    let mut encoded = Encoded::new();
    encoded.push(value).unwrap();
    encoded
}

fn decoded(body: &[u8]) -> Value {
    codec::decode(body).unwrap()
}

fn version(value: &Value) -> Version {
    let parts: Vec<u16> = serde_json::from_value(value.clone()).unwrap();
    Version::new(parts[0], parts[1]).with_revision(parts.get(2).copied().unwrap_or(0))
}

fn version_value(version: Version) -> Value {
    match version.revision() {
        0 => json!([version.major(), version.minor()]),
        revision => json!([version.major(), version.minor(), revision]),
    }
}

/// The frame that means this, made by whatever makes such frames.
async fn written(kind: Kind, id: u64, meaning: &Value) -> Bytes {
    match kind {
        Kind::Hello => {
            let link = ClientLink::new("node".into(), None);
            let mut frames = Vec::new();
            assert!(link.next_frames(&mut frames, 64).await);
            assert_eq!(frames.len(), 1);
            frames.remove(0)
        }
        Kind::Announce => announcement(meaning).write().unwrap(),
        Kind::Call | Kind::Cast | Kind::Multicall => request(kind, id, meaning),
        Kind::Reply => {
            let value = Ending::Value(encoded(&meaning["body"]));
            sent(Kind::Call, id, |execution| execution.finish(value)).await
        }
        Kind::Fail if text(meaning, "fail_kind") == METHOD_ERROR => {
            let error = Ending::MethodError(encoded(&meaning["body"]));
            sent(Kind::Call, id, |execution| execution.finish(error)).await
        }
        Kind::Fail => {
            let kind = ErrorKind::from_name(text(meaning, "fail_kind")).unwrap();
            let message: String = text(meaning, "message").into();
            let failed = match meaning["traceback"].as_str() {
                Some(traceback) => Ending::Panicked(message, Some(traceback.into())),
                None => Ending::Failed(kind, message),
            };
            sent(Kind::Call, id, |execution| execution.finish(failed)).await
        }
        Kind::Accept => {
            let of_stream = sent(Kind::Multicall, id, Responder::accepted).await;
            let of_cast = frame::bares(kind, &[id]).next().unwrap();
            assert_eq!(of_stream, of_cast);
            of_cast
        }
        Kind::Items => {
            let mut items = Encoded::new();
            for item in list(meaning, "items") {
                items.push(item).unwrap();
            }
            let (first, count) = (number(meaning, "first"), number(meaning, "count"));
            assert_eq!(list(meaning, "items").len() as u64, count);
            sent(Kind::Multicall, id, |execution| {
                execution.items(first, count, items);
            })
            .await
        }
        Kind::End => {
            let end = Ending::StreamEnd(number(meaning, "count"));
            sent(Kind::Multicall, id, |execution| execution.finish(end)).await
        }
        Kind::Credit => frame::numbers(
            kind,
            id,
            [number(meaning, "items"), number(meaning, "bytes")],
        ),
        Kind::Seen => frame::numbers(kind, id, [number(meaning, "serial")]),
        Kind::Running => {
            let ids = list(meaning, "ids").iter().map(|id| id.as_u64().unwrap());
            let frames: Vec<Bytes> = frame::running(&ids.collect::<Vec<_>>()).collect();
            assert_eq!(frames.len(), 1);
            frames.into_iter().next().unwrap()
        }
        Kind::Cancel => frame::bare(kind, id),
        Kind::Unsupported => {
            let kind = u8::try_from(number(meaning, "kind")).unwrap();
            let mut unknown = frame::bare(Kind::Cancel, id).to_vec();
            unknown[1] = kind;
            let (answers, errors) = received_by_server(unknown.into());
            assert_eq!((answers.len(), errors), (1, 1));
            answers.into_iter().next().unwrap()
        }
    }
}

fn request(kind: Kind, id: u64, meaning: &Value) -> Bytes {
    let credit = &meaning["credit"];
    let header = RequestHeader {
        exchange: text(meaning, "exchange"),
        topic: text(meaning, "topic"),
        server: text(meaning, "server"),
        namespace: meaning["namespace"].as_str(),
        version: version(&meaning["version"]),
        built: version(&meaning["built"]),
        method: text(meaning, "method"),
        remaining: meaning["remaining_us"].as_u64().map(Duration::from_micros),
        credit: credit.is_object().then(|| Credit {
            items: number(credit, "items"),
            bytes: number(credit, "bytes"),
        }),
        request_id: meaning["request_id"].as_str().map(|id| id.parse().unwrap()),
        monitor: meaning["monitor_us"].as_u64().map(Duration::from_micros),
    };
    let metadata: BTreeMap<String, String> =
        serde_json::from_value(meaning["metadata"].clone()).unwrap();
    let context = metadata
        .into_iter()
        .fold(Context::new(), |context, (key, value)| {
            context.with(key, value)
        });
    let mut writer = HeaderWriter(Vec::new());
    header.write(&mut writer, &context);
    let mut body = encoded(&meaning["body"]);
    frame::prepend(&mut body, kind, 0, &writer.0).unwrap();
    frame::set_id(&mut body, id);
    body.into_bytes()
}

fn announcement(meaning: &Value) -> Announcement {
    let window = &meaning["window"];
    let apis = |service: &Value| {
        list(service, "apis")
            .iter()
            .map(|api| AnnouncedApi {
                name: text(api, "name").into(),
                namespace: api["namespace"].as_str().map(Into::into),
                version: version(&api["version"]),
            })
            .collect()
    };
    Announcement {
        protocols: serde_json::from_value(meaning["protocols"].clone()).unwrap(),
        instance: from_hex(text(meaning, "instance")).try_into().unwrap(),
        address: text(meaning, "address").into(),
        window: Window {
            requests: u32::try_from(number(window, "requests")).unwrap(),
            bytes: u32::try_from(number(window, "bytes")).unwrap(),
        },
        serial: meaning["serial"].as_u64(),
        heartbeats: meaning["heartbeats"].as_bool().unwrap(),
        services: list(meaning, "services")
            .iter()
            .map(|service| AnnouncedService {
                exchange: text(service, "exchange").into(),
                topic: text(service, "topic").into(),
                server: text(service, "server").into(),
                draining: service["draining"].as_bool().unwrap(),
                apis: apis(service),
            })
            .collect(),
    }
}

/// What an instance sends for a request that it runs.
async fn sent(kind: Kind, id: u64, act: impl FnOnce(&Execution)) -> Bytes {
    let link = Arc::new(ServerLink::new(Peer::new("test", "client"), None));
    let execution = Arc::new(Execution::new(
        Arc::clone(&link),
        id,
        kind,
        None,
        Credit::default(),
        None,
    ));
    link.begin(id, Window::of(1), &execution).unwrap();
    act(&execution);
    let mut frames = Vec::new();
    let written = link.next_frames(&mut frames, 64).now_or_never();
    assert_eq!((written, frames.len()), (Some(true), 1));
    frames.remove(0)
}

fn numbers<const N: usize>(frame: &Frame) -> [u64; N] {
    frame::parse_numbers(&frame.header).unwrap()
}

/// What a frame means, as the file says it.
fn meaning(kind: Kind, frame: &Frame) -> Value {
    match kind {
        Kind::Hello => {
            let [lowest, highest] = numbers(frame);
            json!({ "lowest": lowest, "highest": highest })
        }
        Kind::Seen => {
            let [serial] = numbers(frame);
            json!({ "serial": serial })
        }
        Kind::Announce => {
            let announced = Announcement::parse(&frame.header, &frame.body).unwrap();
            let apis = |service: &AnnouncedService| -> Vec<Value> {
                service
                    .apis
                    .iter()
                    .map(|api| {
                        json!({ "name": api.name, "namespace": api.namespace, "version": version_value(api.version) })
                    })
                    .collect()
            };
            let services: Vec<Value> = announced
                .services
                .iter()
                .map(|service| {
                    json!({
                        "exchange": service.exchange, "topic": service.topic, "server": service.server,
                        "draining": service.draining, "apis": apis(service),
                    })
                })
                .collect();
            json!({
                "protocols": [announced.protocols.0, announced.protocols.1],
                "instance": to_hex(&announced.instance),
                "address": announced.address,
                "window": { "requests": announced.window.requests, "bytes": announced.window.bytes },
                "serial": announced.serial,
                "heartbeats": announced.heartbeats,
                "services": services,
            })
        }
        Kind::Call | Kind::Cast | Kind::Multicall => {
            let (header, metadata) = RequestHeader::parse(&frame.header).unwrap();
            let credit = header
                .credit
                .map(|credit| json!({ "items": credit.items, "bytes": credit.bytes }));
            let remaining = header
                .remaining
                .map(|remaining| u64::try_from(remaining.as_micros()).unwrap());
            let monitor = header
                .monitor
                .map(|monitor| u64::try_from(monitor.as_micros()).unwrap());
            let metadata: BTreeMap<_, _> = metadata.iter().collect();
            let mut meaning = json!({
                "exchange": header.exchange, "topic": header.topic, "server": header.server,
                "namespace": header.namespace, "version": version_value(header.version),
                "built": version_value(header.built), "method": header.method, "remaining_us": remaining,
                "metadata": metadata, "credit": credit, "body": decoded(&frame.body),
            });
            if let Some(id) = header.request_id {
                meaning["request_id"] = json!(id.to_string());
            }
            if let Some(monitor) = monitor {
                meaning["monitor_us"] = monitor.into();
            }
            meaning
        }
        Kind::Reply => json!({ "body": decoded(&frame.body) }),
        Kind::Fail => match frame::parse_fail(&frame.header).unwrap() {
            Fail {
                kind: kind @ METHOD_ERROR,
                message,
                ..
            } => {
                json!({ "fail_kind": kind, "message": message, "body": decoded(&frame.body) })
            }
            Fail {
                kind,
                message,
                traceback: None,
            } => json!({ "fail_kind": kind, "message": message }),
            Fail {
                kind,
                message,
                traceback,
            } => {
                json!({ "fail_kind": kind, "message": message, "traceback": traceback })
            }
        },
        Kind::Accept | Kind::Cancel => json!({}),
        Kind::Running => {
            let mut ids = Vec::new();
            frame::parse_running(&frame.body, |id| ids.push(id)).unwrap();
            json!({ "ids": ids })
        }
        Kind::Items => {
            let [first, count] = numbers(frame);
            let (mut items, mut at) = (Vec::new(), 0);
            while at < frame.body.len() {
                let end = codec::skip(&frame.body, at).unwrap();
                items.push(decoded(&frame.body[at..end]));
                at = end;
            }
            json!({ "first": first, "count": count, "items": items })
        }
        Kind::End => {
            let [count] = numbers(frame);
            json!({ "count": count })
        }
        Kind::Credit => {
            let [items, bytes] = numbers(frame);
            json!({ "items": items, "bytes": bytes })
        }
        Kind::Unsupported => {
            let [kind] = numbers(frame);
            json!({ "kind": kind })
        }
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Outer {
    name: String,
    inner: Inner,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Inner {
    id: u32,
    note: Option<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Empty,
    Circle(u32),
    Line(u32, u32),
    Box { w: u32, h: u32 },
}

#[test]
fn values_are_written_and_read_as_they_mean() {
    for vector in vectors().iter().filter(|vector| vector.kind == "value") {
        match vector.r#type.as_deref().unwrap() {
            "()" => json_value::<()>(vector),
            "bool" => json_value::<bool>(vector),
            "u8" => integer::<u8>(vector),
            "u16" => integer::<u16>(vector),
            "u32" => integer::<u32>(vector),
            "u64" => integer::<u64>(vector),
            "i64" => integer::<i64>(vector),
            "i128" => integer::<i128>(vector),
            "u128" => integer::<u128>(vector),
            "f32" => json_value::<f32>(vector),
            "f64" => json_value::<f64>(vector),
            "char" => json_value::<char>(vector),
            "string" => json_value::<String>(vector),
            "bytes" => check(vector, &from_hex(vector.meaning.as_str().unwrap())),
            "[u8; 3]" => json_value::<[u8; 3]>(vector),
            "sequence of u32" => json_value::<Vec<u32>>(vector),
            "(u8, string)" => json_value::<(u8, String)>(vector),
            "option of u32" => json_value::<Option<u32>>(vector),
            "map of u32 to string" => json_value::<BTreeMap<u32, String>>(vector),
            "Outer { name, inner: Inner { id, note: option } }" => json_value::<Outer>(vector),
            "enum Shape { Empty, Circle(u32), Line(u32, u32), Box { w, h } }" => {
                json_value::<Shape>(vector);
            }
            "result" => json_value::<Result<u32, String>>(vector),
            "uuid" => json_value::<uuid::Uuid>(vector),
            "ip address" => json_value::<std::net::IpAddr>(vector),
            "duration" => json_value::<Duration>(vector),
            "arrays" => {
                let nested = (0..codec::MAX_DEPTH).fold(Value::Null, |value, _| json!([value]));
                check(vector, &nested);
            }
            other => panic!("{}: no handler for type {other}", vector.name),
        }
    }
}

/// A value whose form in JSON is that of its meaning.
fn json_value<T: Serialize + DeserializeOwned + PartialEq + Debug>(vector: &Vector) {
    let value: T = serde_json::from_value(vector.meaning.clone()).unwrap();
    check(vector, &value);
}

/// A number, which the file has as text where JSON's numbers end.
fn integer<T>(vector: &Vector)
where
    T: Serialize + DeserializeOwned + PartialEq + Debug + FromStr<Err: Debug>,
{
    let text = match &vector.meaning {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    check(vector, &text.parse::<T>().unwrap());
}

fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(vector: &Vector, value: &T) {
    let bytes = vector.bytes();
    let read: T = codec::decode(&bytes).unwrap_or_else(|error| panic!("{}: {error}", vector.name));
    assert_eq!(read, *value, "{}", vector.name);
    if !vector.read_only {
        let mut encoded = Encoded::new();
        encoded.push(value).unwrap();
        assert_eq!(to_hex(&encoded.into_bytes()), vector.hex, "{}", vector.name);
    }
}

#[test]
fn bad_ones_are_refused() {
    for vector in vectors().iter().filter(|vector| vector.kind == "bad") {
        assert!(
            !vector.outcome.as_deref().unwrap_or_default().is_empty(),
            "{}: no outcome",
            vector.name
        );
        let error = match vector.of.as_deref().unwrap() {
            "frame to a server" => bad_for_server(vector),
            "frame to a client" => bad_for_client(vector),
            "value" => codec::decode::<Value>(&vector.bytes())
                .unwrap_err()
                .to_string(),
            "arguments" => bad_arguments(vector),
            other => panic!("{}: no handler for {other}", vector.name),
        };
        let expected = expected_error(&vector.name);
        assert!(
            error.contains(expected),
            "{}: {error:?} does not say {expected:?}",
            vector.name
        );
    }
}

/// What the error says. Empty where no function of its own finds it, but the link counts it.
fn expected_error(name: &str) -> &'static str {
    match name {
        "an empty frame" | "truncated in its prefix" => "less than 12 bytes",
        "truncated in its header" | "a header that is longer than the frame" => {
            "ends within its header"
        }
        "an unknown kind"
        | "another version of the protocol"
        | "a request with id 0"
        | "a reply to a server"
        | "unsupported to a server"
        | "an unknown kind to a client"
        | "a call to a client"
        | "a reply to a request that was never sent"
        | "announce of an instance that speaks later versions only" => "",
        "a request header of nine fields" => "a header of 9 fields, it has at least 10",
        "a request header that is a map" => "a map, expected an array",
        "a request with 129 keys of metadata" => "129 keys",
        "a request id of 15 bytes" => "a request's id has 16 bytes",
        "a request version of four parts" => "two or three parts",
        "a request version with a part above 65535" => "at most 65535",
        "a deadline below zero" | "a deadline in a signed format" => {
            "an integer, expected an unsigned integer or nil"
        }
        "a key of the metadata twice" => "a key of the metadata occurs twice",
        "metadata that is not text" => "an integer, expected a string",
        "credit without bytes" => "credit is items and bytes",
        "credit of one number" => "a header of 1 fields, it has at least 2",
        "announce with an instance id of 15 bytes" => "16 bytes",
        "announce of five fields" => "a header of 5 fields, it has at least 6",
        "announce with an instance id that is text" => "a string, expected bytes",
        "a request with an empty header"
        | "seen without its serial"
        | "running without ids"
        | "nothing"
        | "truncated in an integer"
        | "truncated in a string"
        | "an array that claims more than there is"
        | "a map that claims more than there is"
        | "no arguments at all" => "it ends in the middle of a value",
        "running with an id that is text" => "a string, expected an unsigned integer",
        "running with bytes after the ids" => "bytes follow the ids",
        "trailing bytes" => "1 bytes follow the value",
        "a duplicate key" | "a duplicate key in a map within" => "a key occurs twice",
        "nested 65 levels deep" => "nested deeper than 64 levels",
        "an extension type" | "a timestamp" => "an extension type",
        "the unused byte" => "0xc1",
        "a string that is not UTF-8" => "not UTF-8",
        "arguments that are an array" => "arguments are a map by name, this is an array",
        "arguments with a name that is no string" => "an argument's name is a string",
        "arguments of which one is missing" => "`name`: it is missing",
        "arguments of which one is unknown" => "`extra`: no such argument",
        "arguments of which one is there twice" => "`id`: it is there twice",
        "arguments with bytes after them" => "bytes follow the arguments",
        "an argument of another type" => "`id`: this is a string, expected u32",
        "an argument out of its range" => "`id`: this integer has a value that does not fit",
        "an integer argument that is a float" => {
            "`id`: this is a floating point number, expected u32"
        }
        other => panic!("no handler for the bad vector {other:?}"),
    }
}

/// What an instance answers to a frame, and how many errors it counts.
fn received_by_server(frame: Bytes) -> (Vec<Bytes>, u64) {
    let counters = Arc::<TransportCounters>::default();
    let window = Window {
        requests: 8,
        bytes: 1024,
    };
    let inbound = Inbound::new(window, Arc::clone(&counters));
    let link = inbound.link_up(Peer::new("test", "client"), None);
    inbound.receive(&link, [frame]);
    let mut answers = Vec::new();
    // pending when there is nothing to be written
    let _ = link.next_frames(&mut answers, 64).now_or_never();
    (answers, counters.protocol_errors.load(Relaxed))
}

fn bad_for_server(vector: &Vector) -> String {
    let (answers, errors) = received_by_server(vector.bytes());
    assert_eq!(errors, 1, "{}", vector.name);
    let answer = answers.first().map(|answer| {
        let answer = Frame::parse(answer.clone()).unwrap();
        let sent = Frame::parse(vector.bytes()).unwrap();
        assert_eq!(answer.id, sent.id, "{}", vector.name);
        match answer.kind.unwrap() {
            Kind::Unsupported => {
                let [kind] = numbers(&answer);
                assert_eq!(kind, u64::from(sent.kind_byte), "{}", vector.name);
                json!({ "kind": "UNSUPPORTED", "unsupported_kind": kind })
            }
            Kind::Fail => {
                let kind = frame::parse_fail(&answer.header).unwrap().kind;
                json!({ "kind": "FAIL", "fail_kind": kind })
            }
            other => panic!("{}: answered by {other:?}", vector.name),
        }
    });
    assert!(answers.len() <= 1, "{}", vector.name);
    assert_eq!(answer.unwrap_or_default(), vector.answer, "{}", vector.name);
    match Frame::parse(vector.bytes()) {
        Err(error) => error.to_string(),
        Ok(frame) => match frame.kind {
            Some(kind) if kind.is_request() => RequestHeader::parse(&frame.header)
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default(),
            Some(Kind::Seen) => frame::parse_numbers::<1>(&frame.header)
                .unwrap_err()
                .to_string(),
            Some(Kind::Credit) => frame::parse_numbers::<2>(&frame.header)
                .unwrap_err()
                .to_string(),
            _ => String::new(),
        },
    }
}

fn bad_for_client(vector: &Vector) -> String {
    let counters = Arc::<TransportCounters>::default();
    let outbound = Outbound::new(Arc::clone(&counters));
    let node = outbound.add_node("node");
    let link = outbound.link_up(node, None);
    outbound.receive(node, &link, [vector.bytes()]);
    assert_eq!(counters.protocol_errors.load(Relaxed), 1, "{}", vector.name);
    assert!(!link.was_announced(), "{}", vector.name);
    assert_eq!(
        link.is_lost(),
        vector.name == "announce of an instance that speaks later versions only",
        "{}",
        vector.name
    );
    let frame = Frame::parse(vector.bytes()).unwrap();
    match frame.kind {
        Some(Kind::Announce) => Announcement::parse(&frame.header, &frame.body)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default(),
        Some(Kind::Running) => frame::parse_running(&frame.body, drop)
            .unwrap_err()
            .to_string(),
        _ => String::new(),
    }
}

static METHOD: MethodInfo = MethodInfo::new("m", MethodKind::Call, Version::new(1, 0))
    .with_args(&[ArgInfo::new("id", "u32"), ArgInfo::new("name", "String")]);

fn bad_arguments(vector: &Vector) -> String {
    let frame = args::Frame::new(&METHOD, Version::new(1, 0), vector.bytes());
    let read = frame.args().and_then(|[id, name]| {
        id.decode::<u32>()?;
        name.decode::<String>()
    });
    read.unwrap_err().message()
}
