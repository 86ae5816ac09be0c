//! Makes arguments up, of types of which nothing is known but what they ask for.
//!
//! Arguments that end too early are decoded; the error says what would have been taken; that is put there, and so on until all is
//! decoded. Where something does not fit after all, the next thing is tried in its place: the newest choice first.

use super::node::{Node, Of, Place};
use crate::codec::Wish;
use std::collections::VecDeque;

/// How often decoding is tried for one message.
const TRIES: usize = 5_000;

/// How deep values are nested that are made up.
const DEPTH: usize = 16;

/// What came of decoding arguments as far as they are known.
pub(super) enum Tried {
    /// All are there.
    Complete,
    /// Something is missing or does not fit.
    Failed {
        message: String,
        wish: Option<Wish>,
        /// What was wished for on the way by something that then failed silently.
        heard: Vec<Wish>,
    },
}

/// Values for so many arguments, encoded; or why there are none.
pub(super) fn make_up(
    count: usize,
    mut attempt: impl FnMut(&[Vec<u8>]) -> Tried,
    mut accept: impl FnMut(&[Vec<u8>]) -> Result<(), String>,
) -> Result<Vec<Vec<u8>>, String> {
    let mut open = VecDeque::from([State {
        args: vec![Node::HOLE; count],
        heard: Vec::new(),
    }]);
    // where it went wrong first, among what got furthest
    let mut furthest: Option<(usize, String)> = None;
    for _ in 0..TRIES {
        let Some(mut state) = open.pop_back() else {
            break;
        };
        let reached = state.args.iter_mut().map(Node::known).sum();
        let bytes: Vec<Vec<u8>> = state.args.iter().map(Node::padded).collect();
        let (message, wish, heard) = match attempt(&bytes) {
            Tried::Complete => {
                let bytes: Vec<Vec<u8>> = state.args.iter_mut().map(Node::whole).collect();
                match accept(&bytes) {
                    Ok(()) => return Ok(bytes),
                    Err(message) => (message, Some(Wish::Nothing), Vec::new()),
                }
            }
            Tried::Failed {
                message,
                wish,
                heard,
            } => (message, wish, heard),
        };
        let before = open.len();
        state.go_on(wish, heard, &mut open);
        if open.len() == before && furthest.as_ref().is_none_or(|(most, _)| reached > *most) {
            furthest = Some((reached, message));
        }
    }
    Err(furthest.map_or("nothing was found".into(), |(_, message)| message))
}

/// Arguments as far as they are known.
struct State {
    args: Vec<Node>,
    /// What was wished for silently, and has been followed here or elsewhere.
    heard: Vec<Wish>,
}

impl State {
    /// Adds what to try after a failure: at the end what is tried next, at the start what is tried last.
    fn go_on(mut self, wish: Option<Wish>, heard: Vec<Wish>, open: &mut VecDeque<Self>) {
        if let Some(wish) = wish {
            let next = match wish {
                Wish::Field(_) | Wish::Variant(_) | Wish::Once(_) => repaired(&self.args, wish),
                _ => filled(&self.args, wish),
            };
            let heard = self.heard;
            return open.extend(next.into_iter().rev().map(|args| Self {
                args,
                heard: heard.clone(),
            }));
        }
        // what is heard for the first time is a step forward; the rest was heard by what this one was made of
        let (old, new): (Vec<Wish>, Vec<Wish>) = heard
            .into_iter()
            .partition(|wish| self.heard.contains(wish));
        self.heard.extend(&new);
        let states = |wishes: Vec<Wish>| {
            let next: Vec<Self> = wishes
                .into_iter()
                .flat_map(|wish| repaired(&self.args, wish))
                .map(|args| Self {
                    args,
                    heard: self.heard.clone(),
                })
                .collect();
            next
        };
        let (new, old) = (states(new), states(old));
        open.extend(new.into_iter().rev());
        old.into_iter().for_each(|state| open.push_front(state));
    }
}

/// What is asked for, in place of the first hole.
fn filled(args: &[Node], wish: Wish) -> Vec<Vec<Node>> {
    // arguments are asked for in turn
    let hole = args
        .iter()
        .position(|arg| arg.clone().first_hole().is_some());
    let Some(at) = hole else {
        return Vec::new();
    };
    let with = |arg: Node| {
        let mut args = args.to_vec();
        args[at] = arg;
        args
    };
    let fitting = args[at]
        .clone()
        .first_hole()
        .map(|place| fitting(wish, &place));
    let filled = fitting.into_iter().flatten().map(|value| {
        let mut arg = args[at].clone();
        if let Some(place) = arg.first_hole() {
            *place.hole = value;
        }
        arg
    });
    let bytes = (wish == Wish::U8).then(|| as_bytes(&args[at])).flatten();
    bytes.into_iter().chain(filled).map(with).collect()
}

/// What fits into a hole.
fn fitting(wish: Wish, place: &Place<'_>) -> Vec<Node> {
    if place.depth > DEPTH {
        return Vec::new();
    }
    let unsigned = |values: &[u64]| values.iter().copied().map(Node::Unsigned).collect();
    let holes = |len| vec![Node::HOLE; len];
    let seq = |len| Node::Array {
        items: holes(len),
        seq: true,
    };
    let map = |of, entries| Node::Map { of, entries };
    let fields = |of, fields: &[&'static str]| {
        let entries = fields.iter().map(|field| (Node::name(field), Node::HOLE));
        vec![map(of, entries.collect())]
    };
    match wish {
        Wish::Bool => vec![Node::Bool(true), Node::Bool(false)],
        Wish::U8 => unsigned(&[1, 0, 2]),
        Wish::Unsigned => unsigned(&[1, 0, 2, 10, 1000, 1_000_000]),
        Wish::Signed => [1, 0, -1, 2, 10, 1000, 1_000_000].map(Node::Signed).into(),
        Wish::F32 => [1.5, 1.0, 0.5, 0.0].map(Node::F32).into(),
        Wish::F64 => [1.5, 1.0, 0.5, 0.0].map(Node::F64).into(),
        Wish::Char => vec![Node::guess("a"), Node::guess("1")],
        Wish::Str => TEXTS.iter().map(|text| Node::guess(text)).collect(),
        Wish::Bytes => [&[1][..], &[1; 4], &[1; 16], &[]].map(Node::Bin).into(),
        // what is something already, and asks again, is an option of an option
        Wish::Option => match place.hole {
            Node::Hole { some: true } => Vec::new(),
            _ => vec![Node::Hole { some: true }, Node::Nil],
        },
        Wish::Unit | Wish::Ignored => vec![Node::Nil],
        Wish::Seq => vec![seq(1), seq(0), seq(2)],
        Wish::Tuple(len) => vec![Node::Array {
            items: holes(len),
            seq: false,
        }],
        Wish::Map => vec![
            map(Of::Open, vec![(Node::HOLE, Node::HOLE)]),
            map(Of::Open, Vec::new()),
        ],
        Wish::Struct(name, names) => {
            let of = Of::Struct(name, names);
            // a type within itself would never end
            match place.within.contains(&of) {
                true => Vec::new(),
                false => fields(of, names),
            }
        }
        Wish::Fields(names) => fields(Of::Fields, names),
        Wish::Enum(name, variants) => variants
            .iter()
            .map(|variant| (*variant, Of::Variant(name, variants, variant)))
            .filter(|(_, of)| !place.within.contains(of))
            .flat_map(|(variant, of)| {
                let name = Node::name(variant);
                [name.clone(), map(of, vec![(name, Node::HOLE)])]
            })
            .collect(),
        // a map of which the fields are not known is filled by what it then misses
        Wish::Name if place.is_key => Vec::new(),
        Wish::Name => vec![Node::guess("a")],
        Wish::Any => {
            let mut any = vec![
                Node::Unsigned(1),
                Node::guess("a"),
                Node::Bool(true),
                map(Of::Open, Vec::new()),
                seq(1),
                Node::F64(1.5),
                Node::Nil,
                seq(0),
            ];
            any.extend(TEXTS[1..].iter().map(|text| Node::guess(text)));
            any
        }
        Wish::Field(_) | Wish::Variant(_) | Wish::Once(_) | Wish::Nothing => Vec::new(),
    }
}

/// The sequence that the first hole is the first element of, as bytes: what holds `u8`s is sent so.
fn as_bytes(arg: &Node) -> Option<Node> {
    let mut arg = arg.clone();
    arg.last(&mut |node| match node {
        Node::Array { items, seq: true } if items.first() == Some(&Node::HOLE) => {
            *node = Node::Bin(&[1]);
            Some(())
        }
        _ => None,
    })?;
    Some(arg)
}

/// What is there already, put right.
fn repaired(args: &[Node], wish: Wish) -> Vec<Vec<Node>> {
    // what fails is the last that was looked at
    let Some(at) = args.iter().rposition(|arg| *arg != Node::HOLE) else {
        return Vec::new();
    };
    let repair = |repair: &mut dyn FnMut(&mut Node) -> Option<()>| {
        let mut args = args.to_vec();
        args[at].last(&mut |node| repair(node)).map(|()| args)
    };
    match wish {
        Wish::Field(field) => {
            let mut skip = 0;
            std::iter::from_fn(|| {
                let mut left = skip;
                skip += 1;
                repair(&mut |node| match node {
                    Node::Map {
                        of: Of::Open,
                        entries,
                    } if !entries.iter().any(|(key, _)| *key == Node::name(field)) => match left {
                        0 => {
                            entries.push((Node::name(field), Node::HOLE));
                            Some(())
                        }
                        _ => {
                            left -= 1;
                            None
                        }
                    },
                    _ => None,
                })
            })
            .collect()
        }
        Wish::Variant(names) => names
            .iter()
            .filter_map(|name| {
                repair(&mut |node| match node {
                    Node::Str { guessed: true, .. } => {
                        *node = Node::name(name);
                        Some(())
                    }
                    _ => None,
                })
            })
            .collect(),
        // Another name of what is there; its value has not been looked at. Names of one field stand together: the first of them
        // is kept that is not an alias.
        Wish::Once(field) => repair(&mut |node| match node {
            Node::Map { entries, .. } => {
                let hole = entries.iter().position(|(_, value)| *value == Node::HOLE)?;
                let alias = match entries[hole].0 == Node::name(field) {
                    true => hole.checked_sub(1)?,
                    false => hole,
                };
                entries.remove(alias);
                Some(())
            }
            _ => None,
        })
        .into_iter()
        .collect(),
        _ => Vec::new(),
    }
}

/// Texts that one type or another takes.
const TEXTS: &[&str] = &[
    "a",
    "00000000-0000-4000-8000-000000000001",
    "1",
    "1.5",
    "192.0.2.1",
    "2001:db8::1",
    "192.0.2.1:1",
    "[2001:db8::1]:1",
    "192.0.2.0/24",
    "2001:db8::/32",
    "02:00:00:00:00:01",
    "2001-02-03",
    "2001-02-03T04:05:06Z",
    "2001-02-03T04:05:06",
    "2001-02-03 04:05:06",
    "04:05:06",
    "1s",
    "PT1S",
    "1.2.3",
    "1.2",
    "true",
    "http://example.org/",
    "a@example.org",
    "/a",
    "a/b",
    "a:b",
    "a=b",
    "A",
    "en",
    "UTC",
    "USD",
    "#010203",
    "01",
    "0x1",
    "AQ==",
    "",
    "aaaaaaaa",
    "0000000000000000000000000000000000000001",
    "0000000000000000000000000000000000000000000000000000000000000001",
];
