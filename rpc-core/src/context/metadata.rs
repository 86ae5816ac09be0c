//! Text by key, which travels with a message.

use std::collections::BTreeMap;
use std::fmt;

/// The most bytes that the metadata of one message may take, keys and values together.
pub const MAX_METADATA: usize = 16 * 1024;

/// The most keys that the metadata of one message may have.
pub const MAX_METADATA_KEYS: usize = 128;

/// Texts by key, which travel with a message: at most [`MAX_METADATA_KEYS`] and [`MAX_METADATA`] bytes of them.
///
/// Values are never logged, and `Debug` shows the keys only.
///
/// ```
/// let mut metadata = rpc_core::Metadata::default();
/// metadata.insert("user", "ada");
/// assert_eq!(metadata.get("user"), Some("ada"));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Metadata(BTreeMap<String, String>);

impl Metadata {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Sets the text of a key. One that was there before is replaced.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.0.insert(key.into(), value.into());
    }

    /// The text of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Takes a key away. `true` if it was there.
    pub fn remove(&mut self, key: &str) -> bool {
        self.0.remove(key).is_some()
    }

    /// All of it, by key.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes in one that arrived. An error says which rule it breaks.
    pub(crate) fn receive(&mut self, key: &str, value: &str) -> Result<(), &'static str> {
        match self.0.insert(key.to_owned(), value.to_owned()) {
            Some(_) => Err("a key of the metadata occurs twice"),
            None => Ok(()),
        }
    }

    /// What is too much of it, in words.
    pub(crate) fn excess(&self) -> Option<String> {
        let bytes: usize = self
            .iter()
            .map(|(key, value)| key.len() + value.len())
            .sum();
        if bytes > MAX_METADATA {
            return Some(format!(
                "{bytes} bytes of metadata, at most {MAX_METADATA} can be sent"
            ));
        }
        let keys = self.len();
        (keys > MAX_METADATA_KEYS)
            .then(|| format!("{keys} keys of metadata, at most {MAX_METADATA_KEYS} can be sent"))
    }
}

impl fmt::Debug for Metadata {
    /// Shows the keys, never the values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}
