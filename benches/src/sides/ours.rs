//! The framework's client: how each benchmark asks for its load.

use super::api::LoadClient;
use super::{keys, servers};
use crate::load::{self, Act};
use crate::side::{Job, Sample, Work};
use crate::work::{echo, idle, streams};
use crate::{Outcome, because};
use bytes::Bytes;
use futures_util::StreamExt;
use rpc_core::{CallError, Context, Never, Transport};
use std::time::{Duration, Instant};

/// How long a transport is given to write what it still has.
const CLOSING: Duration = Duration::from_secs(1);

/// Does one round of a benchmark.
pub(super) async fn run(job: Job) -> Outcome<Sample> {
    if job.work == Work::Many {
        return servers::round(&job).await;
    }
    round(&job, "").await
}

/// The same, with a server that asks for keys.
pub(super) async fn run_with_keys(job: Job) -> Outcome<Sample> {
    round(&job, &keys::of_client(job.server)).await
}

/// One round with one server, to which the URL has these options.
async fn round(job: &Job, options: &str) -> Outcome<Sample> {
    let (transport, client) = connect(job.port(), options).await?;
    let sample = sample(job, &client, options).await;
    transport.close(CLOSING).await;
    sample
}

/// A client of the node that listens on a port, whose calls reach it.
async fn connect(port: u16, options: &str) -> Outcome<(Transport, LoadClient)> {
    let transport = open(&[port], options).await?;
    let client = LoadClient::new(transport.clone());
    client
        .prepare(|call| call.timeout(Duration::from_secs(10)))
        .noted(&Context::new())
        .await
        .map_err(because("the server can't be reached"))?;
    Ok((transport, client))
}

/// A transport to the nodes that listen on these ports, by a URL with these options.
pub(super) async fn open(ports: &[u16], options: &str) -> Outcome<Transport> {
    let nodes: Vec<String> = ports
        .iter()
        .map(|port| format!("127.0.0.1:{port}"))
        .collect();
    rpc_zmq::connect(&format!("zmq://{}?{options}", nodes.join(",")))
        .await
        .map_err(because("the transport can't be opened"))
}

async fn sample(job: &Job, client: &LoadClient, options: &str) -> Outcome<Sample> {
    let client = client.clone();
    match job.work {
        Work::Echo(echoes) => {
            let echo = |body| Echo {
                client: client.clone(),
                body,
            };
            echo::round(echoes, job, echo).await
        }
        Work::StreamReady => {
            let count = job.scale.items;
            let items = async move { Ok(client.ready(&Context::new(), count).map(value)) };
            Ok(vec![Some(streams::ready(count, items).await?)])
        }
        Work::StreamPaced => {
            let count = job.scale.paced_items;
            let items = async move { Ok(client.paced(&Context::new(), count).map(value)) };
            let delay = streams::paced(count, items).await?;
            Ok(vec![Some(delay), Some(delay)])
        }
        Work::Cast => {
            let body = load::small_body();
            let note = Note(Echo { client, body });
            let warm_up = load::together(job.scale.span / 4, job.server, &note).await?;
            let done = load::together(job.scale.span, job.server, &note).await?;
            all_noted(&note.0.client, warm_up.count + done.count).await?;
            Ok(vec![Some(done.per_second())])
        }
        Work::Idle => idle::round(job, || connect(job.port(), options)).await,
        Work::Many => job.not_done(),
    }
}

/// The value of a stream's item.
fn value(item: Result<(u64, u64), CallError<Never>>) -> Outcome<u64> {
    item.map(|(_, value)| value)
        .map_err(because("the stream failed"))
}

/// A call that checks its echo.
#[derive(Clone)]
pub(super) struct Echo {
    pub(super) client: LoadClient,
    pub(super) body: Bytes,
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
