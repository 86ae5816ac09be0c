//! Steps: announced before, timed after, named in the error.

use std::time::{Duration, Instant};

use crate::run::Outcome;
use crate::say;

/// Does `work` under a header line, and says how it ended and how long it took.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    say::line(&format!("\n== {name}"));
    let start = Instant::now();
    let outcome = work();
    let word = if outcome.is_ok() { "ok" } else { "failed" };
    say::line(&format!("== {name}: {word} ({})", seconds(start.elapsed())));
    outcome.map_err(|problem| format!("{name}: {problem}"))
}

/// A duration for people: `1.2 s`.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_in_tenths_of_a_second() {
        assert_eq!(seconds(Duration::from_millis(1234)), "1.2 s");
    }
}
