//! The cap that a client has found out, shared by all that were cloned from it.

use crate::Version;
use std::sync::atomic::{AtomicU64, Ordering};

/// A version, or none yet.
#[derive(Debug, Default)]
pub(crate) struct SharedCap(AtomicU64);

/// Tells version 0.0 from none.
const KNOWN: u64 = 1 << 48;

impl SharedCap {
    pub(crate) fn get(&self) -> Option<Version> {
        let word = self.0.load(Ordering::Relaxed);
        #[expect(clippy::cast_possible_truncation, reason = "each part has 16 bits")]
        let part = |shift: u32| (word >> shift) as u16;
        (word & KNOWN != 0).then(|| Version::new(part(32), part(16)).with_revision(part(0)))
    }

    pub(crate) fn set(&self, version: Version) {
        let [major, minor, revision] =
            [version.major(), version.minor(), version.revision()].map(u64::from);
        let word = KNOWN | major << 32 | minor << 16 | revision;
        self.0.store(word, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_comes_back_as_it_was() {
        let cap = SharedCap::default();
        assert_eq!(cap.get(), None);
        for version in [
            Version::new(0, 0),
            Version::new(6, 5).with_revision(1),
            Version::new(u16::MAX, u16::MAX).with_revision(u16::MAX),
        ] {
            cap.set(version);
            assert_eq!(cap.get(), Some(version));
        }
    }
}
