//! MessagePack to values.

use super::skip::{Reader, Token};
use super::{Error, MAX_DEPTH, SOME, Wish, ser::too_deep};
use serde::de::{self, DeserializeSeed, Visitor, value::SeqDeserializer};

/// Reads values from bytes that were checked by [`skip`](super::skip()).
pub(super) struct Deserializer<'de> {
    reader: Reader<'de>,
    depth: usize,
}

impl<'de> Deserializer<'de> {
    pub(super) fn new(bytes: &'de [u8]) -> Self {
        Self {
            reader: Reader::new(bytes),
            depth: 0,
        }
    }

    fn peek(&self) -> Result<Token<'de>, Error> {
        let mut ahead = self.reader;
        ahead.token()
    }

    /// Reads whatever comes. Only where nothing does, it is of interest what was asked for: checked bytes never get there.
    #[inline]
    fn any<V: Visitor<'de>>(
        &mut self,
        visitor: V,
        wish: impl FnOnce() -> Wish,
    ) -> Result<V::Value, Error> {
        let token = match self.reader.token() {
            Ok(token) => token,
            Err(error) => return Err(error.wishing(wish())),
        };
        match token {
            Token::Nil => visitor.visit_unit(),
            Token::Bool(v) => visitor.visit_bool(v),
            Token::Unsigned(v) => visitor.visit_u64(v),
            Token::Signed(v) => visitor.visit_i64(v),
            Token::F32(v) => visitor.visit_f32(v),
            Token::F64(v) => visitor.visit_f64(v),
            Token::Str(v) => visitor.visit_borrowed_str(v),
            Token::Bin(v) => bytes_as_seq(v, visitor),
            Token::Array(len) => self.array(len, visitor),
            Token::Map(len) => self.map(len, visitor),
        }
    }

    fn integer(&mut self, wish: Wish) -> Result<Token<'de>, Error> {
        self.reader.token().map_err(|error| error.wishing(wish))
    }

    /// Goes on where it has been decided that an option is something.
    #[cold]
    fn no_option(&self, error: Error) -> Result<(), Error> {
        match self.reader.next_byte() {
            Some(SOME) => Ok(()),
            _ => Err(error.wishing(Wish::Option)),
        }
    }

    fn array<V: Visitor<'de>>(&mut self, len: usize, visitor: V) -> Result<V::Value, Error> {
        self.enter()?;
        let mut entries = Entries::new(self, len);
        let value = visitor.visit_seq(&mut entries)?;
        entries.all_read()?;
        self.depth -= 1;
        Ok(value)
    }

    fn map<V: Visitor<'de>>(&mut self, len: usize, visitor: V) -> Result<V::Value, Error> {
        self.enter()?;
        let mut entries = Entries::new(self, len);
        let value = visitor.visit_map(&mut entries)?;
        entries.all_read()?;
        self.depth -= 1;
        Ok(value)
    }

    fn enter(&mut self) -> Result<(), Error> {
        if self.depth == MAX_DEPTH {
            return Err(too_deep());
        }
        self.depth += 1;
        Ok(())
    }
}

fn wrong_type(found: Token<'_>, expected: &str) -> Error {
    Error::new(format!("this is {}, expected {expected}", found.kind()))
}

/// `bin` as a sequence. serde keeps what it must read twice (tagged, untagged, flattened) in a form in which bytes fit only
/// what asks for bytes, but a sequence fits `Vec<u8>` as well.
fn bytes_as_seq<'de, V: Visitor<'de>>(bytes: &[u8], visitor: V) -> Result<V::Value, Error> {
    visitor.visit_seq(SeqDeserializer::new(bytes.iter().copied()))
}

/// What takes whatever comes, and asks for something in particular where nothing does.
macro_rules! wishing {
    ($($method:ident($($arg:ident: $ty:ty),*) => $wish:expr;)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, $($arg: $ty,)* visitor: V) -> Result<V::Value, Error> {
            self.any(visitor, || $wish)
        }
    )*};
}

impl<'de> de::Deserializer<'de> for &mut Deserializer<'de> {
    type Error = Error;

    fn is_human_readable(&self) -> bool {
        true
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.any(visitor, || Wish::Any)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.peek() {
            Ok(Token::Bin(v)) => {
                self.reader.token()?;
                visitor.visit_borrowed_bytes(v)
            }
            Ok(_) => self.deserialize_any(visitor),
            Err(error) => Err(error.wishing(Wish::Bytes)),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.integer(Wish::Signed)? {
            Token::Unsigned(v) => visitor.visit_u64(v),
            Token::Signed(v) => visitor.visit_i64(v),
            Token::Bin(v) => match v.try_into() {
                Ok(v) => visitor.visit_i128(i128::from_be_bytes(v)),
                Err(_) => Err(wrong_type(Token::Bin(v), "an integer")),
            },
            other => Err(wrong_type(other, "an integer")),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.integer(Wish::Unsigned)? {
            Token::Unsigned(v) => visitor.visit_u64(v),
            Token::Signed(v) => visitor.visit_i64(v),
            Token::Bin(v) => match v.try_into() {
                Ok(v) => visitor.visit_u128(u128::from_be_bytes(v)),
                Err(_) => Err(wrong_type(Token::Bin(v), "an integer")),
            },
            other => Err(wrong_type(other, "an integer")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.peek() {
            Ok(Token::Nil) => {
                self.reader.token()?;
                return visitor.visit_none();
            }
            Ok(_) => {}
            Err(error) => self.no_option(error)?,
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let token = match self.peek() {
            Ok(token) => token,
            Err(error) => return Err(error.wishing(Wish::Enum(name, variants))),
        };
        match token {
            Token::Str(_) => visitor.visit_enum(Variant {
                de: self,
                unit: true,
            }),
            Token::Map(1) => {
                self.reader.token()?;
                self.enter()?;
                let value = visitor.visit_enum(Variant {
                    de: self,
                    unit: false,
                })?;
                self.depth -= 1;
                Ok(value)
            }
            other => Err(wrong_type(
                other,
                "an enum: a variant's name, or a map of one entry",
            )),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.reader.skip_value() {
            Ok(_) => visitor.visit_unit(),
            Err(error) => Err(error.wishing(Wish::Ignored)),
        }
    }

    wishing! {
        deserialize_bool() => Wish::Bool;
        deserialize_i8() => Wish::Signed;
        deserialize_i16() => Wish::Signed;
        deserialize_i32() => Wish::Signed;
        deserialize_i64() => Wish::Signed;
        deserialize_u8() => Wish::U8;
        deserialize_u16() => Wish::Unsigned;
        deserialize_u32() => Wish::Unsigned;
        deserialize_u64() => Wish::Unsigned;
        deserialize_f32() => Wish::F32;
        deserialize_f64() => Wish::F64;
        deserialize_char() => Wish::Char;
        deserialize_str() => Wish::Str;
        deserialize_string() => Wish::Str;
        deserialize_unit() => Wish::Unit;
        deserialize_unit_struct(_name: &'static str) => Wish::Unit;
        deserialize_seq() => Wish::Seq;
        deserialize_tuple(len: usize) => Wish::Tuple(len);
        deserialize_tuple_struct(_name: &'static str, len: usize) => Wish::Tuple(len);
        deserialize_map() => Wish::Map;
        deserialize_struct(name: &'static str, fields: &'static [&'static str]) => Wish::Struct(name, fields);
        deserialize_identifier() => Wish::Name;
    }
}

/// The entries of an array or map that are not read yet.
struct Entries<'a, 'de> {
    de: &'a mut Deserializer<'de>,
    left: usize,
    read: usize,
    /// The last key, to name its value in an error.
    key: Reader<'de>,
}

impl<'a, 'de> Entries<'a, 'de> {
    fn new(de: &'a mut Deserializer<'de>, len: usize) -> Self {
        let key = de.reader;
        Self {
            de,
            left: len,
            read: 0,
            key,
        }
    }

    fn all_read(&self) -> Result<(), Error> {
        match self.left {
            0 => Ok(()),
            left => Err(Error::new(format!("{left} more elements than expected"))),
        }
    }

    fn next<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        self.read += 1;
        seed.deserialize(&mut *self.de).map(Some)
    }
}

impl<'de> de::SeqAccess<'de> for &mut Entries<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let index = self.read;
        self.next(seed).map_err(|error| error.at_index(index))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de> de::MapAccess<'de> for &mut Entries<'_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        self.key = self.de.reader;
        self.next(seed)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(&mut *self.de)
            .map_err(|error| match self.key.token() {
                Ok(Token::Str(name)) if name.len() <= 64 => error.in_field(name),
                _ => error.at_index(self.read - 1),
            })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// An enum's variant: its name, and what belongs to it.
struct Variant<'a, 'de> {
    de: &'a mut Deserializer<'de>,
    unit: bool,
}

impl<'de> de::EnumAccess<'de> for Variant<'_, 'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let name = seed.deserialize(&mut *self.de)?;
        Ok((name, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        if self.unit {
            return Ok(());
        }
        match self.de.reader.token()? {
            Token::Nil => Ok(()),
            _ => Err(Error::new("this variant has no content, but some is there")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        if self.unit {
            return Err(no_content());
        }
        seed.deserialize(self.de)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Error> {
        if self.unit {
            return Err(no_content());
        }
        self.de.any(visitor, || Wish::Tuple(len))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.unit {
            return Err(no_content());
        }
        self.de.any(visitor, || Wish::Fields(fields))
    }
}

#[cold]
fn no_content() -> Error {
    Error::new("only the variant's name is there, its content is missing")
}
