//! What processors and memory a process uses. Only Linux tells, here.

use std::time::Duration;

/// The processor time that this process has used.
pub(crate) fn cpu_of_this() -> Option<Duration> {
    cpu_of(std::process::id())
}

/// The processor time that a process has used, in user and kernel mode.
pub(crate) fn cpu_of(process: u32) -> Option<Duration> {
    // the unit in which Linux tells it, on every architecture of today
    const TICKS_PER_SECOND: u64 = 100;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // the second field is a name in parentheses, which may hold anything; user and system time are fields 14 and 15
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis(
        (user + system) * 1_000 / TICKS_PER_SECOND,
    ))
}

/// The resident memory of a process, in KB of 1,000 bytes.
pub(crate) fn memory_of(process: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    // what Linux calls kB is 1,024 bytes
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1.024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory_and_another_that_is_not_there_tells_nothing() {
        assert!(memory_of(std::process::id()).is_some_and(|kb| kb > 100.0));
        assert!(cpu_of_this().is_some());
        assert_eq!((memory_of(u32::MAX), cpu_of(u32::MAX)), (None, None));
    }
}
