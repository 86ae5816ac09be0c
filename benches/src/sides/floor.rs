//! What the floors have in common: who waits for what, and the rounds that they do alike.

use crate::load::{self, Act};
use crate::side::{Job, Sample};
use crate::{Outcome, because};
use bytes::{Buf, Bytes};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// What a client of a floor can do.
pub(super) trait Floor: Send + Sync + 'static {
    /// Sends a body, and waits until it comes back.
    fn echo(&self, body: &[u8]) -> impl Future<Output = Outcome<Bytes>> + Send;

    /// Sends a body that nothing comes back for.
    fn note(&self, body: &[u8]) -> impl Future<Output = Outcome> + Send;

    /// Asks how many notes there were since it was asked last, and in which time: the bytes of a [`Noted`].
    fn noted(&self) -> impl Future<Output = Outcome<Bytes>> + Send;
}

/// A request that checks its echo.
pub(super) struct Echo<F>(pub(super) Arc<F>, pub(super) Bytes);

impl<F> Clone for Echo<F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0), self.1.clone())
    }
}

impl<F: Floor> Act for Echo<F> {
    async fn act(&self) -> Outcome {
        let received = self.0.echo(&self.1).await?;
        load::same(&self.1, &received)
    }
}

/// A message that nothing comes back for.
struct Note<F>(Echo<F>);

impl<F> Clone for Note<F> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<F: Floor> Act for Note<F> {
    async fn act(&self) -> Outcome {
        let Echo(floor, body) = &self.0;
        floor.note(body).await
    }
}

/// One round of messages without an answer: how many arrived in a second. They must be as many as were sent.
pub(super) async fn notes<F: Floor>(floor: &Arc<F>, job: &Job) -> Outcome<Sample> {
    let note = Note(Echo(Arc::clone(floor), load::small_body()));
    let warm_up = load::together(job.scale.span / 4, job.server, &note).await?;
    Noted::read(&floor.noted().await?)?.rate(warm_up.count)?;
    let done = load::together(job.scale.span, job.server, &note).await?;
    let rate = Noted::read(&floor.noted().await?)?.rate(done.count)?;
    Ok(vec![Some(rate)])
}

/// The notes that a server got.
pub(super) struct Noted {
    count: u64,
    nanos: u64,
}

impl Noted {
    /// The answer to the question after them.
    pub(super) fn bytes(count: u64, since: Option<Instant>) -> [u8; 16] {
        let elapsed = since.map_or(Duration::ZERO, |since| since.elapsed());
        let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&count.to_be_bytes());
        bytes[8..].copy_from_slice(&nanos.to_be_bytes());
        bytes
    }

    fn read(mut answer: &[u8]) -> Outcome<Self> {
        if answer.len() != 16 {
            return Err("the floor's count can't be read".into());
        }
        Ok(Self {
            count: answer.get_u64(),
            nanos: answer.get_u64(),
        })
    }

    fn rate(&self, sent: u64) -> Outcome<f64> {
        if self.count == sent && self.nanos > 0 {
            return Ok(self.count as f64 * 1e9 / self.nanos as f64);
        }
        Err(format!(
            "{sent} notes were sent, and {} arrived",
            self.count
        ))
    }
}

/// Who waits for what.
#[derive(Default)]
pub(super) struct Waiting {
    last_number: AtomicU64,
    by_number: Mutex<HashMap<u64, oneshot::Sender<Bytes>>>,
}

/// Somebody who waits for an answer.
pub(super) struct Waits(oneshot::Receiver<Bytes>);

impl Waiting {
    /// The number that the answer has to bear.
    pub(super) fn add(&self) -> (u64, Waits) {
        let number = self.last_number.fetch_add(1, Ordering::Relaxed) + 1;
        let (answer, answered) = oneshot::channel();
        lock(&self.by_number).insert(number, answer);
        (number, Waits(answered))
    }

    pub(super) fn answer(&self, number: u64, body: Bytes) {
        let waits = lock(&self.by_number).remove(&number);
        if let Some(waits) = waits {
            // nobody may want it any more
            let _ = waits.send(body);
        }
    }

    /// Nobody waits for what can't come.
    pub(super) fn give_up(&self) {
        lock(&self.by_number).clear();
    }
}

impl Waits {
    pub(super) async fn answer(self) -> Outcome<Bytes> {
        self.0
            .await
            .map_err(because("the floor's connection was lost"))
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
