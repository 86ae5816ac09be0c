//! Maps by the id of a request.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map by the id of a request.
pub(super) type IdMap<T> = HashMap<u64, T, BuildHasherDefault<IdHasher>>;

/// Ids on a link rise, so one multiplication spreads them well. A peer that chooses them badly on purpose only slows itself
/// down, and no more than its window allows.
#[derive(Default)]
pub(super) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, id: u64) {
        // the golden ratio in 64 bits, and its best bits where the map looks first
        self.0 = (self.0 ^ id)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(32);
    }
}
