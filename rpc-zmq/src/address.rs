//! Addresses of nodes, as URLs have them.

use rpc_core::transport::{ParseUrlError, TransportUrl};
use std::fmt;
use std::path::PathBuf;

/// The address of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// A host name, an IPv4 address, or an IPv6 address without brackets.
    Tcp {
        host: String,
        port: u16,
    },
    Ipc(PathBuf),
}

impl Address {
    fn parse(text: &str, ipc: bool) -> Result<Self, ParseUrlError> {
        if ipc {
            if !text.starts_with('/') {
                return Err(ParseUrlError::new(format!(
                    "`{text}` is no absolute path: write `zmq+ipc:///run/node.sock`"
                )));
            }
            return Ok(Self::Ipc(text.into()));
        }
        Self::tcp(text)
    }

    pub(crate) fn tcp(text: &str) -> Result<Self, ParseUrlError> {
        let wrong = || {
            ParseUrlError::new(format!(
                "`{text}` is no address: write `host:port` or `[::1]:port`"
            ))
        };
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| {
            ParseUrlError::new(format!("the port of `{text}` is a number up to 65535"))
        })?;
        let host = match host.strip_prefix('[') {
            Some(host) => host.strip_suffix(']').ok_or_else(wrong)?,
            None if host.contains(':') => return Err(wrong()),
            None => host,
        };
        let plausible =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
        if host.is_empty() || !host.chars().all(plausible) {
            return Err(wrong());
        }
        Ok(Self::Tcp {
            host: host.into(),
            port,
        })
    }
}

impl Address {
    /// Whether somebody on another machine may connect to it. Of a name that means nothing, binding says so.
    pub(crate) async fn leaves_the_machine(&self) -> bool {
        match self {
            Self::Ipc(_) => false,
            Self::Tcp { host, port } => {
                tokio::net::lookup_host((&**host, *port))
                    .await
                    .is_ok_and(|mut found| {
                        found.any(|address| !address.ip().to_canonical().is_loopback())
                    })
            }
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Ipc(path) => write!(f, "{}", path.display()),
        }
    }
}

/// What a URL says: which nodes there are, and where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Directory {
    ipc: bool,
    pub(crate) nodes: Vec<Address>,
    listen: Option<Address>,
    pub(crate) advertise: Option<Address>,
}

impl Directory {
    pub(crate) fn parse(url: &TransportUrl) -> Result<Self, ParseUrlError> {
        let ipc = url.scheme() == "zmq+ipc";
        if ipc && cfg!(not(unix)) {
            return Err(ParseUrlError::new("`zmq+ipc://` is for Unix"));
        }
        let address = |text: &str| Address::parse(text, ipc);
        let nodes: Vec<Address> = url
            .rest()
            .split(',')
            .filter(|text| !text.is_empty())
            // a trailing slash, as URLs have it
            .map(|text| {
                address(if ipc {
                    text
                } else {
                    text.trim_end_matches('/')
                })
            })
            .collect::<Result<_, _>>()?;
        let listen = url.option("listen").map(address).transpose()?;
        if nodes.is_empty() && listen.is_none() {
            return Err(ParseUrlError::new(if ipc {
                "the URL names no node: write `zmq+ipc:///run/node.sock`"
            } else {
                "the URL names no node: write `zmq://host:port`, or `zmq://?listen=host:port` for a process that only serves"
            }));
        }
        if let Some(twice) = nodes
            .iter()
            .enumerate()
            .find_map(|(at, node)| nodes[..at].contains(node).then_some(node))
        {
            return Err(ParseUrlError::new(format!("the URL names {twice} twice")));
        }
        Ok(Self {
            ipc,
            nodes,
            listen,
            advertise: url.option("advertise").map(address).transpose()?,
        })
    }

    /// Where a server listens, which may say so itself.
    pub(crate) fn listen(&self, own: Option<&str>) -> Result<Address, ParseUrlError> {
        match (own, &self.listen, &self.nodes[..]) {
            (Some(own), _, _) => Address::parse(own, self.ipc),
            (None, Some(listen), _) => Ok(listen.clone()),
            (None, None, [only]) => Ok(only.clone()),
            (None, None, _) => Err(ParseUrlError::new(
                "the URL names several nodes, so it must say where this one listens: add `?listen=host:port`",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(url: &str) -> Result<Directory, ParseUrlError> {
        Directory::parse(&url.parse().unwrap())
    }

    #[test]
    fn lists_of_nodes() {
        let parsed = directory("zmq://a:1,[::1]:2,127.0.0.1:3/").unwrap();
        let shown: Vec<String> = parsed.nodes.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["a:1", "[::1]:2", "127.0.0.1:3"]);
        let parsed = directory("zmq+ipc:///run/a.sock,/run/b.sock").unwrap();
        assert_eq!(parsed.nodes[1], Address::Ipc("/run/b.sock".into()));
    }

    #[test]
    fn where_a_server_listens() {
        let listen = |url: &str, own| {
            directory(url)
                .unwrap()
                .listen(own)
                .map(|address| address.to_string())
        };
        assert_eq!(listen("zmq://a:1", None).unwrap(), "a:1");
        assert_eq!(
            listen("zmq://a:1?listen=0.0.0.0:5", None).unwrap(),
            "0.0.0.0:5"
        );
        assert_eq!(
            listen("zmq://a:1?listen=0.0.0.0:5", Some("b:7")).unwrap(),
            "b:7"
        );
        assert_eq!(
            listen("zmq://?listen=0.0.0.0:0", None).unwrap(),
            "0.0.0.0:0"
        );
        assert!(
            listen("zmq://a:1,b:1", None)
                .unwrap_err()
                .to_string()
                .contains("?listen=")
        );
    }

    #[test]
    fn says_what_is_wrong() {
        for (url, expected) in [
            ("zmq://", "names no node"),
            ("zmq://a", "host:port"),
            ("zmq://a:b", "65535"),
            ("zmq://a:70000", "65535"),
            ("zmq://::1:5", "host:port"),
            ("zmq://[::1:5", "host:port"),
            ("zmq://a b:5", "host:port"),
            ("zmq://a:1,a:1", "twice"),
            ("zmq+ipc://run/x", "absolute path"),
            ("zmq://a:1?listen=x", "host:port"),
        ] {
            let error = directory(url).unwrap_err().to_string();
            assert!(error.contains(expected), "{url}: {error}");
        }
    }
}
