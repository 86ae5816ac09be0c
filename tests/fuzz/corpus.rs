//! What is kept of fuzzing is tried again: seeds made of the protocol's vectors, and every input that once found a fault.
//!
//! `FUZZ_CORPUS=write cargo test -p rpc-fuzz-targets` writes the seeds anew, after a change of the vectors.

#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing has failed")]
#![allow(clippy::print_stdout, reason = "the last input is the one that fails")]

use rpc_fuzz_targets::{TARGETS, run};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn folder(target: &str) -> PathBuf {
    repository().join("fuzz/corpus").join(target)
}

/// What is replayed of one target.
fn inputs(target: &str) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(folder(target)).unwrap();
    let files = files.map(|file| {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        (name, fs::read(file.path()).unwrap())
    });
    files.collect()
}

#[test]
fn every_input_that_is_kept_does_no_harm() {
    for (target, _) in TARGETS {
        let inputs = inputs(target);
        assert!(!inputs.is_empty(), "{target} has no corpus");
        for (name, bytes) in inputs {
            println!("{target}/{name}");
            run(target, &bytes);
        }
    }
}

#[test]
fn every_target_has_a_program() {
    let folder = repository().join("fuzz/fuzz_targets");
    let programs = fs::read_dir(folder).unwrap();
    let mut programs: Vec<String> = programs
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    programs.sort();
    let targets = TARGETS.map(|(target, _)| format!("{target}.rs"));
    assert_eq!(programs, targets);
}

#[test]
fn every_vector_of_the_protocol_is_a_seed() {
    let write = std::env::var("FUZZ_CORPUS").is_ok_and(|value| value == "write");
    for (target, seeds) in seeds() {
        if write {
            fs::create_dir_all(folder(target)).unwrap();
            for (name, _) in inputs(target).iter().filter(|(name, _)| is_seed(name)) {
                fs::remove_file(folder(target).join(name)).unwrap();
            }
            for (name, bytes) in &seeds {
                fs::write(folder(target).join(name), bytes).unwrap();
            }
        }
        let mut kept = inputs(target);
        kept.retain(|name, _| is_seed(name));
        assert!(
            kept == seeds,
            "{target}: write the seeds anew, as said above"
        );
    }
}

fn is_seed(name: &str) -> bool {
    name.starts_with("seed-")
}

type Seeds = BTreeMap<String, Vec<u8>>;

/// By target: each vector where it belongs, and some text.
fn seeds() -> BTreeMap<&'static str, Seeds> {
    let vectors = fs::read(repository().join("docs/wire-vectors.json")).unwrap();
    let vectors: Vec<Value> = serde_json::from_slice(&vectors).unwrap();
    let mut seeds: BTreeMap<&str, Seeds> = BTreeMap::new();
    let mut add = |target, name: &str, bytes| {
        let name = format!(
            "seed-{}",
            name.replace(|c: char| !c.is_ascii_alphanumeric(), "-")
        );
        let before = seeds.entry(target).or_default().insert(name, bytes);
        assert!(before.is_none(), "two seeds of one name");
    };
    let mut all = Vec::new();
    for vector in &vectors {
        let name = vector["name"].as_str().unwrap();
        let bytes = bytes(vector["hex"].as_str().unwrap());
        match vector["kind"].as_str().unwrap() {
            "value" => add("codec", name, bytes),
            "bad" => match vector["of"].as_str().unwrap() {
                "frame to a server" => add("frames_to_a_node", name, greeted(&bytes)),
                "frame to a client" => add("frames_to_a_client", name, framed(&[&bytes])),
                "value" => add("codec", name, bytes),
                _ => add("frames_to_a_node", name, greeted(&call(&bytes))),
            },
            "HELLO" | "CALL" | "CAST" | "MULTICALL" | "CREDIT" | "CANCEL" | "SEEN" => {
                all.push(bytes.clone());
                add("frames_to_a_node", name, greeted(&bytes));
            }
            _ => add("frames_to_a_client", name, framed(&[&bytes])),
        }
    }
    let all: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
    add("frames_to_a_node", "all in a row", framed(&all));
    for (name, node, peer) in [("a client", true, "DEALER"), ("a node", false, "ROUTER")] {
        for piece in [1, 100] {
            let name = format!("{name} in pieces of {piece}");
            let how = (piece - 1) << 1 | u8::from(!node);
            let mut bytes = connection(how, peer, &all);
            add("zmtp", &name, bytes.clone());
            // a frame whose flags mean nothing, and another after it
            bytes.extend(b"\x40\x01x\0\x01x");
            add("zmtp", &format!("{name} that break off"), bytes);
        }
    }
    for (name, how) in [("a node", 0), ("a client", 1)] {
        add("curve", name, sealed(how, &all));
    }
    for (number, text) in URLS.into_iter().enumerate() {
        add("urls", &number.to_string(), text.into());
    }
    add(
        "versions",
        "some",
        b"1.0 1.2 01.02 1.2.3 65535.65535.65535 2.0 2. .5 1.2.3.4 -1.2 1.65536".into(),
    );
    seeds
}

const URLS: [&str; 6] = [
    "memory://x",
    "zmq://host-a:5555,[::1]:5555?listen=0.0.0.0:5555&advertise=a:1&window=7&window_bytes=9&unread_bytes=1",
    "zmq://127.0.0.1:0?heartbeat=0&max_message=65536&connections=1&engine=zmtp",
    "zmq+ipc:///tmp/a,/tmp/b?listen=/tmp/c%20d",
    "zmq://user:p%40ss@host:1?x=%zz",
    "zmq://fe80::1%25eth0:1?heartbeat=5s&engine=zeromq",
];

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    digits
        .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
        .collect()
}

/// Frames as the targets read them: each after its length.
fn framed(frames: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for frame in frames {
        bytes.extend(u16::try_from(frame.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(frame);
    }
    bytes
}

/// A frame after HELLO.
fn greeted(frame: &[u8]) -> Vec<u8> {
    framed(&[b"\x01\x01\0\x03\0\0\0\0\0\0\0\0\x92\x01\x01", frame])
}

/// A call of `add` with this body.
fn call(arguments: &[u8]) -> Vec<u8> {
    let header = b"\x9a\xa0\xa7compute\xa6node-1\xc0\x92\x01\x02\x92\x01\x02\xa3add\xc0\x80\xc0";
    let mut frame = vec![1, 3, 0, u8::try_from(header.len()).unwrap()];
    frame.extend(1_u64.to_be_bytes());
    frame.extend(header);
    frame.extend(arguments);
    frame
}

/// A handshake by CURVE, a PING, a message of these frames, and one that was changed.
fn sealed(how: u8, frames: &[&[u8]]) -> Vec<u8> {
    const CHANGED: u8 = 0;
    const WELL: u8 = 2;
    let mut bytes = vec![how];
    let mut say = |what, said: &[u8]| {
        bytes.push(what);
        bytes.extend(u16::try_from(said.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(said);
    };
    say(WELL, b"");
    say(WELL, b"");
    say(WELL, b"\x02\x04PING\0\x05abc");
    for (number, frame) in frames.iter().take(9).enumerate() {
        let more = u8::from(number < frames.len().min(9) - 1);
        say(WELL, &[&[more], *frame].concat());
    }
    say(CHANGED, b"\x01");
    bytes
}

/// Greeting, READY, a PING, and a message of these frames.
fn connection(how: u8, socket_type: &str, frames: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![how];
    let mut greeting = [0; 64];
    greeting[..16].copy_from_slice(b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL");
    bytes.extend(greeting);
    bytes.extend(b"\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06");
    bytes.extend(socket_type.as_bytes());
    bytes.extend(b"\x04\x0a\x04PING\0\x05abc");
    for (number, frame) in frames.iter().take(9).enumerate() {
        let more = u8::from(number < frames.len().min(9) - 1);
        match u8::try_from(frame.len()) {
            Ok(len) => bytes.extend([more, len]),
            Err(_) => {
                bytes.push(more | 2);
                bytes.extend((frame.len() as u64).to_be_bytes());
            }
        }
        bytes.extend_from_slice(frame);
    }
    bytes
}
