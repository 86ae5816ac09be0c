//! The header of a request.

use super::header::{Fields, HeaderWriter};
use crate::codec::Error;
use crate::{Context, Version};
use std::collections::BTreeMap;
use std::time::Duration;

/// How many items and bytes a stream may be ahead of its consumer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Credit {
    pub(crate) items: u64,
    pub(crate) bytes: u64,
}

/// The header of a call, a cast or a multicall.
#[derive(Debug)]
pub(crate) struct RequestHeader<'a> {
    pub(crate) exchange: &'a str,
    pub(crate) topic: &'a str,
    pub(crate) server: &'a str,
    pub(crate) namespace: Option<&'a str>,
    /// The version of the message.
    pub(crate) version: Version,
    /// The version of the API that the client was built with.
    pub(crate) built: Version,
    pub(crate) method: &'a str,
    pub(crate) remaining: Option<Duration>,
    pub(crate) credit: Option<Credit>,
}

impl<'a> RequestHeader<'a> {
    pub(crate) fn write(&self, header: &mut HeaderWriter, context: &Context) {
        header.array(10);
        header.str(self.exchange);
        header.str(self.topic);
        header.str(self.server);
        header.optional_str(self.namespace);
        header.version(self.version);
        header.version(self.built);
        header.str(self.method);
        match self.remaining {
            Some(remaining) => {
                header.uint(u64::try_from(remaining.as_micros()).unwrap_or(u64::MAX));
            }
            None => header.nil(),
        }
        header.map(context.metadata().count());
        for (key, value) in context.metadata() {
            header.str(key);
            header.str(value);
        }
        match self.credit {
            Some(credit) => {
                header.array(2);
                header.uint(credit.items);
                header.uint(credit.bytes);
            }
            None => header.nil(),
        }
    }

    /// The header, and the metadata.
    pub(crate) fn parse(header: &'a [u8]) -> Result<(Self, BTreeMap<String, String>), Error> {
        let mut fields = Fields::new(header, 10)?;
        let mut request = Self {
            exchange: fields.str()?,
            topic: fields.str()?,
            server: fields.str()?,
            namespace: fields.optional_str()?,
            version: fields.version()?,
            built: fields.version()?,
            method: fields.str()?,
            remaining: fields.optional_uint()?.map(Duration::from_micros),
            credit: None,
        };
        let mut metadata = BTreeMap::new();
        for _ in 0..fields.map()? {
            let (key, value) = (fields.str()?, fields.str()?);
            if metadata.insert(key.to_owned(), value.to_owned()).is_some() {
                return Err(Error::new("a key of the metadata occurs twice"));
            }
        }
        if let Some(len) = fields.optional_array()? {
            if len < 2 {
                return Err(Error::new("credit is items and bytes"));
            }
            request.credit = Some(Credit {
                items: fields.uint()?,
                bytes: fields.uint()?,
            });
            fields.rest(len, 2)?;
        }
        Ok((request, metadata))
    }
}
