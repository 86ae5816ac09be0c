//! What holds for every frame: it reads as what was written, what a later version adds at the end is ignored, and no bytes do harm.

use super::*;
use crate::{Context, Metadata, RequestId, Version};
use proptest::prelude::*;
use std::time::Duration;

fn version() -> impl Strategy<Value = Version> {
    any::<(u16, u16, u16)>()
        .prop_map(|(major, minor, revision)| Version::new(major, minor).with_revision(revision))
}

fn window() -> impl Strategy<Value = Window> {
    (0..=1u32 << 28, 0..=1u32 << 28).prop_map(|(requests, bytes)| Window { requests, bytes })
}

fn service() -> impl Strategy<Value = AnnouncedService> {
    let api = ("[a-z]{0,9}", any::<Option<String>>(), version()).prop_map(
        |(name, namespace, version)| AnnouncedApi {
            name,
            namespace,
            version,
        },
    );
    let apis = prop::collection::vec(api, 0..4);
    (any::<(String, String, String, bool)>(), apis).prop_map(
        |((exchange, topic, server, draining), apis)| AnnouncedService {
            exchange,
            topic,
            server,
            draining,
            apis,
        },
    )
}

fn announcement() -> impl Strategy<Value = Announcement> {
    let services = prop::collection::vec(service(), 0..4);
    let rest = any::<((u64, u64), [u8; 16], Option<u64>, bool)>();
    (rest, "[a-z:0-9]{0,20}", window(), services).prop_map(
        |((protocols, instance, serial, heartbeats), address, window, services)| Announcement {
            protocols,
            instance,
            address,
            window,
            serial,
            heartbeats,
            services,
        },
    )
}

/// The array that begins here, with more elements at its end. Only for arrays that are written in one byte.
fn longer(array: &[u8], more: &[u8]) -> Vec<u8> {
    let mut longer = array.to_vec();
    assert_eq!(longer[0] & 0xf0, 0x90, "an array of up to fifteen");
    longer[0] += u8::try_from(more.len()).unwrap();
    // each is a value of one byte
    longer.extend(more.iter().map(|value| value & 0x7f));
    longer
}

/// As many more fields as fit.
fn more(known: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..=15 - known)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_frame_is_taken_apart_as_it_was_put_together(kind in 1..=14u8, id: u64, header: Vec<u8>, body: Vec<u8>) {
        let kind = Kind::from_u8(kind).unwrap();
        let mut frame = Encoded::copy_of(&body);
        prepend(&mut frame, kind, 1, &header).unwrap();
        set_id(&mut frame, id);
        let bytes = frame.into_bytes();
        prop_assert_eq!(super::id(&bytes), id);
        let frame = Frame::parse(bytes).unwrap();
        prop_assert_eq!((frame.kind, frame.id), (Some(kind), id));
        prop_assert_eq!((&frame.header[..], &frame.body[..]), (&header[..], &body[..]));
    }

    #[test]
    fn a_request_reads_as_it_was_written(
        names: (String, String, String, Option<String>, String),
        versions in (version(), version()),
        remaining: Option<u32>,
        credit: Option<(u64, u64)>,
        metadata: std::collections::BTreeMap<String, String>,
        id: Option<[u8; 16]>,
        monitor: Option<u32>,
        more in more(12),
    ) {
        let (exchange, topic, server, namespace, method) = &names;
        let credit = credit.map(|(items, bytes)| Credit { items, bytes });
        let remaining = remaining.map(|us| Duration::from_micros(us.into()));
        let header = RequestHeader {
            exchange,
            topic,
            server,
            namespace: namespace.as_deref(),
            version: versions.0,
            built: versions.1,
            method,
            remaining,
            credit,
            request_id: id.map(RequestId::from_bytes),
            monitor: monitor.map(|us| Duration::from_micros(us.into())),
        };
        let mut written = HeaderWriter(Vec::new());
        let mut sent = Metadata::new();
        for (key, value) in metadata {
            sent.insert(key, value);
        }
        header.write(&mut written, &Context::received(sent.clone(), None));
        // fields of a later version come after all of these
        let more = if monitor.is_some() { &more[..] } else { &[] };
        let bytes = longer(&written.0, more);
        let (read, found) = RequestHeader::parse(&bytes).unwrap();
        prop_assert_eq!(found, sent);
        prop_assert_eq!(format!("{read:?}"), format!("{header:?}"));
    }

    #[test]
    fn an_announcement_reads_as_it_was_written(announcement in announcement(), more in more(8)) {
        let frame = Frame::parse(announcement.write().unwrap()).unwrap();
        let read = Announcement::parse(&frame.header, &frame.body).unwrap();
        prop_assert_eq!(&read, &announcement);
        // fields of a later version come after all that are known
        if announcement.heartbeats {
            let header = longer(&frame.header, &more);
            prop_assert_eq!(&Announcement::parse(&header, &frame.body).unwrap(), &announcement);
        }
    }

    #[test]
    fn numbers_and_failures_read_as_they_were_written(id: u64, numbers: [u64; 2], message in "[ -~]{0,50}", traceback in prop::option::of("[ -~]{0,50}"), more in more(3)) {
        let frame = Frame::parse(super::numbers(Kind::Credit, id, numbers)).unwrap();
        prop_assert_eq!(parse_numbers(&longer(&frame.header, &more)).unwrap(), numbers);
        let frame = Frame::parse(fail(id, "Overloaded", &message, traceback.as_deref())).unwrap();
        let shown = crate::text::shown(&message);
        let more = if traceback.is_some() { &more[..] } else { &[] };
        let header = longer(&frame.header, more);
        let read = parse_fail(&header).unwrap();
        prop_assert_eq!((read.kind, read.message), ("Overloaded", shown.as_str()));
        prop_assert_eq!(read.traceback, traceback.as_deref());
    }

    /// Bytes that begin as they should get further than others.
    #[test]
    fn no_header_panics(announcement in announcement(), at: prop::sample::Index, byte: u8, cut: prop::sample::Index, any: Vec<u8>) {
        let frame = Frame::parse(announcement.write().unwrap()).unwrap();
        for good in [&frame.header[..], &frame.body[..], &any] {
            let mut bad = good.to_vec();
            if !bad.is_empty() {
                let at = at.index(bad.len());
                bad[at] = byte;
                bad.truncate(cut.index(bad.len() + 1));
            }
            let _ = Announcement::parse(&bad, &frame.body);
            let _ = Announcement::parse(&frame.header, &bad);
            let _ = RequestHeader::parse(&bad);
            let _ = parse_fail(&bad);
            let _ = parse_numbers::<2>(&bad);
            let _ = Frame::parse(bad.into());
        }
    }
}
