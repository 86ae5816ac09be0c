//! The file that lists the keys of the others, and what each may do.

use crate::address::Address;
use crate::curve::PublicKey;
use serde::{Deserialize, Deserializer, de};
use std::collections::BTreeMap;

/// The keys that one file lists.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Which key the node at an address has; at any other address, it is the one under `None`.
    addresses: BTreeMap<Option<String>, PublicKey>,
    nodes: BTreeMap<PublicKey, Vec<Rights>>,
    clients: BTreeMap<PublicKey, Vec<Rights>>,
}

/// What one entry allows.
#[derive(Debug, PartialEq, Eq)]
struct Rights {
    exchanges: Vec<Pattern>,
    topics: Vec<Pattern>,
    servers: Vec<Pattern>,
}

/// A name, or a name with a `*` that stands for anything.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
enum Pattern {
    Exactly(String),
    Around(String, String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    node: Vec<NodeEntry>,
    #[serde(default)]
    client: Vec<ClientEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeEntry {
    #[serde(deserialize_with = "key")]
    key: PublicKey,
    address: Option<String>,
    #[serde(default = "anything")]
    exchanges: Vec<Pattern>,
    topics: Vec<Pattern>,
    #[serde(default = "anything")]
    servers: Vec<Pattern>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientEntry {
    #[serde(deserialize_with = "key")]
    key: PublicKey,
    #[serde(default = "anything")]
    exchanges: Vec<Pattern>,
    topics: Vec<Pattern>,
}

fn key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PublicKey, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(de::Error::custom)
}

fn anything() -> Vec<Pattern> {
    vec![Pattern::Around(String::new(), String::new())]
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        match text.split_once('*') {
            Some((before, after)) => Self::Around(before.into(), after.into()),
            None => Self::Exactly(text),
        }
    }
}

impl Pattern {
    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exactly(exactly) => name == exactly,
            Self::Around(before, after) => name
                .strip_prefix(before.as_str())
                .is_some_and(|rest| rest.ends_with(after.as_str())),
        }
    }
}

fn any(patterns: &[Pattern], name: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(name))
}

impl Listed {
    /// Reads the file's text. An error says where in it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut listed = Self::default();
        for node in file.node {
            if let Some(address) = &node.address
                && !address.starts_with('/')
            {
                Address::tcp(address).map_err(|error| error.to_string())?;
            }
            let before = listed.addresses.insert(node.address.clone(), node.key);
            if before.is_some_and(|before| before != node.key) {
                return Err(match &node.address {
                    Some(address) => format!("two nodes with different keys are at {address}"),
                    None => "two nodes without an `address` have different keys: with several keys, each node needs its address, or it is not known which key to expect where".into(),
                });
            }
            listed.nodes.entry(node.key).or_default().push(Rights {
                exchanges: node.exchanges,
                topics: node.topics,
                servers: node.servers,
            });
        }
        for client in file.client {
            listed.clients.entry(client.key).or_default().push(Rights {
                exchanges: client.exchanges,
                topics: client.topics,
                servers: Vec::new(),
            });
        }
        Ok(listed)
    }

    /// The key that the node at an address must have.
    pub(crate) fn expected_at(&self, address: &Address) -> Option<&PublicKey> {
        self.addresses
            .get(&Some(address.to_string()))
            .or_else(|| self.addresses.get(&None))
    }

    pub(crate) fn has_node(&self, key: &PublicKey) -> bool {
        self.nodes.contains_key(key)
    }

    pub(crate) fn has_client(&self, key: &PublicKey) -> bool {
        self.clients.contains_key(key)
    }

    /// Whether the node with a key may have this server.
    pub(crate) fn may_announce(
        &self,
        key: &PublicKey,
        exchange: &str,
        topic: &str,
        server: &str,
    ) -> bool {
        self.nodes.get(key).into_iter().flatten().any(|rights| {
            any(&rights.exchanges, exchange)
                && any(&rights.topics, topic)
                && any(&rights.servers, server)
        })
    }

    /// Whether the client with a key may send to this topic.
    pub(crate) fn may_use(&self, key: &PublicKey, exchange: &str, topic: &str) -> bool {
        self.clients
            .get(key)
            .into_iter()
            .flatten()
            .any(|rights| any(&rights.exchanges, exchange) && any(&rights.topics, topic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
    const TWO: &str = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";

    fn listed(text: &str) -> Result<Listed, String> {
        Listed::parse(&text.replace("ONE", ONE).replace("TWO", TWO))
    }

    fn at(address: &str) -> Address {
        Address::tcp(address).unwrap()
    }

    #[test]
    fn what_a_node_may_announce() {
        let listed = listed(
            r#"
            [[node]]
            key = "ONE"
            address = "host-a:5555"
            topics = ["compute", "image.*"]
            servers = ["host-a", "*.host-a"]

            [[node]]
            key = "ONE"
            topics = ["volume"]
            "#,
        )
        .unwrap();
        let key = ONE.parse().unwrap();
        let may = |topic, server| listed.may_announce(&key, "rpc", topic, server);
        assert!(may("compute", "host-a") && may("image.cache", "x.host-a"));
        assert!(may("volume", "anything"));
        assert!(!may("compute", "host-b") && !may("images", "host-a") && !may("x", "host-a"));
        let other = TWO.parse().unwrap();
        assert!(!listed.may_announce(&other, "rpc", "compute", "host-a"));
        assert!(!listed.may_use(&key, "rpc", "compute"));
        assert!(listed.has_node(&key) && !listed.has_client(&key));
    }

    #[test]
    fn what_a_client_may_use() {
        let listed = listed(
            r#"
            [[client]]
            key = "TWO"
            exchanges = ["nova"]
            topics = ["*"]
            "#,
        )
        .unwrap();
        let key = TWO.parse().unwrap();
        assert!(listed.may_use(&key, "nova", "compute"));
        assert!(!listed.may_use(&key, "rpc", "compute"));
        assert!(listed.has_client(&key) && !listed.has_node(&key));
    }

    #[test]
    fn which_key_is_expected_where() {
        let listed = listed(
            r#"
            node = [
                { key = "ONE", address = "[::1]:5555", topics = ["*"] },
                { key = "TWO", topics = ["*"] },
            ]
            "#,
        )
        .unwrap();
        assert_eq!(
            listed.expected_at(&at("[::1]:5555")),
            Some(&ONE.parse().unwrap())
        );
        assert_eq!(
            listed.expected_at(&at("host:5555")),
            Some(&TWO.parse().unwrap())
        );
        assert_eq!(Listed::default().expected_at(&at("host:5555")), None);
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, expected) in [
            ("[[client]]\nkey = \"ONE\"", "missing field `topics`"),
            ("[[client]]\nkey = \"x\"\ntopics = []", "40 characters"),
            (
                "[[client]]\nkey = \"ONE\"\ntopic = [\"x\"]",
                "unknown field `topic`",
            ),
            ("[[server]]\nkey = \"ONE\"", "unknown field `server`"),
            (
                "[[node]]\nkey = \"ONE\"\naddress = \"host\"\ntopics = []",
                "host:port",
            ),
            (
                "node = [{ key = \"ONE\", topics = [] }, { key = \"TWO\", topics = [] }]",
                "each node needs its address",
            ),
            (
                "node = [{ key = \"ONE\", address = \"a:1\", topics = [] }, { key = \"TWO\", address = \"a:1\", topics = [] }]",
                "at a:1",
            ),
        ] {
            let error = listed(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
