//! Keys for a server and its client: files in a folder of the server's process.

use crate::{Outcome, because};
use rpc_zmq::{PublicKey, SecretKey};
use std::path::{Path, PathBuf};

const SERVER: &str = "server.key";
const CLIENT: &str = "client.key";
const PEERS: &str = "peers.toml";

/// The files of a server that runs. They are removed when this is dropped.
#[derive(Debug)]
pub(super) struct Keys(PathBuf);

impl Keys {
    /// Makes keys for this process, which is the server, and for its client.
    pub(super) fn make() -> Outcome<Self> {
        let folder = folder(std::process::id());
        // of a process of the same number that was killed
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).map_err(because("no folder for keys can be made"))?;
        let keys = Self(folder);
        let (server, client) = (keys.key(SERVER)?, keys.key(CLIENT)?);
        let peers = format!(
            "[[node]]\nkey = \"{server}\"\ntopics = [\"*\"]\n\n[[client]]\nname = \"bench\"\nkey = \"{client}\"\ntopics = [\"*\"]\n"
        );
        std::fs::write(keys.0.join(PEERS), peers)
            .map_err(because("the list of keys can't be written"))?;
        Ok(keys)
    }

    fn key(&self, file: &str) -> Outcome<PublicKey> {
        let key = SecretKey::generate();
        key.write(&self.0.join(file))
            .map_err(because("a key can't be written"))?;
        Ok(key.public_key())
    }

    /// The options of the server's URL.
    pub(super) fn of_server(&self) -> String {
        options(&self.0, SERVER)
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // what is left is in the folder for what is temporary
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The options of the URL of a client whose server is this process.
pub(super) fn of_client(server: u32) -> String {
    options(&folder(server), CLIENT)
}

fn folder(server: u32) -> PathBuf {
    std::env::temp_dir().join(format!("rpc-benches-{server}"))
}

fn options(folder: &Path, key: &str) -> String {
    let (key, peers) = (folder.join(key), folder.join(PEERS));
    format!("key={}&peers={}", key.display(), peers.display())
}
