//! The client's half: arguments as they were given, and the message that they make in one version.

use crate::codec::{self, Encoded, Reader, Token};
use crate::{ApiInfo, ArgInfo, MethodInfo, Version};
use serde::Serialize;
use std::fmt;

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
    /// The newest of the values that came later than their argument: its version, and which argument has it.
    pub(super) came_with: Option<(Version, usize)>,
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
            came_with: None,
            older: Vec::new(),
        }
    }

    /// Takes it out of where it is, and leaves nothing there.
    pub(crate) fn take(&mut self) -> Self {
        Self {
            encoded: self.encoded.take(),
            older: std::mem::take(&mut self.older),
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
        let Some(info) = self
            .method
            .args()
            .get(index)
            .filter(|_| index < MOST_ARGS)
        else {
            return Err(codec::Error::new(format!(
                "a method has at most {MOST_ARGS} arguments"
            )));
        };
        let bit = 1 << index;
        if self.written & bit != 0 {
            self.remove(info)?;
        }
        self.written |= bit;
        // a Vec takes whatever is written
        let _ = rmp::encode::write_str(self.encoded.tail(), info.name());
        let before = self.encoded.len();
        write(&mut self.encoded).map_err(|error| error.in_field(info.name()))?;
        if let Some(default) = info.default_bytes() {
            let value = self.encoded.bytes().get(before..);
            let same = u64::from(value == Some(default)) << index;
            self.at_default = self.at_default & !bit | same;
        }
        Ok(())
    }

    /// Takes out what was given for an argument before.
    fn remove(&mut self, info: &ArgInfo) -> Result<(), codec::Error> {
        let mut kept = Encoded::new();
        write_count(kept.tail(), self.method.args().len());
        for pair in pairs(self.encoded.bytes()) {
            let Pair { name, start, bytes } = pair?;
            if name != info.name() {
                kept.tail().extend_from_slice(&bytes[start..]);
            }
        }
        self.encoded = kept;
        Ok(())
    }

    /// What messages hold that are so old that the argument had another type.
    pub(crate) fn form<T: Serialize, E: fmt::Display>(
        &mut self,
        arg: usize,
        form: usize,
        value: Result<T, E>,
    ) {
        let value = match value {
            Ok(value) => {
                let mut encoded = Encoded::new();
                encoded
                    .push(&value)
                    .map(|()| encoded.bytes().to_vec())
                    .map_err(|error| error.to_string())
            }
            Err(error) => Err(crate::text::shown(&error.to_string())),
        };
        self.older
            .retain(|older| (older.arg, older.form) != (arg, form));
        self.older.push(Older { arg, form, value });
    }

    /// The value that was given for an argument came with this version.
    pub(crate) fn came_with(&mut self, arg: usize, version: Version) {
        if self.came_with.is_none_or(|(newest, _)| newest < version) {
            self.came_with = Some((version, arg));
        }
    }

    /// Whether an argument was given another value than a server would fill in.
    pub(super) fn is_set(&self, index: usize) -> bool {
        (self.written & !self.at_default) >> index & 1 != 0
    }

    /// Why an argument cannot be said in an older type.
    pub(super) fn unsayable(&self, arg: usize, form: usize) -> Option<&str> {
        let older = self.older(arg, form)?;
        older.as_ref().err().map(String::as_str)
    }

    fn older(&self, arg: usize, form: usize) -> Option<&Result<Vec<u8>, String>> {
        self.older
            .iter()
            .find(|older| (older.arg, older.form) == (arg, form))
            .map(|older| &older.value)
    }

    /// The message's arguments in a version that [`version`](Self::version) allows.
    pub(crate) fn seal(mut self, version: Version) -> Result<Encoded, codec::Error> {
        if self.method.is_plain() {
            return Ok(self.encoded);
        }
        let mut count = 0;
        let mut as_packed = true;
        for (index, info) in self.method.args().iter().enumerate() {
            let written = self.written >> index & 1 != 0;
            if !info.is_in(version) {
                as_packed &= !written;
                continue;
            }
            count += 1;
            as_packed &= info.names().is_empty() && info.types().is_empty();
            if !written {
                let default = info.default_bytes().unwrap_or_default();
                if default.is_empty() {
                    return Err(codec::Error::new("its default can't be encoded").in_field(info.name()));
                }
                let _ = rmp::encode::write_str(self.encoded.tail(), info.name());
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
        for pair in pairs(self.encoded.bytes()) {
            let Pair { name, start, bytes } = pair?;
            let args = self.method.args();
            let found = args.iter().position(|info| info.name() == name);
            let Some(index) = found.filter(|index| args[*index].is_in(version)) else {
                continue;
            };
            let info = &args[index];
            let value = match info.form_in(version) {
                None => &bytes[start + name_len(name)..],
                Some(form) => match self.older(index, form) {
                    Some(Ok(value)) => value,
                    // the version was chosen so that this does not happen
                    _ => return Err(codec::Error::new("it has no older form").in_field(name)),
                },
            };
            let _ = rmp::encode::write_str(older.tail(), info.name_in(version));
            older.tail().extend_from_slice(value);
        }
        Ok(older)
    }
}

/// A name with its value, as they were packed.
struct Pair<'a> {
    name: &'a str,
    /// Where the name's encoding begins.
    start: usize,
    /// Everything up to the end of the value.
    bytes: &'a [u8],
}

fn pairs(bytes: &[u8]) -> impl Iterator<Item = Result<Pair<'_>, codec::Error>> {
    let mut at = header_len(bytes);
    std::iter::from_fn(move || {
        (at < bytes.len()).then(|| {
            let start = at;
            let mut reader = Reader::new(&bytes[start..]);
            let Token::Str(name) = reader.token()? else {
                return Err(codec::Error::new("an argument's name is a string"));
            };
            let value = start + name_len(name);
            at = codec::skip(bytes, value)?;
            Ok(Pair {
                name,
                start,
                bytes: &bytes[..at],
            })
        })
    })
}

/// How long the encoding of a name is.
fn name_len(name: &str) -> usize {
    name.len()
        + match name.len() {
            0..32 => 1,
            32..256 => 2,
            256..65536 => 3,
            _ => 5,
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
fn set_count(bytes: &mut [u8], count: u8) {
    match bytes {
        [0xde, high, low, ..] => (*high, *low) = (0, count),
        [first, ..] => *first = 0x80 | count,
        [] => {}
    }
}
