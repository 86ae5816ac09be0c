//! A value that is being made up: known up to a first hole.

use crate::codec::{PADDING, SOME};

/// A part of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// Nothing is known of it yet, or only that it is something and not `None`.
    Hole {
        some: bool,
    },
    Nil,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    F32(f32),
    F64(f64),
    Str {
        text: &'static str,
        /// Nobody said that it could be this one.
        guessed: bool,
    },
    Bin(&'static [u8]),
    Array {
        items: Vec<Node>,
        /// Of any length, so that it may as well be bytes.
        seq: bool,
    },
    Map {
        of: Of,
        entries: Vec<(Node, Node)>,
    },
}

/// What a map stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Of {
    /// A type with these fields.
    Struct(&'static str, &'static [&'static str]),
    /// A variant of a type.
    Variant(&'static str, &'static [&'static str], &'static str),
    /// The fields of a variant.
    Fields,
    /// Anything: more may come into it.
    Open,
}

/// The way to the first hole.
pub(super) struct Place<'a> {
    pub(super) hole: &'a mut Node,
    /// The maps that it is in, the outermost first.
    pub(super) within: Vec<Of>,
    /// How deep it is.
    pub(super) depth: usize,
    pub(super) is_key: bool,
}

/// Room for what a container says that it has: each entry takes a byte, or two.
const AHEAD: usize = 1024;

impl Node {
    pub(super) const HOLE: Self = Self::Hole { some: false };

    pub(super) fn guess(text: &'static str) -> Self {
        Self::Str {
            text,
            guessed: true,
        }
    }

    pub(super) fn name(text: &'static str) -> Self {
        Self::Str {
            text,
            guessed: false,
        }
    }

    /// What is known of it, encoded, and padding in place of the rest.
    pub(super) fn padded(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if let Err(some) = self.write(&mut out) {
            out.push(if some { SOME } else { PADDING });
        }
        out.resize(out.len() + AHEAD, PADDING);
        out
    }

    /// All of it, encoded. A hole that nobody has asked for is nil.
    pub(super) fn whole(&mut self) -> Vec<u8> {
        while let Some(place) = self.first_hole() {
            *place.hole = Self::Nil;
        }
        let mut out = Vec::new();
        let _ = self.write(&mut out);
        out
    }

    /// Up to the first hole: then whether it is known to be something. A Vec takes whatever is written.
    fn write(&self, out: &mut Vec<u8>) -> Result<(), bool> {
        use rmp::encode;
        match self {
            Self::Hole { some } => return Err(*some),
            Self::Nil => out.push(0xc0),
            Self::Bool(v) => out.push(0xc2 + u8::from(*v)),
            Self::Unsigned(v) => drop(encode::write_uint(out, *v)),
            Self::Signed(v) => drop(encode::write_sint(out, *v)),
            Self::F32(v) => drop(encode::write_f32(out, *v)),
            Self::F64(v) => drop(encode::write_f64(out, *v)),
            Self::Str { text, .. } => drop(encode::write_str(out, text)),
            Self::Bin(bytes) => drop(encode::write_bin(out, bytes)),
            Self::Array { items, .. } => {
                let _ = encode::write_array_len(out, count(items.len()));
                for item in items {
                    item.write(out)?;
                }
            }
            Self::Map { entries, .. } => {
                let _ = encode::write_map_len(out, count(entries.len()));
                for (key, value) in entries {
                    key.write(out)?;
                    value.write(out)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn first_hole(&mut self) -> Option<Place<'_>> {
        match self {
            Self::Hole { .. } => Some(Place {
                hole: self,
                within: Vec::new(),
                depth: 0,
                is_key: false,
            }),
            Self::Array { items, .. } => {
                let mut place = items.iter_mut().find_map(Self::first_hole)?;
                place.depth += 1;
                Some(place)
            }
            Self::Map { of, entries } => {
                for (key, value) in entries {
                    let is_key = *key == Self::HOLE;
                    let Some(mut place) = key.first_hole().or_else(|| value.first_hole()) else {
                        continue;
                    };
                    place.within.insert(0, *of);
                    place.depth += 1;
                    place.is_key |= is_key;
                    return Some(place);
                }
                None
            }
            _ => None,
        }
    }

    /// How many parts of it are known.
    pub(super) fn known(&mut self) -> usize {
        let mut known = 0;
        self.last(&mut |node| {
            known += usize::from(!matches!(node, Self::Hole { .. }));
            None::<()>
        });
        known
    }

    /// Calls for each part, the last and innermost first, until something comes of it.
    pub(super) fn last<T>(&mut self, call: &mut impl FnMut(&mut Self) -> Option<T>) -> Option<T> {
        let inner = match self {
            Self::Array { items, .. } => items.iter_mut().rev().find_map(|item| item.last(call)),
            Self::Map { entries, .. } => {
                let mut entries = entries.iter_mut().rev();
                entries.find_map(|(key, value)| value.last(call).or_else(|| key.last(call)))
            }
            _ => None,
        };
        inner.or_else(|| call(self))
    }
}

fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
