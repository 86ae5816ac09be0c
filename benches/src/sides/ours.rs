//! The framework's client: how each benchmark asks for its load.

use super::api::LoadClient;
use crate::load::{self, Act, Scale};
use crate::side::{Sample, Work};
use crate::{Outcome, because};
use bytes::Bytes;
use futures_util::StreamExt;
use rpc_core::Context;
use std::time::{Duration, Instant};

/// How long a transport is given to write what it still has.
const CLOSING: Duration = Duration::from_secs(1);

/// Does one round of a benchmark with the server that listens on a port.
pub(super) async fn run(work: Work, scale: &Scale, port: u16, server: u32) -> Outcome<Sample> {
    let transport = rpc_zmq::connect(&format!("zmq://127.0.0.1:{port}"))
        .await
        .map_err(because("the transport can't be opened"))?;
    let client = LoadClient::new(transport.clone());
    let sample = match connected(&client).await {
        Ok(()) => sample(work, scale, &client, server).await,
        Err(problem) => Err(problem),
    };
    transport.close(CLOSING).await;
    sample
}

/// Waits until calls reach the server.
async fn connected(client: &LoadClient) -> Outcome {
    client
        .prepare(|call| call.timeout(Duration::from_secs(10)))
        .noted(&Context::new())
        .await
        .map_err(because("the server can't be reached"))?;
    Ok(())
}

async fn sample(work: Work, scale: &Scale, client: &LoadClient, server: u32) -> Outcome<Sample> {
    let echo = |body| Echo {
        client: client.clone(),
        body,
    };
    Ok(match work {
        Work::Sequential => {
            let times =
                load::sequential(scale.warm_up, scale.calls, echo(load::small_body())).await?;
            vec![Some(load::median_micros(times)?)]
        }
        Work::InFlight => {
            let echo = echo(load::small_body());
            load::together(scale.span / 4, server, &echo).await?;
            load::together(scale.span, server, &echo).await?.sample()
        }
        Work::StreamReady => vec![Some(stream_ready(client.clone(), scale.items).await?)],
        Work::StreamPaced => {
            let delay = stream_paced(client.clone(), scale.paced_items).await?;
            vec![Some(delay), Some(delay)]
        }
        Work::Cast => {
            let note = Note(echo(load::small_body()));
            let warm_up = load::together(scale.span / 4, server, &note).await?;
            let done = load::together(scale.span, server, &note).await?;
            all_noted(client, warm_up.count + done.count).await?;
            vec![Some(done.per_second())]
        }
        Work::Large => {
            let warm_up = scale.warm_up / 50;
            let times =
                load::sequential(warm_up, scale.large_calls, echo(load::large_body())).await?;
            vec![Some(load::mebibytes_per_second(&times))]
        }
    })
}

/// A call that checks its echo.
#[derive(Clone)]
struct Echo {
    client: LoadClient,
    body: Bytes,
}

impl Act for Echo {
    async fn act(&self) -> Outcome {
        let call = self.client.echo(&Context::new(), self.body.clone());
        let received = call.await.map_err(because("a call failed"))?;
        load::same(&self.body, &received)
    }
}

/// A cast that waits until it is accepted.
#[derive(Clone)]
struct Note(Echo);

impl Act for Note {
    async fn act(&self) -> Outcome {
        let Echo { client, body } = &self.0;
        client
            .note(&Context::new(), body.clone())
            .await
            .map_err(because("a cast failed"))
    }
}

/// Waits until every cast that was accepted has run.
async fn all_noted(client: &LoadClient, accepted: u64) -> Outcome {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let noted = client
            .noted(&Context::new())
            .await
            .map_err(because("the casts can't be counted"))?;
        if noted == accepted {
            return Ok(());
        }
        if noted > accepted || Instant::now() > deadline {
            return Err(format!("{accepted} casts were accepted, and {noted} ran"));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Items per second.
async fn stream_ready(client: LoadClient, count: u64) -> Outcome<f64> {
    load::in_task(async move {
        let started = Instant::now();
        let mut items = client.ready(&Context::new(), count);
        let mut arrived = 0;
        while let Some(item) = items.next().await {
            let item = item.map_err(because("the stream failed"))?;
            if item != (arrived, arrived) {
                return Err(format!("{item:?} arrived as number {arrived}"));
            }
            arrived += 1;
        }
        all_arrived(arrived, count)?;
        Ok(count as f64 / started.elapsed().as_secs_f64())
    })
    .await
}

/// The median of how long items were on their way, in microseconds.
async fn stream_paced(client: LoadClient, count: u64) -> Outcome<f64> {
    load::in_task(async move {
        let mut items = client.paced(&Context::new(), count);
        let mut delays = Vec::new();
        while let Some(item) = items.next().await {
            let (_, stamp) = item.map_err(because("the stream failed"))?;
            delays.push(load::stamp().saturating_sub(stamp));
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
