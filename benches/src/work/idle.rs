//! What connections that rest take of memory.

use crate::Outcome;
use crate::side::{Job, Sample};
use crate::usage::memory_of;
use std::time::{Duration, Instant};

/// How many connections there are.
const CLIENTS: usize = 1_000;

/// How long they rest before they are measured.
const REST: Duration = Duration::from_secs(1);

/// One round: the memory of either process for each connection, and how long it took to make them. `connect` makes a client, and
/// does a call with it. The first one is not measured: it brings what all share.
pub async fn round<C, F>(job: &Job, mut connect: impl FnMut() -> F) -> Outcome<Sample>
where
    F: Future<Output = Outcome<C>>,
{
    let memory = || [memory_of(job.server), memory_of(std::process::id())];
    let first = connect().await?;
    tokio::time::sleep(REST).await;
    let before = memory();
    let started = Instant::now();
    let mut clients = Vec::with_capacity(CLIENTS);
    for _ in 0..CLIENTS {
        clients.push(connect().await?);
    }
    let elapsed = started.elapsed();
    tokio::time::sleep(REST).await;
    let after = memory();
    drop((first, clients));
    let each = |before: Option<f64>, after: Option<f64>| Some((after? - before?) / CLIENTS as f64);
    Ok(vec![
        each(before[0], after[0]),
        each(before[1], after[1]),
        Some(elapsed.as_secs_f64() * 1e3),
    ])
}
