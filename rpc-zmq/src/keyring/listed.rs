//! The file that lists the keys of the others, and what each may do.

use crate::address::Address;
use crate::curve::PublicKey;
use serde::{Deserialize, Deserializer, de};
use std::collections::BTreeMap;

/// How many keys a node may have at one address: the old and the new one, and some to spare. They are tried one after another.
const KEYS: usize = 4;

/// The keys that one file lists.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Which keys the node at an address may have; at any other address, they are those under `None`.
    addresses: BTreeMap<Option<String>, Vec<PublicKey>>,
    nodes: BTreeMap<PublicKey, Vec<Rights>>,
    clients: BTreeMap<PublicKey, Vec<Rights>>,
    names: BTreeMap<PublicKey, String>,
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
    name: Option<String>,
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
    name: Option<String>,
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
        let file: File = toml::from_str(text).map_err(|error| {
            // without the line itself: a secret key may have been put here by mistake
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.unwrap_or_default().matches('\n').count() + 1;
            format!("line {line}: {}", error.message())
        })?;
        let mut listed = Self::default();
        for node in file.node {
            let address = match node.address {
                // one of Unix is a path
                Some(path) if path.starts_with('/') => Some(path),
                Some(address) => {
                    let address = Address::tcp(&address).map_err(|error| error.to_string())?;
                    Some(address.to_string())
                }
                None => None,
            };
            let place = match &address {
                Some(address) => format!("at {address}"),
                None => "without an `address`".into(),
            };
            let keys = listed.addresses.entry(address).or_default();
            if !keys.contains(&node.key) {
                keys.push(node.key);
            }
            if keys.len() > KEYS {
                return Err(format!(
                    "there are more than {KEYS} keys of nodes {place}: it must be known which to expect where, so give each node its `address`"
                ));
            }
            listed.name(node.key, node.name)?;
            listed.nodes.entry(node.key).or_default().push(Rights {
                exchanges: node.exchanges,
                topics: node.topics,
                servers: node.servers,
            });
        }
        for client in file.client {
            listed.name(client.key, client.name)?;
            listed.clients.entry(client.key).or_default().push(Rights {
                exchanges: client.exchanges,
                topics: client.topics,
                servers: Vec::new(),
            });
        }
        Ok(listed)
    }

    fn name(&mut self, key: PublicKey, name: Option<String>) -> Result<(), String> {
        let Some(name) = name else { return Ok(()) };
        match self.names.insert(key, name.clone()) {
            Some(before) if before != name => Err(format!(
                "one key has two names, `{before}` and `{name}`: {key}"
            )),
            _ => Ok(()),
        }
    }

    /// The keys that the node at an address may have.
    pub(crate) fn expected_at(&self, address: &Address) -> &[PublicKey] {
        self.addresses
            .get(&Some(address.to_string()))
            .or_else(|| self.addresses.get(&None))
            .map_or(&[], Vec::as_slice)
    }

    /// What the list calls the owner of a key.
    pub(crate) fn name_of(&self, key: &PublicKey) -> Option<&str> {
        self.names.get(key).map(String::as_str)
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
        assert!(!listed.has_client(&key));
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
        assert!(listed.has_client(&key) && !listed.may_announce(&key, "nova", "compute", ""));
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
            [ONE.parse().unwrap()]
        );
        assert_eq!(listed.expected_at(&at("host:5555")), [TWO.parse().unwrap()]);
        assert_eq!(Listed::default().expected_at(&at("host:5555")), []);
    }

    #[test]
    fn an_old_and_a_new_key_may_be_at_one_place() {
        let listed = listed(
            r#"
            node = [
                { key = "ONE", name = "node", topics = ["*"] },
                { key = "TWO", name = "node", topics = ["*"] },
                { key = "ONE", topics = ["other"] },
            ]
            "#,
        )
        .unwrap();
        let (old, new) = (ONE.parse().unwrap(), TWO.parse().unwrap());
        assert_eq!(listed.expected_at(&at("host:5555")), [old, new]);
        assert_eq!(listed.name_of(&old), Some("node"));
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
                "client = [{ key = \"ONE\", name = \"a\", topics = [] }, { key = \"ONE\", name = \"b\", topics = [] }]",
                "two names",
            ),
        ] {
            let error = listed(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn an_error_names_the_line_and_does_not_show_it() {
        let secret = crate::SecretKey::generate().reveal();
        let error = Listed::parse(&format!("# keys\n\n{secret}\n")).unwrap_err();
        assert!(error.starts_with("line 3: "), "{error}");
        assert!(!error.contains(&secret[..8]), "{error}");
    }

    #[test]
    fn a_key_with_which_nothing_is_secret_is_refused() {
        for kind in ["node", "client"] {
            let nobody = "0".repeat(40);
            let good = format!("[[{kind}]]\nkey = \"ONE\"\ntopics = []\n");
            let error = listed(&format!("{good}{}", good.replace("ONE", &nobody))).unwrap_err();
            assert!(error.starts_with("line 5: this is nobody's key"), "{error}");
            assert!(error.contains("rpc-zmq-keygen") && !error.contains(&nobody));
        }
    }

    #[test]
    fn a_node_has_so_many_keys_and_no_more() {
        let entries = |count| {
            let keys = (0..count).map(|_| crate::SecretKey::generate().public_key());
            keys.map(|key| format!("[[node]]\nkey = \"{key}\"\ntopics = []\n"))
                .collect::<String>()
        };
        assert!(Listed::parse(&entries(KEYS)).is_ok());
        let error = Listed::parse(&entries(KEYS + 1)).unwrap_err();
        assert!(error.contains("give each node its `address`"), "{error}");
    }
}
