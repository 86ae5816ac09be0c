//! Trouble that lasts, and when it is worth a line in the log.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;
use tokio::time::Instant;

/// How often it is warned at most that trouble which goes on has another reason.
const AGAIN: Duration = Duration::from_secs(60);

/// How many reasons are remembered why something fails.
const REASONS: usize = 4;

/// What is wrong with something that is tried over and over, such as a directory that is asked.
///
/// Whoever tries says what came of it, and is told whether that is to be logged: when trouble begins, when it has another reason, though
/// not more often than once a minute, and when it is over.
#[derive(Debug, Default)]
pub struct Trouble {
    reason: Option<String>,
    /// The reason that was warned of last, and when.
    told: Option<(String, Instant)>,
}

impl Trouble {
    /// It went wrong. `true` if that is to be warned of.
    #[must_use]
    pub fn goes_on(&mut self, reason: &str) -> bool {
        self.reason = Some(reason.to_owned());
        if let Some((told, at)) = &self.told
            && (told == reason || at.elapsed() < AGAIN)
        {
            return false;
        }
        self.told = Some((reason.to_owned(), Instant::now()));
        true
    }

    /// It went well. `true` if it had not before.
    pub fn ends(&mut self) -> bool {
        self.told = None;
        self.reason.take().is_some()
    }

    /// What is wrong.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

/// The reasons for which something failed lately, so that none is told at each attempt: an attempt may fail in two ways by turns. Only
/// their hashes are kept, since one may be as long as a peer likes.
#[derive(Debug, Default)]
pub struct Reasons(VecDeque<u64>);

impl Reasons {
    /// It failed. `true` if that was not for one of these reasons.
    #[must_use]
    pub fn is_news(&mut self, reason: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        reason.hash(&mut hasher);
        let hash = hasher.finish();
        if self.0.contains(&hash) {
            return false;
        }
        self.0.truncate(REASONS - 1);
        self.0.push_front(hash);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{AGAIN, REASONS, Reasons, Trouble};
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn it_is_told_when_it_begins_and_when_it_is_over() {
        let mut trouble = Trouble::default();
        assert!(!trouble.ends());
        for _ in 0..2 {
            assert!(trouble.goes_on("refused"));
            advance(2 * AGAIN).await;
            assert!(!trouble.goes_on("refused"));
            assert_eq!(trouble.reason(), Some("refused"));
            assert!(trouble.ends() && !trouble.ends());
            assert_eq!(trouble.reason(), None);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn another_reason_is_told_once_a_minute() {
        let mut trouble = Trouble::default();
        assert!(trouble.goes_on("refused"));
        assert!(!trouble.goes_on("silent"));
        assert_eq!(trouble.reason(), Some("silent"));
        advance(AGAIN).await;
        assert!(!trouble.goes_on("refused"));
        // what goes on longer than that is told of
        assert!(trouble.goes_on("silent"));
        assert!(!trouble.goes_on("silent") && !trouble.goes_on("refused"));
    }

    #[test]
    fn reasons_that_come_again_are_no_news_and_few_are_remembered() {
        let mut reasons = Reasons::default();
        let news = ["a", "b", "a", "b"].map(|reason| reasons.is_news(reason));
        assert_eq!(news, [true, true, false, false]);
        assert!((0..REASONS).all(|number| reasons.is_news(&number.to_string())));
        assert_eq!(reasons.0.len(), REASONS);
        assert!(reasons.is_news("a") && !reasons.is_news("3"));
    }
}
