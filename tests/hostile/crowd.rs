//! The good clients.

use crate::service::{self, OctetsClient};
use bytes::Bytes;
use futures_util::future::join_all;
use rpc_core::Context;
use std::time::Duration;
use tokio::time::{Instant, interval_at};

const CLIENTS: u32 = 64;

/// How many calls they make in a second, all together.
const RATE: u32 = 1000;

/// Clients that call over and over, each over a link of its own.
pub(crate) struct Crowd(Vec<OctetsClient>);

/// How it went.
#[derive(Debug)]
pub(crate) struct Went {
    #[expect(dead_code, reason = "it is printed")]
    pub(crate) calls: usize,
    #[expect(dead_code, reason = "it is printed")]
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) failed: Vec<String>,
}

impl Crowd {
    pub(crate) async fn connect(address: &str) -> Self {
        let clients = (0..CLIENTS).map(|_| service::client(address, ""));
        let clients = join_all(clients).await;
        for client in &clients {
            client.blob(&Context::new(), 1).await.unwrap();
        }
        Self(clients)
    }

    /// Calls for some time.
    pub(crate) async fn calls(&self, time: Duration) -> Went {
        let start = Instant::now();
        let every = Duration::from_secs(1) * CLIENTS / RATE;
        let clients = (0..).zip(&self.0).map(|(at, client)| {
            let client = client.prepare(|call| call.timeout(Duration::from_secs(5)));
            tokio::spawn(async move {
                // they do not all call at the same moment
                let mut pace = interval_at(start + every * at / CLIENTS, every);
                let (mut took, mut failed) = (Vec::new(), Vec::new());
                while start.elapsed() < time {
                    pace.tick().await;
                    let since = Instant::now();
                    let bytes = Bytes::from_static(b"how are you today");
                    match client.echo(&Context::new(), bytes).await {
                        Ok(_) => took.push(since.elapsed()),
                        Err(error) => failed.push(error.to_string()),
                    }
                }
                (took, failed)
            })
        });
        let (mut took, mut failed) = (Vec::new(), Vec::new());
        for client in join_all(clients).await {
            let (more_took, more_failed) = client.unwrap();
            took.extend(more_took);
            failed.extend(more_failed);
        }
        took.sort();
        let at = |percent: usize| {
            took.get(took.len() * percent / 100)
                .copied()
                .unwrap_or(time)
        };
        Went {
            calls: took.len(),
            p50: at(50),
            p99: at(99),
            failed,
        }
    }
}
