//! Streams that a consumer reads item by item.

use crate::{Outcome, load};
use futures_util::{Stream, StreamExt};
use std::pin::pin;
use std::time::Instant;

/// Items per second of a stream of the numbers from 0 upwards.
pub async fn ready<S>(
    count: u64,
    open: impl Future<Output = Outcome<S>> + Send + 'static,
) -> Outcome<f64>
where
    S: Stream<Item = Outcome<u64>> + Send,
{
    load::in_task(async move {
        let started = Instant::now();
        let mut items = pin!(open.await?);
        let mut arrived = 0;
        while let Some(item) = items.next().await {
            let item = item?;
            if item != arrived {
                return Err(format!("{item} arrived as number {arrived}"));
            }
            arrived += 1;
        }
        all_arrived(arrived, count)?;
        Ok(count as f64 / started.elapsed().as_secs_f64())
    })
    .await
}

/// The median of how long the items of a stream of stamps were on their way, in microseconds.
pub async fn paced<S>(
    count: u64,
    open: impl Future<Output = Outcome<S>> + Send + 'static,
) -> Outcome<f64>
where
    S: Stream<Item = Outcome<u64>> + Send,
{
    load::in_task(async move {
        let mut items = pin!(open.await?);
        let mut delays = Vec::new();
        while let Some(stamp) = items.next().await {
            delays.push(load::stamp().saturating_sub(stamp?));
        }
        all_arrived(delays.len() as u64, count)?;
        load::median_micros(delays)
    })
    .await
}

fn all_arrived(arrived: u64, count: u64) -> Outcome {
    if arrived == count {
        return Ok(());
    }
    Err(format!("{arrived} items of {count} arrived"))
}
