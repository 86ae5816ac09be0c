//! What goes wrong on a link, and how often.

use std::time::Duration;

/// What goes wrong on a link, and how often.
///
/// Rates are of each frame, from 0.0 (never) to 1.0 (always).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    pub(super) loss: f64,
    pub(super) duplication: f64,
    pub(super) reordering: f64,
    pub(super) cuts: f64,
    pub(super) delay: Duration,
    pub(super) jitter: Duration,
    pub(super) only: Option<Vec<u8>>,
}

impl Faults {
    /// Nothing goes wrong, and frames take no time.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// How many frames are lost.
    #[must_use]
    pub fn loss(self, loss: f64) -> Self {
        Self { loss, ..self }
    }

    /// How many frames arrive twice; the second time later by up to the [`jitter`](Self::jitter).
    #[must_use]
    pub fn duplication(self, duplication: f64) -> Self {
        Self {
            duplication,
            ..self
        }
    }

    /// How many frames are held back by up to the [`jitter`](Self::jitter), so that later ones overtake them.
    #[must_use]
    pub fn reordering(self, reordering: f64) -> Self {
        Self { reordering, ..self }
    }

    /// How many frames cut the link instead of arriving.
    #[must_use]
    pub fn cuts(self, cuts: f64) -> Self {
        Self { cuts, ..self }
    }

    /// How long each frame takes. Frames keep their order.
    #[must_use]
    pub fn delay(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// How much longer than the delay a frame may take, at random. Without [`reordering`](Self::reordering), frames keep their
    /// order.
    #[must_use]
    pub fn jitter(self, jitter: Duration) -> Self {
        Self { jitter, ..self }
    }

    /// Loss, duplication, reordering and cuts befall only frames of these kinds, by the numbers that `docs/wire-protocol.md` gives
    /// them.
    #[must_use]
    pub fn only(self, kinds: &[u8]) -> Self {
        Self {
            only: Some(kinds.to_vec()),
            ..self
        }
    }

    /// Whether anything may go wrong with a frame.
    pub(super) fn befall(&self, frame: &[u8]) -> bool {
        match (&self.only, frame.get(1)) {
            (Some(only), Some(kind)) => only.contains(kind),
            _ => true,
        }
    }
}

crate::counters::counters! {
    pub(super) struct Counters;

    /// What has happened on a network.
    pub struct NetworkStats {
        /// Frames that were sent.
        sent,
        /// Frames that were lost, other than by a cut.
        lost,
        /// Frames that arrived twice.
        duplicated,
        /// Frames that were held back.
        reordered,
        /// Links that were made.
        links,
        /// Links that a frame cut.
        cut,
    }
}
