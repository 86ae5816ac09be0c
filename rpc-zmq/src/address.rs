//! Addresses of nodes, as URLs have them.

use rpc_core::transport::ParseUrlError;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

/// The address of a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Address {
    /// A host name, an IPv4 address, or an IPv6 address without brackets.
    Tcp {
        host: String,
        port: u16,
    },
    Ipc(PathBuf),
}

impl Address {
    pub(crate) fn parse(text: &str, ipc: bool) -> Result<Self, ParseUrlError> {
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

    /// `host:port`.
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
            host: canonical(host),
            port,
        })
    }
}

/// One host is written in one way: what a list of keys expects at an address is found by its text.
fn canonical(host: &str) -> String {
    match host.parse::<IpAddr>() {
        Ok(ip) => ip.to_string(),
        Err(_) => host.trim_end_matches('.').to_ascii_lowercase(),
    }
}

impl Address {
    /// Whether somebody on another machine may connect to it. Of a name that can't be looked up, that is not known.
    pub(crate) async fn leaves_the_machine(&self) -> io::Result<bool> {
        match self {
            Self::Ipc(_) => Ok(false),
            Self::Tcp { host, port } => {
                let mut found = tokio::net::lookup_host((&**host, *port)).await?;
                Ok(found.any(|address| !address.ip().to_canonical().is_loopback()))
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
