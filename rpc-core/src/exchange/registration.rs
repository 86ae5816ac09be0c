//! What a node tells a directory about itself.

use super::frame::AnnouncedService;
use crate::Version;

/// A node, as a directory keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// What tells this instance from every other, also from one that was at the same address before.
    pub instance: [u8; 16],
    /// Where clients find it.
    pub address: String,
    /// The servers that it has now.
    pub servers: Vec<RegisteredServer>,
}

/// A server of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredServer {
    /// The exchange, empty for the unnamed one.
    pub exchange: String,
    /// The topic.
    pub topic: String,
    /// The server's name.
    pub server: String,
    /// What it serves.
    pub apis: Vec<RegisteredApi>,
}

/// An API of a server, in one major.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredApi {
    /// The API's name.
    pub name: String,
    /// Its namespace, if it has one.
    pub namespace: Option<String>,
    /// The newest version of this major.
    pub version: Version,
}

impl From<AnnouncedService> for RegisteredServer {
    fn from(service: AnnouncedService) -> Self {
        let apis = service.apis.into_iter().map(|api| RegisteredApi {
            name: api.name,
            namespace: api.namespace,
            version: api.version,
        });
        Self {
            exchange: service.exchange,
            topic: service.topic,
            server: service.server,
            apis: apis.collect(),
        }
    }
}
