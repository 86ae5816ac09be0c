//! Warnings that a peer can cause, at a bounded rate.

use crate::sync::Mutex;
use std::time::{Duration, Instant};

/// Lets ten events a second through.
#[derive(Debug)]
pub(crate) struct Limiter(Mutex<Option<(Instant, u32)>>);

impl Limiter {
    const MOST: u32 = 10;
    const PERIOD: Duration = Duration::from_secs(1);

    pub(crate) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    pub(crate) fn pass(&self) -> bool {
        let mut state = crate::lock(&self.0);
        let now = Instant::now();
        match &mut *state {
            Some((since, count)) if now.duration_since(*since) < Self::PERIOD => {
                *count += 1;
                *count <= Self::MOST
            }
            _ => {
                *state = Some((now, 1));
                true
            }
        }
    }
}

/// Runs a block that logs, at most ten times a second at each place where this is written.
macro_rules! rate_limited {
    ($log:block) => {{
        static LIMITER: $crate::log::Limiter = $crate::log::Limiter::new();
        if LIMITER.pass() {
            $log
        }
    }};
}
pub(crate) use rate_limited;

#[cfg(test)]
mod tests {
    #[test]
    fn ten_a_second() {
        let limiter = super::Limiter::new();
        assert_eq!((0..100).filter(|_| limiter.pass()).count(), 10);
    }
}
