//! Files of keys.

use rpc_zmq::{PublicKey, SecretKey};
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder of keys and lists, which is gone with the test.
pub(crate) struct Folder(PathBuf);

/// The text of a list.
#[derive(Default)]
pub(crate) struct List(String);

impl List {
    /// Adds a key, and what it may do: the rest of its entry.
    pub(crate) fn with(mut self, kind: &str, key: PublicKey, rest: &str) -> Self {
        write!(self.0, "[[{kind}]]\nkey = \"{key}\"\n{rest}\n").unwrap();
        self
    }

    pub(crate) fn client(self, key: PublicKey) -> Self {
        self.with("client", key, "topics = [\"*\"]")
    }

    pub(crate) fn node(self, key: PublicKey) -> Self {
        self.with("node", key, "topics = [\"*\"]")
    }
}

impl Folder {
    pub(crate) fn new() -> Self {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let name = format!("rpc-curve-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, file: &str) -> String {
        self.0.join(file).to_str().unwrap().to_owned()
    }

    /// A new key, in a file.
    pub(crate) fn key(&self, file: &str) -> PublicKey {
        let key = SecretKey::generate();
        key.write(self.path(file).as_ref()).unwrap();
        key.public_key()
    }

    /// Writes a list, in the place of the one before.
    pub(crate) fn list(&self, file: &str, List(text): List) {
        self.text(file, &text);
    }

    pub(crate) fn text(&self, file: &str, text: &str) {
        let new = self.path("new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, self.path(file)).unwrap();
    }

    /// The options of a URL by which a process has this key and this list.
    pub(crate) fn options(&self, key: &str, list: &str) -> String {
        format!("key={}&peers={}", self.path(key), self.path(list))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
