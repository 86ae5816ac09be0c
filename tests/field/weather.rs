//! x
use std::time::Duration;
pub(crate) fn length() -> Duration {
    Duration::from_secs(20)
}
