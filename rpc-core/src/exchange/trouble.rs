//! Trouble that lasts, and when it is worth a line in the log.

use std::time::Duration;
use tokio::time::Instant;

/// How often it is warned at most that trouble which goes on has another reason.
const AGAIN: Duration = Duration::from_secs(60);

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

#[cfg(test)]
mod tests {
    use super::{AGAIN, Trouble};
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
}
