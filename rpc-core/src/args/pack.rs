//! The client's half: arguments as they were given, and the message that they make in one version.

use crate::codec::{self, Encoded, Reader, Token};
use crate::{ApiInfo, ArgInfo, MethodInfo, Version};
use serde::Serialize;

/// The arguments that a user gave: names and values one after another, after a map's header that is complete once the message
/// is [sealed](Self::seal).
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    pub(super) api: &'static ApiInfo,
    pub(super) method: &'static MethodInfo,
    encoded: Encoded,
    /// One bit for each argument that was given.
    written: u64,
    /// One bit for each that was given the value which a server would fill in.
    at_default: u64,
    seldom: Option<Box<Seldom>>,
}

/// What few methods have.
#[derive(Clone, Debug, Default)]
struct Seldom {
    /// Values that came later than their argument: with which version, and which argument has one.
    came_with: Vec<(Version, usize)>,
    /// What older versions hold for arguments whose type has changed.
    older: Vec<Older>,
}

/// The value of an argument as it was in an older type, or why there is none.
#[derive(Clone, Debug)]
struct Older {
    arg: usize,
    form: usize,
    value: Result<Vec<u8>, String>,
}

/// A method can have this many arguments: one bit of a word each.
const MOST_ARGS: usize = 64;

impl Packed {
    pub(crate) fn new(api: &'static ApiInfo, method: &'static MethodInfo) -> Self {
        let mut encoded = Encoded::new();
        write_count(encoded.tail(), method.args().len());
        Self {
            api,
            method,
            encoded,
            written: 0,
            at_default: 0,
            seldom: None,
        }
    }

    /// Takes it out of where it is, and leaves nothing there.
    pub(crate) fn take(&mut self) -> Self {
        Self {
            encoded: self.encoded.take(),
            seldom: self.seldom.take(),
            ..*self
        }
    }

    /// How long it is, or about that, if the version it is sent in is not the one that it was packed for.
    pub(crate) fn len(&self) -> usize {
        self.encoded.len()
    }

    pub(crate) fn arg<T: ?Sized + Serialize>(
        &mut self,
        index: usize,
        value: &T,
    ) -> Result<(), codec::Error> {
        self.write(index, |encoded| encoded.push(value))
    }

    pub(crate) fn bytes(&mut self, index: usize, value: &[u8]) -> Result<(), codec::Error> {
        self.write(index, |encoded| encoded.push_bin(value))
    }

    fn write(
        &mut self,
        index: usize,
        write: impl FnOnce(&mut Encoded) -> Result<(), codec::Error>,
    ) -> Result<(), codec::Error> {
        let Some(info) = self.method.args().get(index).filter(|_| index < MOST_ARGS) else {
            return Err(codec::Error::new(format!(
                "a method has at most {MOST_ARGS} arguments"
            )));
        };
        let bit = 1 << index;
        if self.written & bit != 0 {
            self.remove(index)?;
        }
        self.written |= bit;
        self.key(index, info);
        let before = self.encoded.len();
        write(&mut self.encoded).map_err(|error| error.in_field(info.name()))?;
        if let Some(default) = info.default_bytes() {
            let value = &self.encoded.bytes()[before..];
            // mostly the first byte tells them apart already
            let same = value.first() == default.first() && value == default;
            self.at_default = self.at_default & !bit | u64::from(same) << index;
        }
        Ok(())
    }

    /// Writes the name of an argument; or its index where the name depends on the version, and is written when that is known.
    fn key(&mut self, index: usize, info: &ArgInfo) {
        // a Vec takes whatever is written
        if self.method.growth().aged {
            let _ = rmp::encode::write_uint(self.encoded.tail(), index as u64);
        } else {
            let _ = rmp::encode::write_str(self.encoded.tail(), info.name());
        }
    }

    /// The arguments as they were packed: index and encoded value.
    fn pairs(&self) -> impl Iterator<Item = Result<(usize, &[u8]), codec::Error>> {
        let args = self.method.args();
        let bytes = self.encoded.bytes();
        let mut reader = Reader::new(&bytes[header_len(bytes)..]);
        std::iter::from_fn(move || {
            (!reader.is_at_end()).then(|| {
                let index = match reader.token()? {
                    Token::Str(name) => args.iter().position(|info| info.name() == name),
                    Token::Unsigned(index) => usize::try_from(index).ok(),
                    _ => None,
                };
                let value = reader.skip_value()?;
                index
                    .map(|index| (index, value))
                    .ok_or_else(|| codec::Error::new("a value is no argument's"))
            })
        })
    }

    /// The arguments that were given: name and encoded value.
    pub(crate) fn given(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let args = self.method.args();
        self.pairs()
            .filter_map(Result::ok)
            .map(|(index, value)| (args[index].name(), value))
    }

    /// Takes out what was given for an argument before.
    fn remove(&mut self, removed: usize) -> Result<(), codec::Error> {
        let mut kept = Self::new(self.api, self.method);
        for pair in self.pairs() {
            let (index, value) = pair?;
            if index != removed {
                kept.key(index, &self.method.args()[index]);
                kept.encoded.tail().extend_from_slice(value);
            }
        }
        self.encoded = kept.encoded;
        Ok(())
    }

    /// What messages hold that are so old that the argument had another type.
    pub(crate) fn form<T: Serialize>(&mut self, arg: usize, form: usize, value: Result<T, String>) {
        let value = value.and_then(|value| {
            let mut encoded = Encoded::new();
            let pushed = encoded.push(&value);
            pushed
                .map(|()| encoded.bytes().to_vec())
                .map_err(|error| error.to_string())
        });
        let older = &mut self.seldom.get_or_insert_default().older;
        older.retain(|older| (older.arg, older.form) != (arg, form));
        older.push(Older { arg, form, value });
    }

    /// Whether the value that was given for an argument came with this version.
    pub(crate) fn came_with(&mut self, arg: usize, version: Version, came: bool) {
        if !came && self.seldom.is_none() {
            return;
        }
        let values = &mut self.seldom.get_or_insert_default().came_with;
        values.retain(|value| *value != (version, arg));
        if came {
            values.push((version, arg));
        }
    }

    /// The newest of the values that came later than their argument, and which argument has it.
    pub(super) fn newest_value(&self) -> Option<(Version, usize)> {
        self.seldom.as_ref()?.came_with.iter().max().copied()
    }

    /// One bit for each argument that was given another value than a server would fill in.
    pub(super) fn set(&self) -> u64 {
        self.written & !self.at_default
    }

    /// Why an argument cannot be said in an older type.
    pub(super) fn unsayable(&self, arg: usize, form: usize) -> Option<&str> {
        let older = self.older(arg, form)?;
        older.as_ref().err().map(String::as_str)
    }

    fn older(&self, arg: usize, form: usize) -> Option<&Result<Vec<u8>, String>> {
        let older = &self.seldom.as_ref()?.older;
        older
            .iter()
            .find(|older| (older.arg, older.form) == (arg, form))
            .map(|older| &older.value)
    }

    /// The message's arguments in a version that [`version`](Self::version) allows.
    pub(crate) fn seal(mut self, version: Version) -> Result<Encoded, codec::Error> {
        let growth = self.method.growth();
        if growth.is_none() {
            return Ok(self.encoded);
        }
        if growth.held_in(version) == Some(self.written) {
            // the header was made for all of them
            if self.written != growth.all {
                set_count(self.encoded.bytes_mut(), self.written.count_ones());
            }
            return Ok(self.encoded);
        }
        let mut count = 0;
        let mut as_packed = !growth.aged;
        for (index, info) in self.method.args().iter().enumerate() {
            let written = self.written >> index & 1 != 0;
            if !info.is_in(version) {
                as_packed &= !written;
                continue;
            }
            count += 1;
            if !written {
                let default = info.default_bytes().unwrap_or_default();
                if default.is_empty() {
                    return Err(
                        codec::Error::new("its default can't be encoded").in_field(info.name())
                    );
                }
                self.key(index, info);
                self.encoded.tail().extend_from_slice(default);
            }
        }
        if !as_packed {
            self.encoded = self.rewritten(version)?;
        }
        set_count(self.encoded.bytes_mut(), count);
        Ok(self.encoded)
    }

    /// The pairs that a version has, each under its name and in its type there.
    fn rewritten(&self, version: Version) -> Result<Encoded, codec::Error> {
        let mut older = Encoded::with_room_for(self.encoded.len());
        write_count(older.tail(), self.method.args().len());
        for pair in self.pairs() {
            let (index, value) = pair?;
            let info = &self.method.args()[index];
            if !info.is_in(version) {
                continue;
            }
            let value = match info.form_in(version) {
                None => value,
                Some(form) => match self.older(index, form) {
                    Some(Ok(value)) => value,
                    // the version was chosen so that this does not happen
                    _ => {
                        return Err(codec::Error::new("it has no older form").in_field(info.name()));
                    }
                },
            };
            let _ = rmp::encode::write_str(older.tail(), info.name_in(version));
            older.tail().extend_from_slice(value);
        }
        Ok(older)
    }
}

/// A map's header, as long as one for so many pairs has to be.
fn write_count(buffer: &mut Vec<u8>, most: usize) {
    let count = u32::try_from(most).unwrap_or(u32::MAX);
    let _ = rmp::encode::write_map_len(buffer, count);
}

fn header_len(bytes: &[u8]) -> usize {
    match bytes.first() {
        Some(0xde) => 3,
        _ => 1,
    }
}

/// Says in a header of [`write_count`] how many pairs there are; they are not more than it was made for.
fn set_count(bytes: &mut [u8], count: u32) {
    // an argument has a bit, and there are 64
    let count = count.to_le_bytes()[0];
    match bytes {
        [0xde, high, low, ..] => (*high, *low) = (0, count),
        [first, ..] => *first = 0x80 | count,
        [] => {}
    }
}
