//! Reading an error: its class decides what its data is.

use super::content::{Known, Missing};
use super::{FIELDS, RemoteError};
use crate::{codec, text};
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::marker::PhantomData;

/// Reads an error.
///
/// # Errors
///
/// When it is none, or its class is not known and nothing takes such.
pub fn read<'de, T: RemoteError<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    deserializer.deserialize_struct(T::NAME, FIELDS, Fields(PhantomData))
}

/// Which field comes next.
enum Field {
    Class,
    Message,
    Data,
    Unknown,
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(FieldName)
    }
}

struct FieldName;

impl Visitor<'_> for FieldName {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Field, E> {
        Ok(match name {
            "class" => Field::Class,
            "message" => Field::Message,
            "data" => Field::Data,
            _ => Field::Unknown,
        })
    }
}

/// A class: one of those that are known, or another.
enum Class {
    Known(&'static str),
    Unknown(String),
}

impl Class {
    fn of<'de, T: RemoteError<'de>, E: Error>(class: String) -> Result<Self, E> {
        if let Some(known) = T::CLASSES.iter().find(|known| **known == class) {
            return Ok(Self::Known(known));
        }
        if T::OTHER.is_some() {
            return Ok(Self::Unknown(class));
        }
        codec::said(codec::Wish::Variant(T::CLASSES));
        Err(E::custom(format_args!(
            "`{}` is no class of {} that is known here: {}",
            text::shown(&class),
            T::NAME,
            T::CLASSES.join(", ")
        )))
    }
}

struct Fields<T>(PhantomData<fn() -> T>);

impl<'de, T: RemoteError<'de>> Visitor<'de> for Fields<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an error: a map of class, message and data")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<T, A::Error> {
        let (mut class, mut message, mut value) = (None, None, None);
        while let Some(field) = fields.next_key()? {
            match (field, &class) {
                (Field::Class, None) => {
                    let name = fields.next_value()?;
                    class = Some(Class::of::<T, A::Error>(name)?);
                }
                (Field::Class, Some(_)) => return Err(A::Error::duplicate_field("class")),
                (Field::Message, _) => message = Some(fields.next_value()?),
                (Field::Data, None) => {
                    return Err(A::Error::custom("`class` must come before `data`"));
                }
                (Field::Data, Some(Class::Known(class))) => {
                    let data = Data(class, PhantomData);
                    value = Some(fields.next_value_seed(data)?);
                }
                (Field::Data, Some(Class::Unknown(_))) | (Field::Unknown, _) => {
                    fields.next_value::<IgnoredAny>()?;
                }
            }
        }
        match (class, value, T::OTHER) {
            (Some(Class::Known(_)), Some(value), _) => Ok(value),
            (Some(Class::Known(class)), None, _) => T::known(Known::new(class, Missing::new())),
            (Some(Class::Unknown(class)), _, Some(other)) => {
                Ok(other(class, message.unwrap_or_default()))
            }
            _ => Err(A::Error::missing_field("class")),
        }
    }
}

/// The data of a known class.
struct Data<T>(&'static str, PhantomData<fn() -> T>);

impl<'de, T: RemoteError<'de>> DeserializeSeed<'de> for Data<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::known(Known::new(self.0, deserializer))
    }
}
