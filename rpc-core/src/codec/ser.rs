//! Values to MessagePack.

use super::{Error, MAX_DEPTH};
use rmp::encode::{self, RmpWriteErr, ValueWriteError};
use serde::ser::{self, Serialize};

/// Appends values to a buffer.
pub(super) struct Serializer<'a> {
    out: &'a mut Vec<u8>,
    depth: usize,
}

impl<'a> Serializer<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, depth: 0 }
    }

    pub(super) fn bin(&mut self, bytes: &[u8]) -> Result<(), Error> {
        length(bytes.len())?;
        encode::write_bin(self.out, bytes).map_err(failed)
    }

    fn enter(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(too_deep());
        }
        Ok(())
    }

    fn array(&mut self, len: Option<usize>) -> Result<Compound<'_, 'a>, Error> {
        self.compound(len, rmp::Marker::Array32, encode::write_array_len)
    }

    fn map(&mut self, len: Option<usize>) -> Result<Compound<'_, 'a>, Error> {
        self.compound(len, rmp::Marker::Map32, encode::write_map_len)
    }

    fn compound<T, E: RmpWriteErr>(
        &mut self,
        len: Option<usize>,
        unknown: rmp::Marker,
        write: impl FnOnce(&mut Vec<u8>, u32) -> Result<T, ValueWriteError<E>>,
    ) -> Result<Compound<'_, 'a>, Error> {
        self.enter()?;
        let patch = match len {
            Some(len) => {
                write(self.out, length(len)?).map_err(failed)?;
                None
            }
            None => Some(self.unknown_len(unknown)),
        };
        Ok(Compound {
            ser: self,
            patch,
            count: 0,
            levels: 1,
        })
    }

    /// Writes a length of zero, and says where, so that it can be corrected.
    fn unknown_len(&mut self, marker: rmp::Marker) -> usize {
        self.out.push(marker.to_u8());
        let at = self.out.len();
        self.out.extend_from_slice(&[0; 4]);
        at
    }

    /// The start of a variant with content: a map of one entry.
    fn variant(&mut self, name: &str) -> Result<(), Error> {
        self.enter()?;
        encode::write_map_len(self.out, 1).map_err(failed)?;
        encode::write_str(self.out, name).map_err(failed)
    }
}

pub(super) fn too_deep() -> Error {
    Error::new(format!("nested deeper than {MAX_DEPTH} levels"))
}

fn length(len: usize) -> Result<u32, Error> {
    u32::try_from(len).map_err(|_| Error::new("longer than MessagePack can say (4 GiB)"))
}

// Writing to a Vec does not fail; the crate's signatures allow for it.
#[cold]
#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
fn failed<E: RmpWriteErr>(error: ValueWriteError<E>) -> Error {
    Error::new(error.to_string())
}

/// Whether a sequence of `T` is bytes. Known from the type alone, so that a value's form does not depend on what is in it.
fn is_byte<T>() -> bool {
    let name = std::any::type_name::<T>();
    name == "u8" || name == "&u8"
}

impl<'s, 'a> ser::Serializer for &'s mut Serializer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Compound<'s, 'a>;
    type SerializeTuple = Compound<'s, 'a>;
    type SerializeTupleStruct = Compound<'s, 'a>;
    type SerializeTupleVariant = Compound<'s, 'a>;
    type SerializeMap = Compound<'s, 'a>;
    type SerializeStruct = Compound<'s, 'a>;
    type SerializeStructVariant = Compound<'s, 'a>;

    fn is_human_readable(&self) -> bool {
        true
    }

    fn serialize_bool(self, v: bool) -> Result<(), Error> {
        encode::write_bool(self.out, v).map_err(|error| Error::new(error.to_string()))
    }

    fn serialize_i8(self, v: i8) -> Result<(), Error> {
        self.serialize_i64(v.into())
    }

    fn serialize_i16(self, v: i16) -> Result<(), Error> {
        self.serialize_i64(v.into())
    }

    fn serialize_i32(self, v: i32) -> Result<(), Error> {
        self.serialize_i64(v.into())
    }

    fn serialize_i64(self, v: i64) -> Result<(), Error> {
        encode::write_sint(self.out, v).map(drop).map_err(failed)
    }

    fn serialize_i128(self, v: i128) -> Result<(), Error> {
        if let Ok(v) = u64::try_from(v) {
            self.serialize_u64(v)
        } else if let Ok(v) = i64::try_from(v) {
            self.serialize_i64(v)
        } else {
            self.bin(&v.to_be_bytes())
        }
    }

    fn serialize_u8(self, v: u8) -> Result<(), Error> {
        self.serialize_u64(v.into())
    }

    fn serialize_u16(self, v: u16) -> Result<(), Error> {
        self.serialize_u64(v.into())
    }

    fn serialize_u32(self, v: u32) -> Result<(), Error> {
        self.serialize_u64(v.into())
    }

    fn serialize_u64(self, v: u64) -> Result<(), Error> {
        encode::write_uint(self.out, v).map(drop).map_err(failed)
    }

    fn serialize_u128(self, v: u128) -> Result<(), Error> {
        match u64::try_from(v) {
            Ok(v) => self.serialize_u64(v),
            Err(_) => self.bin(&v.to_be_bytes()),
        }
    }

    fn serialize_f32(self, v: f32) -> Result<(), Error> {
        encode::write_f32(self.out, v).map_err(failed)
    }

    fn serialize_f64(self, v: f64) -> Result<(), Error> {
        encode::write_f64(self.out, v).map_err(failed)
    }

    fn serialize_char(self, v: char) -> Result<(), Error> {
        self.serialize_str(v.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, v: &str) -> Result<(), Error> {
        length(v.len())?;
        encode::write_str(self.out, v).map_err(failed)
    }

    fn serialize_bytes(self, v: &[u8]) -> Result<(), Error> {
        self.bin(v)
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), Error> {
        let start = self.out.len();
        value.serialize(&mut *self)?;
        if self.out[start..] == [rmp::Marker::Null.to_u8()] {
            return Err(Error::new(
                "`Some` of nothing (`Some(None)`, `Some(())`) would arrive as `None`: use an enum that names the cases",
            ));
        }
        Ok(())
    }

    fn serialize_unit(self) -> Result<(), Error> {
        encode::write_nil(self.out).map_err(|error| Error::new(error.to_string()))
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.variant(variant)?;
        value
            .serialize(&mut *self)
            .map_err(|error| error.in_field(variant))?;
        self.depth -= 1;
        Ok(())
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Compound<'s, 'a>, Error> {
        self.array(len)
    }

    fn serialize_tuple(self, len: usize) -> Result<Compound<'s, 'a>, Error> {
        self.array(Some(len))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        len: usize,
    ) -> Result<Compound<'s, 'a>, Error> {
        self.array(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Compound<'s, 'a>, Error> {
        self.variant(variant)?;
        Ok(Compound {
            levels: 2,
            ..self.array(Some(len))?
        })
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Compound<'s, 'a>, Error> {
        self.map(len)
    }

    fn serialize_struct(self, _: &'static str, len: usize) -> Result<Compound<'s, 'a>, Error> {
        self.map(Some(len))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Compound<'s, 'a>, Error> {
        self.variant(variant)?;
        Ok(Compound {
            levels: 2,
            ..self.map(Some(len))?
        })
    }

    fn collect_seq<I>(self, items: I) -> Result<(), Error>
    where
        I: IntoIterator,
        I::Item: Serialize,
    {
        let items = items.into_iter();
        if is_byte::<I::Item>() {
            let mut bytes = Vec::with_capacity(items.size_hint().0);
            for item in items {
                item.serialize(ByteSerializer(&mut bytes))?;
            }
            return self.bin(&bytes);
        }
        let len = match items.size_hint() {
            (low, Some(high)) if low == high => Some(low),
            _ => None,
        };
        let mut seq = self.array(len)?;
        for item in items {
            ser::SerializeSeq::serialize_element(&mut seq, &item)?;
        }
        ser::SerializeSeq::end(seq)
    }
}

/// An array or map that is being written.
pub(super) struct Compound<'s, 'a> {
    ser: &'s mut Serializer<'a>,
    /// Where the length goes, if it was not known at the start.
    patch: Option<usize>,
    count: usize,
    /// Of nesting that end with it.
    levels: usize,
}

impl Compound<'_, '_> {
    fn item<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Error> {
        let index = self.count;
        self.count += 1;
        value
            .serialize(&mut *self.ser)
            .map_err(|error| error.at_index(index))
    }

    fn entry<T: ?Sized + Serialize>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        self.count += 1;
        encode::write_str(self.ser.out, name).map_err(failed)?;
        value
            .serialize(&mut *self.ser)
            .map_err(|error| error.in_field(name))
    }

    fn finish(self) -> Result<(), Error> {
        if let Some(at) = self.patch {
            self.ser.out[at..at + 4].copy_from_slice(&length(self.count)?.to_be_bytes());
        }
        self.ser.depth -= self.levels;
        Ok(())
    }
}

macro_rules! compound {
    ($($of:ident, $method:ident ($($name:ident)?) via $via:ident;)*) => {$(
        impl ser::$of for Compound<'_, '_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: ?Sized + Serialize>(&mut self, $($name: &'static str,)? value: &T) -> Result<(), Error> {
                self.$via($($name,)? value)
            }

            fn end(self) -> Result<(), Error> {
                self.finish()
            }
        }
    )*};
}

compound! {
    SerializeSeq, serialize_element() via item;
    SerializeTuple, serialize_element() via item;
    SerializeTupleStruct, serialize_field() via item;
    SerializeTupleVariant, serialize_field() via item;
    SerializeStruct, serialize_field(name) via entry;
    SerializeStructVariant, serialize_field(name) via entry;
}

impl ser::SerializeMap for Compound<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), Error> {
        self.count += 1;
        key.serialize(&mut *self.ser)
            .map_err(|error| error.inside(" (key)"))
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Error> {
        let index = self.count - 1;
        value
            .serialize(&mut *self.ser)
            .map_err(|error| error.at_index(index))
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

/// Takes one `u8` out of what is known to be one.
struct ByteSerializer<'a>(&'a mut Vec<u8>);

macro_rules! only_bytes {
    ($($method:ident($($arg:ty),*) -> $ok:ty;)*) => {$(
        fn $method(self, $(_: $arg),*) -> Result<$ok, Error> { Err(not_a_byte()) }
    )*};
}

#[cold]
fn not_a_byte() -> Error {
    Error::new("a `u8` that does not serialize as one")
}

impl ser::Serializer for ByteSerializer<'_> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = ser::Impossible<(), Error>;
    type SerializeTuple = ser::Impossible<(), Error>;
    type SerializeTupleStruct = ser::Impossible<(), Error>;
    type SerializeTupleVariant = ser::Impossible<(), Error>;
    type SerializeMap = ser::Impossible<(), Error>;
    type SerializeStruct = ser::Impossible<(), Error>;
    type SerializeStructVariant = ser::Impossible<(), Error>;

    fn serialize_u8(self, v: u8) -> Result<(), Error> {
        self.0.push(v);
        Ok(())
    }

    only_bytes! {
        serialize_bool(bool) -> (); serialize_i8(i8) -> (); serialize_i16(i16) -> (); serialize_i32(i32) -> ();
        serialize_i64(i64) -> (); serialize_u16(u16) -> (); serialize_u32(u32) -> (); serialize_u64(u64) -> ();
        serialize_f32(f32) -> (); serialize_f64(f64) -> (); serialize_char(char) -> (); serialize_str(&str) -> ();
        serialize_bytes(&[u8]) -> (); serialize_none() -> (); serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> (); serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_seq(Option<usize>) -> Self::SerializeSeq; serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct(&'static str, usize) -> Self::SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }

    fn serialize_some<T: ?Sized + Serialize>(self, _: &T) -> Result<(), Error> {
        Err(not_a_byte())
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        Err(not_a_byte())
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        Err(not_a_byte())
    }
}
