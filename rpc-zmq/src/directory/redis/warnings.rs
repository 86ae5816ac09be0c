//! What is wrong with what Redis holds, logged now and then.

use super::RedisServer;
use std::collections::BTreeMap;
use tokio::time::{Duration, Instant};

/// How often a warning about one thing is logged at most.
const EVERY: Duration = Duration::from_secs(60);

/// How much of a key and of a reason is shown, in characters.
const SHOWN: usize = 200;

/// Warnings of one kind.
#[derive(Debug)]
pub(super) struct Warnings {
    /// About so many things at most, until one of them was warned of long ago.
    most: usize,
    told: BTreeMap<String, Instant>,
}

impl Warnings {
    pub(super) fn about(most: usize) -> Self {
        Self {
            most,
            told: BTreeMap::new(),
        }
    }

    /// Logs what is wrong with what this key holds.
    pub(super) fn say(&mut self, server: &RedisServer, key: &str, reason: &str) {
        if !self.are_due(key) {
            return;
        }
        let (record, reason) = (shown(key), shown(reason));
        tracing::warn!(name: "rpc.directory.wrong_record", directory = %server, record, reason,
            "what the directory holds can't be read, and is skipped; more of this is not logged for a minute");
    }

    fn are_due(&mut self, key: &str) -> bool {
        self.told.retain(|_, at| at.elapsed() < EVERY);
        if self.told.len() >= self.most || self.told.contains_key(key) {
            return false;
        }
        self.told.insert(key.to_owned(), Instant::now());
        true
    }
}

fn shown(text: &str) -> String {
    let shown = text.chars().take(SHOWN);
    shown.flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_of_once_and_not_too_many() {
        let mut warnings = Warnings::about(2);
        let due = ["a", "a", "b", "c", "b"].map(|key| warnings.are_due(key));
        assert_eq!(due, [true, false, true, false, false]);
        let long_ago = Instant::now().checked_sub(EVERY).unwrap();
        warnings.told.insert("a".into(), long_ago);
        assert!(!warnings.are_due("b") && warnings.are_due("c"));
    }

    #[test]
    fn what_is_shown_is_escaped_and_cut() {
        assert_eq!(shown("a\u{1b}[31m\n"), "a\\u{1b}[31m\\n");
        assert_eq!(shown(&"x".repeat(1000)).len(), SHOWN);
    }
}
