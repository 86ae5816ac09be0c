//! The header of a request.

use super::header::{Fields, HeaderWriter};
use crate::codec::Error;
use crate::{Context, Metadata, RequestId, Version};
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
    pub(crate) request_id: Option<RequestId>,
    /// How long the client waits without a heartbeat.
    pub(crate) monitor: Option<Duration>,
}

impl<'a> RequestHeader<'a> {
    pub(crate) fn write(&self, header: &mut HeaderWriter, context: &Context) {
        // fields at the end that say nothing are left out
        header.array(match (self.request_id, self.monitor) {
            (_, Some(_)) => 12,
            (Some(_), None) => 11,
            (None, None) => 10,
        });
        header.str(self.exchange);
        header.str(self.topic);
        header.str(self.server);
        header.optional_str(self.namespace);
        header.version(self.version);
        header.version(self.built);
        header.str(self.method);
        match self.remaining {
            Some(remaining) => header.uint(micros(remaining)),
            None => header.nil(),
        }
        let metadata = context.all_metadata();
        header.map(metadata.len());
        for (key, value) in metadata.iter() {
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
        match &self.request_id {
            Some(id) => header.bin(id.as_bytes()),
            None if self.monitor.is_some() => header.nil(),
            None => {}
        }
        if let Some(monitor) = self.monitor {
            header.uint(micros(monitor));
        }
    }

    /// The header, and the metadata.
    pub(crate) fn parse(header: &'a [u8]) -> Result<(Self, Metadata), Error> {
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
            request_id: None,
            monitor: None,
        };
        let mut metadata = Metadata::default();
        for _ in 0..fields.map()? {
            let (key, value) = (fields.str()?, fields.str()?);
            metadata.receive(key, value).map_err(Error::new)?;
        }
        if let Some(excess) = metadata.excess() {
            return Err(Error::new(excess));
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
        if fields.is_there()
            && let Some(id) = fields.optional_bin()?
        {
            let id = id
                .try_into()
                .map_err(|_| Error::new("a request's id has 16 bytes"))?;
            request.request_id = Some(RequestId::from_bytes(id));
        }
        if fields.is_there() {
            request.monitor = fields.optional_uint()?.map(Duration::from_micros);
        }
        Ok((request, metadata))
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
