//! One client of very many servers, each at a node of its own.

use super::api::LoadClient;
use super::ours::{Echo, open};
use crate::load;
use crate::side::{Job, Sample};
use crate::usage::memory_of;
use crate::{Outcome, because};
use rpc_core::Context;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How many servers there are.
pub(super) const SERVERS: usize = 1_000;

/// How long a server is waited for.
const REACHED: Duration = Duration::from_secs(60);

/// How long the links rest before they are measured.
const REST: Duration = Duration::from_secs(1);

pub(super) fn server_name(number: usize) -> String {
    format!("bench-{number}")
}

/// One round: the first call, calls to all, memory, and what a call costs then.
pub(super) async fn round(job: &Job) -> Outcome<Sample> {
    let memory = || memory_of(std::process::id());
    let before = memory();
    let started = Instant::now();
    let client = LoadClient::new(open(&job.ports, "").await?);
    called(client.prepare(|call| call.timeout(REACHED))).await?;
    let first = started.elapsed();
    let mut calls = JoinSet::new();
    for number in 0..SERVERS {
        calls.spawn(called(
            client.prepare(|call| call.server(server_name(number)).timeout(REACHED)),
        ));
    }
    while let Some(joined) = calls.join_next().await {
        joined.map_err(because("a task broke off"))??;
    }
    let all = started.elapsed();
    tokio::time::sleep(REST).await;
    let after = memory();
    let echo = Echo {
        client,
        body: load::small_body(),
    };
    let scale = &job.scale;
    let times = load::sequential(scale.warm_up, scale.calls, echo.clone()).await?;
    let done = load::together(scale.span, job.server, &echo).await?;
    let millis = |time: Duration| Some(time.as_secs_f64() * 1e3);
    let grown = before
        .zip(after)
        .map(|(before, after)| (after - before) / SERVERS as f64);
    Ok(vec![
        millis(first),
        millis(all),
        grown,
        Some(load::median_micros(times)?),
        done.client_cpu_each(),
    ])
}

/// Calls once.
async fn called(client: LoadClient) -> Outcome {
    let noted = client.noted(&Context::new()).await;
    noted.map_err(because("a server can't be reached"))?;
    Ok(())
}
