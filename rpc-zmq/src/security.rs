//! Who may be at the other end of a link, as URLs have it.

use crate::address::Address;
use crate::keyring::Keyring;
use rpc_core::transport::{ParseUrlError, TransportUrl};
use std::path::Path;
use std::sync::Arc;

/// What a URL says of keys.
#[derive(Clone, Debug)]
pub(crate) struct Security {
    pub(crate) keyring: Option<Arc<Keyring>>,
    /// A node may be reached by everybody.
    anybody: bool,
}

impl Security {
    /// The names that they have in a URL.
    pub(crate) const NAMES: [&str; 3] = ["key", "peers", "auth"];

    pub(crate) fn parse(url: &TransportUrl) -> Result<Self, ParseUrlError> {
        let anybody = match url.option("auth") {
            None => false,
            Some("none") => true,
            Some(other) => {
                return Err(ParseUrlError::new(format!(
                    "`auth={other}`: it is `none`, or not there"
                )));
            }
        };
        let keyring = match (url.option("key"), url.option("peers")) {
            (None, None) => None,
            _ if anybody => {
                return Err(ParseUrlError::new(
                    "`auth=none` is for links without keys, so it does not go together with `key` and `peers`",
                ));
            }
            (Some(key), Some(peers)) => {
                let keyring = Keyring::open(Path::new(key), Path::new(peers));
                Some(Arc::new(keyring.map_err(ParseUrlError::new)?))
            }
            _ => {
                return Err(ParseUrlError::new(
                    "`key`, the file with the secret key of this process, and `peers`, the list of the others' keys, go together",
                ));
            }
        };
        Ok(Self { keyring, anybody })
    }

    /// Refuses to listen where everybody can call everything, unless that is what the URL asks for.
    pub(crate) async fn allows(&self, listen: &Address) -> Result<(), String> {
        if self.anybody || self.keyring.is_some() {
            return Ok(());
        }
        let leaves = listen.leaves_the_machine().await;
        if !leaves.map_err(|error| format!("{listen} can't be looked up: {error}"))? {
            return Ok(());
        }
        Err(format!(
            "{listen} can be reached from other machines, and nobody would have to show who they are: add `key` and `peers` to the URL (`rpc-zmq-keygen` makes keys), or `auth=none` if everybody who can connect may call everything, or listen on 127.0.0.1"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_say_what_is_wrong() {
        for (options, expected) in [
            ("auth=curve", "`none`"),
            ("auth=none&key=a&peers=b", "does not go together"),
            ("auth=none&peers=b", "does not go together"),
            ("key=a", "go together"),
            ("peers=a", "go together"),
            ("key=/nowhere/a&peers=b", "/nowhere/a: "),
        ] {
            let url = format!("zmq://a:1?{options}").parse().unwrap();
            let error = Security::parse(&url).unwrap_err().to_string();
            assert!(error.contains(expected), "{options}: {error}");
        }
    }

    #[tokio::test]
    async fn only_this_machine_is_let_in_without_keys() {
        let allows = async |url: &str, listen: &str| {
            let security = Security::parse(&url.parse().unwrap()).unwrap();
            security.allows(&Address::tcp(listen).unwrap()).await
        };
        for local in ["127.0.0.1:0", "127.9.9.9:1", "[::1]:5", "localhost:0"] {
            assert_eq!(allows("zmq://a:1", local).await, Ok(()), "{local}");
        }
        let error = allows("zmq://a:1", "no-such-host.invalid:1").await;
        assert!(error.unwrap_err().contains("can't be looked up"));
        for exposed in ["0.0.0.0:0", "[::]:0", "192.0.2.1:5", "[2001:db8::1]:5"] {
            let error = allows("zmq://a:1", exposed).await.unwrap_err();
            assert!(error.contains("auth=none"), "{error}");
            assert_eq!(allows("zmq://a:1?auth=none", exposed).await, Ok(()));
        }
    }
}
