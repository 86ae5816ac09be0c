//! What a node says about itself, as JSON.

use super::keys;
use crate::address::Address;
use rpc_core::exchange::{RegisteredServer, Registration};
use serde::{Deserialize, Serialize};

/// How long a record is at most, in bytes.
pub(super) const LONGEST: usize = 64 * 1024;

const VERSION: u32 = 1;

#[derive(Debug, Serialize)]
struct Record<'a> {
    v: u32,
    instance: String,
    address: &'a str,
    servers: Vec<Server<'a>>,
    /// How many servers had no room.
    more: usize,
}

#[derive(Debug, Serialize)]
struct Server<'a> {
    exchange: &'a str,
    topic: &'a str,
    server: &'a str,
    apis: Vec<Api<'a>>,
}

#[derive(Debug, Serialize)]
struct Api<'a> {
    name: &'a str,
    namespace: Option<&'a str>,
    version: String,
}

/// What a client needs of a record. Everything else is for people.
#[derive(Debug, Deserialize)]
struct Read {
    v: u32,
    instance: String,
    address: String,
}

/// The record of a node. Servers that make it too long are left out.
pub(super) fn write(node: &Registration) -> String {
    let mut count = node.servers.len();
    loop {
        let record = Record {
            v: VERSION,
            instance: keys::hex(node.instance),
            address: &node.address,
            servers: node.servers[..count].iter().map(server).collect(),
            more: node.servers.len() - count,
        };
        // texts and numbers can always be written
        let text = serde_json::to_string(&record).unwrap_or_default();
        if text.len() <= LONGEST || count == 0 {
            return text;
        }
        count /= 2;
    }
}

fn server(server: &RegisteredServer) -> Server<'_> {
    let apis = server.apis.iter().map(|api| Api {
        name: &api.name,
        namespace: api.namespace.as_deref(),
        version: api.version.to_string(),
    });
    Server {
        exchange: &server.exchange,
        topic: &server.topic,
        server: &server.server,
        apis: apis.collect(),
    }
}

/// The address in the record of an instance. An error says what is wrong with it.
pub(super) fn read(text: &[u8], instance: [u8; 16]) -> Result<Address, String> {
    if text.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    let record: Read = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    if record.v != VERSION {
        return Err(format!("it is of version {}", record.v));
    }
    if record.instance != keys::hex(instance) {
        return Err("it is of another instance".into());
    }
    Address::tcp(&record.address).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rpc_core::Version;
    use rpc_core::exchange::RegisteredApi;

    fn node(servers: usize) -> Registration {
        let server = |at| RegisteredServer {
            exchange: "blue".into(),
            topic: "compute".into(),
            server: format!("node-{at}"),
            apis: vec![RegisteredApi {
                name: "Compute".into(),
                namespace: None,
                version: Version::new(4, 2),
            }],
        };
        Registration {
            instance: [7; 16],
            address: "host:5555".into(),
            servers: (0..servers).map(server).collect(),
        }
    }

    #[test]
    fn holds_what_the_document_says() {
        assert_eq!(
            write(&node(1)),
            r#"{"v":1,"instance":"07070707070707070707070707070707","address":"host:5555","servers":[{"exchange":"blue","topic":"compute","server":"node-0","apis":[{"name":"Compute","namespace":null,"version":"4.2"}]}],"more":0}"#
        );
    }

    #[test]
    fn is_read_as_it_was_written_however_many_servers() {
        let text = write(&node(10_000));
        assert!(text.len() <= LONGEST && text.contains("node-100"));
        let address = read(text.as_bytes(), [7; 16]).unwrap();
        assert_eq!(address.to_string(), "host:5555");
    }

    #[test]
    fn says_what_is_wrong() {
        let good = write(&node(1));
        for (text, expected) in [
            ("", "EOF"),
            ("[]", "invalid"),
            (&good.replace("\"v\":1", "\"v\":2"), "version 2"),
            (&good.replace("0707", "0808"), "another instance"),
            (&good.replace("host:5555", "nowhere"), "no address"),
            (&" ".repeat(LONGEST + 1), "longer"),
            (&"[".repeat(60_000), "invalid"),
        ] {
            let error = read(text.as_bytes(), [7; 16]).unwrap_err();
            assert!(error.contains(expected), "{text:.100}: {error}");
        }
    }
}
