//! One direction of a link: frames on their way, and what goes wrong with them.

use super::faults::Faults;
use super::links::Shared;
use crate::lock;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::time::Instant;

/// How many frames may be on their way in one direction. With as many, no more are taken until some have arrived.
const MOST: usize = 4096;

/// Frames on their way in one direction.
pub(super) struct Wire {
    shared: Arc<Shared>,
    rng: fastrand::Rng,
    /// By when they arrive, and the order in which they were sent.
    on_the_way: BTreeMap<(Instant, u64), Bytes>,
    sent: u64,
    /// When the last of those arrives that keep their order.
    last: Instant,
}

/// The link is cut.
#[derive(Debug)]
pub(super) struct Cut;

impl Wire {
    pub(super) fn new(shared: Arc<Shared>, rng: fastrand::Rng) -> Self {
        Self {
            shared,
            rng,
            on_the_way: BTreeMap::new(),
            sent: 0,
            last: Instant::now(),
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.on_the_way.len() < MOST
    }

    /// Sends frames. What goes wrong with each is settled now.
    pub(super) fn send(&mut self, frames: impl Iterator<Item = Bytes>) -> Result<(), Cut> {
        let shared = Arc::clone(&self.shared);
        let faults = lock(&shared.faults);
        let now = Instant::now();
        for frame in frames {
            self.send_one(&faults, now, frame)?;
        }
        Ok(())
    }

    fn send_one(&mut self, faults: &Faults, now: Instant, frame: Bytes) -> Result<(), Cut> {
        let counters = Arc::clone(&self.shared);
        let counters = &counters.counters;
        counters.sent.fetch_add(1, Relaxed);
        let due = now + faults.delay + self.up_to(faults.jitter);
        if !faults.befall(&frame) {
            self.in_order(due, frame);
            return Ok(());
        }
        if self.happens(faults.cuts) {
            counters.cut.fetch_add(1, Relaxed);
            return Err(Cut);
        }
        if self.happens(faults.loss) {
            counters.lost.fetch_add(1, Relaxed);
            return Ok(());
        }
        if self.happens(faults.duplication) {
            counters.duplicated.fetch_add(1, Relaxed);
            let again = due.max(self.last) + self.up_to(faults.jitter);
            self.put(again, frame.clone());
        }
        if self.happens(faults.reordering) {
            counters.reordered.fetch_add(1, Relaxed);
            let held = due.max(self.last) + self.up_to(faults.jitter);
            self.put(held, frame);
        } else {
            self.in_order(due, frame);
        }
        Ok(())
    }

    fn in_order(&mut self, due: Instant, frame: Bytes) {
        self.last = self.last.max(due);
        self.put(self.last, frame);
    }

    fn put(&mut self, due: Instant, frame: Bytes) {
        self.sent += 1;
        self.on_the_way.insert((due, self.sent), frame);
    }

    fn happens(&mut self, rate: f64) -> bool {
        rate > 0.0 && self.rng.f64() < rate
    }

    fn up_to(&mut self, most: Duration) -> Duration {
        if most.is_zero() {
            return most;
        }
        most.mul_f64(self.rng.f64())
    }

    /// The frames that have arrived.
    pub(super) fn arrived(&mut self) -> Vec<Bytes> {
        let now = Instant::now();
        let mut arrived = Vec::new();
        while let Some(first) = self.on_the_way.first_entry()
            && first.key().0 <= now
        {
            arrived.push(first.remove());
        }
        arrived
    }

    /// Waits until a frame has arrived. Never ends while none is on its way. Cancel safe.
    pub(super) async fn arrival(&self) {
        match self.on_the_way.first_key_value() {
            Some(((due, _), _)) => tokio::time::sleep_until(*due).await,
            None => std::future::pending().await,
        }
    }
}
