//! One key of the list, as long as its owner is linked.

use super::{Keyring, Listed};
use crate::address::Address;
use crate::curve::PublicKey;
use rpc_core::Peer;
use rpc_core::exchange::Rights;
use std::sync::Arc;

/// The owner of a key at the other end of a link.
#[derive(Debug)]
pub(crate) struct Holder {
    keyring: Arc<Keyring>,
    key: PublicKey,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Client,
    NodeAt(Address),
}

impl Holder {
    pub(crate) fn client(keyring: Arc<Keyring>, key: PublicKey) -> Arc<Self> {
        let place = Place::Client;
        Arc::new(Self {
            keyring,
            key,
            place,
        })
    }

    pub(crate) fn node(keyring: Arc<Keyring>, key: PublicKey, at: Address) -> Arc<Self> {
        let place = Place::NodeAt(at);
        Arc::new(Self {
            keyring,
            key,
            place,
        })
    }

    pub(crate) fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    pub(crate) fn key(&self) -> PublicKey {
        self.key
    }

    /// The same peer, with its key.
    pub(crate) fn named(&self, peer: &Peer) -> Peer {
        let listed = self.keyring.listed();
        peer.with_key(&self.key.to_string(), listed.name_of(&self.key))
    }

    /// Waits until the key may not be where it is any more.
    pub(crate) async fn revoked(&self) {
        let mut changes = self.keyring.changes();
        let gone = |listed: &Arc<Listed>| match &self.place {
            Place::Client => !listed.has_client(&self.key),
            Place::NodeAt(address) => !listed.expected_at(address).contains(&self.key),
        };
        // the sender is in the keyring
        let _ = changes.wait_for(gone).await;
    }
}

impl Rights for Holder {
    fn key(&self) -> &[u8] {
        self.key.as_bytes()
    }

    fn may_use(&self, exchange: &str, topic: &str) -> bool {
        let listed = self.keyring.listed();
        listed.may_use(&self.key, exchange, topic)
    }

    fn may_announce(&self, exchange: &str, topic: &str, server: &str) -> bool {
        let listed = self.keyring.listed();
        listed.may_announce(&self.key, exchange, topic, server)
    }
}
