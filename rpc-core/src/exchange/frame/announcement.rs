//! What an instance says about itself.

use super::header::{Fields, HeaderWriter};
use super::{Kind, prepend};
use crate::codec::{Encoded, Error, Reader};
use crate::{Version, text};
use bytes::Bytes;

/// What an instance says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Announcement {
    pub(crate) protocols: (u64, u64),
    pub(crate) instance: [u8; 16],
    /// What the node calls its own address.
    pub(crate) address: String,
    /// How many requests one client may have in flight, and how many bytes of them.
    pub(crate) window: Window,
    /// What the client says when it has taken this in. A peer may not want to know.
    pub(crate) serial: Option<u64>,
    /// Whether it sends heartbeats for calls that ask for them. A peer may not be able to.
    pub(crate) heartbeats: bool,
    pub(crate) services: Vec<AnnouncedService>,
}

/// How much one client may have in flight at an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) requests: u32,
    pub(crate) bytes: u32,
}

#[cfg(test)]
impl Window {
    /// Of so many requests of any size.
    pub(crate) fn of(requests: u32) -> Self {
        Self {
            requests,
            bytes: u32::MAX,
        }
    }
}

/// A server, as it is announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AnnouncedService {
    pub(crate) exchange: String,
    pub(crate) topic: String,
    pub(crate) server: String,
    pub(crate) draining: bool,
    pub(crate) apis: Vec<AnnouncedApi>,
}

impl AnnouncedService {
    /// What tells it from the other servers of its node.
    pub(crate) fn name(&self) -> (&str, &str, &str) {
        (&self.exchange, &self.topic, &self.server)
    }
}

/// An endpoint of a server, as it is announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AnnouncedApi {
    pub(crate) name: String,
    pub(crate) namespace: Option<String>,
    pub(crate) version: Version,
}

impl Announcement {
    /// Whether it has this server, and it is not stopping.
    pub(crate) fn serves(&self, service: &AnnouncedService) -> bool {
        let mut services = self.services.iter();
        services.any(|announced| !announced.draining && announced.name() == service.name())
    }
}

impl AnnouncedService {
    /// The newest version of a namespace and major that is served.
    pub(crate) fn newest(&self, namespace: Option<&str>, major: u16) -> Option<Version> {
        self.apis
            .iter()
            .filter(|api| api.namespace.as_deref() == namespace && api.version.major() == major)
            .map(|api| api.version)
            .max()
    }
}

impl Announcement {
    pub(crate) fn write(&self) -> Result<Bytes, Error> {
        let mut body = HeaderWriter(Vec::new());
        body.array(self.services.len());
        for service in &self.services {
            body.array(5);
            body.str(&service.exchange);
            body.str(&service.topic);
            body.str(&service.server);
            body.bool(service.draining);
            body.array(service.apis.len());
            for api in &service.apis {
                body.array(3);
                body.str(&api.name);
                body.optional_str(api.namespace.as_deref());
                body.version(api.version);
            }
        }
        let mut header = HeaderWriter(Vec::new());
        header.array(match (self.serial, self.heartbeats) {
            (_, true) => 8,
            (Some(_), false) => 7,
            (None, false) => 6,
        });
        header.uint(self.protocols.0);
        header.uint(self.protocols.1);
        header.bin(&self.instance);
        header.str(&self.address);
        header.uint(self.window.requests.into());
        header.uint(self.window.bytes.into());
        match self.serial {
            Some(serial) => header.uint(serial),
            None if self.heartbeats => header.nil(),
            None => {}
        }
        if self.heartbeats {
            header.bool(true);
        }
        let mut frame = Encoded::copy_of(&body.0);
        prepend(&mut frame, Kind::Announce, 0, &header.0)?;
        Ok(frame.into_bytes())
    }

    pub(crate) fn parse(header: &[u8], body: &[u8]) -> Result<Self, Error> {
        let mut fields = Fields::new(header, 6)?;
        let protocols = (fields.uint()?, fields.uint()?);
        let instance = fields
            .bin()?
            .try_into()
            .map_err(|_| Error::new("an instance's id has 16 bytes"))?;
        let address = text::shown(fields.str()?);
        let (requests, bytes) = (fields.uint()?, fields.uint()?);
        let window = Window {
            requests: at_most(requests),
            bytes: at_most(bytes),
        };
        let serial = match fields.is_there() {
            true => fields.optional_uint()?,
            false => None,
        };
        let heartbeats = fields.is_there() && fields.bool()?;
        let mut fields = Fields(Reader::new(body));
        let mut services = Vec::new();
        let mut all_apis = 0;
        for _ in 0..fields.array()? {
            if services.len() >= MOST_SERVERS {
                return Err(Error::new("a node announces too many servers"));
            }
            let len = fields.array()?;
            let (exchange, topic, server) = (
                fields.str()?.into(),
                fields.str()?.into(),
                fields.str()?.into(),
            );
            let draining = fields.bool()?;
            let mut apis = Vec::new();
            for _ in 0..fields.array()? {
                all_apis += 1;
                if all_apis > MOST_APIS {
                    return Err(Error::new("a node announces too many APIs"));
                }
                let len = fields.array()?;
                apis.push(AnnouncedApi {
                    name: text::shown(fields.str()?),
                    namespace: fields.optional_str()?.map(Into::into),
                    version: fields.version()?,
                });
                fields.rest(len, 3)?;
            }
            fields.rest(len, 5)?;
            apis.shrink_to_fit();
            services.push(AnnouncedService {
                exchange,
                topic,
                server,
                draining,
                apis,
            });
        }
        // it is kept as long as its link
        services.shrink_to_fit();
        Ok(Self {
            protocols,
            instance,
            address,
            window,
            serial,
            heartbeats,
            services,
        })
    }
}

/// As good as any larger window, and what is free of it fits into one word.
const MOST_WINDOW: u32 = 256 * 1024 * 1024;

/// What a node may announce: each takes far more memory than its bytes in a frame.
pub(crate) const MOST_SERVERS: usize = 16_384;
const MOST_APIS: usize = 65_536;

fn at_most(window: u64) -> u32 {
    u32::try_from(window).unwrap_or(u32::MAX).min(MOST_WINDOW)
}
