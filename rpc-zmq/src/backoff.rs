//! How long to wait before an address is dialled again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(5);

/// Doubling delays, each a quarter shorter or longer by chance.
#[derive(Debug)]
pub(crate) struct Backoff(Duration);

impl Backoff {
    pub(crate) fn new() -> Self {
        Self(FIRST)
    }

    /// The next delay.
    pub(crate) fn next(&mut self) -> Duration {
        let delay = self.0.mul_f64(0.75 + fastrand::f64() / 2.0);
        self.0 = (self.0 * 2).min(LONGEST);
        delay
    }

    /// A link was made: begin anew.
    pub(crate) fn reset(&mut self) {
        self.0 = FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_a_limit_with_jitter() {
        let mut backoff = Backoff::new();
        let delays: Vec<f64> = (0..12).map(|_| backoff.next().as_secs_f64()).collect();
        for (at, delay) in delays.iter().enumerate() {
            let middle = (0.05 * f64::powi(2.0, i32::try_from(at).unwrap())).min(5.0);
            assert!(
                (0.75 * middle..=1.25 * middle).contains(delay),
                "{delays:?}"
            );
        }
        backoff.reset();
        assert!(backoff.next() < Duration::from_millis(63));
    }
}
