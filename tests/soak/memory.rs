//! How much memory the program holds.

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::runtime::Builder;

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The bytes that are allocated now.
pub(crate) fn live() -> usize {
    let stats = HEAP.stats();
    stats
        .bytes_allocated
        .saturating_sub(stats.bytes_deallocated)
}

static ALONE: Mutex<()> = Mutex::new(());

/// Held by whoever measures.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a test that measures, alone: its runtime, too, is made and dropped while nobody else measures.
pub(crate) fn run_alone(runtime: &mut Builder, test: impl Future<Output = ()>) {
    let _alone = alone();
    let runtime = runtime.enable_all().build().expect("a runtime");
    runtime.block_on(test);
}
