//! Work by one task and by many, in the same words for all sides, and how it is timed.

use crate::side::Sample;
use crate::{Outcome, because, usage};
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

/// How many tasks share a client where there are many.
pub const TASKS: usize = 64;

/// How much there is to do in one round.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    pub(crate) name: &'static str,
    /// Calls before those that are timed.
    pub warm_up: u64,
    /// Calls one after another.
    pub calls: u64,
    /// How long many tasks send.
    pub span: Duration,
    /// Items of a stream that is always ready.
    pub items: u64,
    /// Items of a stream that has one every millisecond.
    pub paced_items: u64,
    /// Calls with a large body, one after another.
    pub large_calls: u64,
}

impl Scale {
    pub const FULL: Self = Self {
        name: "full",
        warm_up: 500,
        calls: 5_000,
        span: Duration::from_secs(1),
        items: 1_000_000,
        paced_items: 500,
        large_calls: 200,
    };

    pub const QUICK: Self = Self {
        name: "quick",
        warm_up: 200,
        calls: 2_000,
        span: Duration::from_millis(400),
        items: 200_000,
        paced_items: 200,
        large_calls: 50,
    };

    pub(crate) fn named(name: &str) -> Outcome<Self> {
        let mut all = [Self::FULL, Self::QUICK].into_iter();
        all.find(|scale| scale.name == name)
            .ok_or_else(|| format!("there is no scale `{name}`"))
    }
}

/// The body of a small message.
pub fn small_body() -> Bytes {
    Bytes::from_static(&[0x5a; 64])
}

/// The body of a large message: one MiB.
pub fn large_body() -> Bytes {
    Bytes::from(vec![0x5a; 1024 * 1024])
}

/// Says so if an echo is not what was sent.
pub fn same(sent: &Bytes, received: &Bytes) -> Outcome {
    if sent == received {
        return Ok(());
    }
    Err(format!(
        "the echo of {} bytes came back changed, with {} bytes",
        sent.len(),
        received.len()
    ))
}

/// Nanoseconds that another process on the same machine can compare with its own.
pub fn stamp() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}

/// A stamp every millisecond, as it is now.
pub fn paced(count: u64) -> impl Stream<Item = u64> + Send {
    let mut ticks = tokio::time::interval(Duration::from_millis(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    stream::unfold((ticks, 0), move |(mut ticks, number)| async move {
        if number == count {
            return None;
        }
        ticks.tick().await;
        Some((stamp(), (ticks, number + 1)))
    })
}

/// The median of nanoseconds, in microseconds.
pub fn median_micros(mut nanos: Vec<u64>) -> Outcome<f64> {
    nanos.sort_unstable();
    let middle = nanos.get(nanos.len() / 2);
    middle
        .map(|nanos| *nanos as f64 / 1e3)
        .ok_or_else(|| "nothing was timed".into())
}

/// Something that can be done over and over.
pub trait Act: Clone + Send + Sync + 'static {
    fn act(&self) -> impl Future<Output = Outcome> + Send;
}

/// Does something again and again, in a task as it is done in a program. The nanoseconds that each took.
pub async fn sequential(warm_up: u64, count: u64, act: impl Act) -> Outcome<Vec<u64>> {
    in_task(async move {
        for _ in 0..warm_up {
            act.act().await?;
        }
        let mut times = Vec::new();
        for _ in 0..count {
            let started = Instant::now();
            act.act().await?;
            times.push(u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX));
        }
        Ok(times)
    })
    .await
}

/// How many were done in a second, from the nanoseconds that each took.
pub fn per_second(nanos: &[u64]) -> f64 {
    nanos.len() as f64 * 1e9 / nanos.iter().sum::<u64>() as f64
}

/// Runs work in a task of the runtime, which does not outlive whoever waits for it.
pub async fn in_task<T: Send + 'static>(
    work: impl Future<Output = Outcome<T>> + Send + 'static,
) -> Outcome<T> {
    let mut tasks = JoinSet::new();
    tasks.spawn(work);
    match tasks.join_next().await {
        Some(joined) => joined.map_err(because("a task broke off"))?,
        None => Err("a task is missing".into()),
    }
}

/// What got done in some time.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    pub count: u64,
    pub elapsed: Duration,
    /// What this process and the server's used meanwhile, where the system tells.
    client_cpu: Option<Duration>,
    server_cpu: Option<Duration>,
}

impl Done {
    pub fn per_second(&self) -> f64 {
        self.count as f64 / self.elapsed.as_secs_f64()
    }

    /// The rate, then what one took of processors, altogether, here, and at the server, in microseconds.
    pub fn sample(&self) -> Sample {
        let (client, server) = (
            self.cpu_each(self.client_cpu),
            self.cpu_each(self.server_cpu),
        );
        let sum = client.zip(server).map(|(client, server)| client + server);
        vec![Some(self.per_second()), sum, client, server]
    }

    /// What one took of processors here, in microseconds.
    pub fn client_cpu_each(&self) -> Option<f64> {
        self.cpu_each(self.client_cpu)
    }

    fn cpu_each(&self, cpu: Option<Duration>) -> Option<f64> {
        let cpu = cpu.filter(|_| self.count > 0)?;
        Some(cpu.as_secs_f64() * 1e6 / self.count as f64)
    }
}

/// Lets [`TASKS`] tasks do something over and over for some time.
pub async fn together(span: Duration, server: u32, act: &impl Act) -> Outcome<Done> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    let meter = Meter::start(server);
    for _ in 0..TASKS {
        let (stop, act) = (Arc::clone(&stop), act.clone());
        tasks.spawn(async move {
            let mut count = 0u64;
            while !stop.load(Ordering::Relaxed) {
                act.act().await?;
                count += 1;
            }
            Ok::<_, String>(count)
        });
    }
    tokio::time::sleep(span).await;
    stop.store(true, Ordering::Relaxed);
    let mut count = 0;
    while let Some(joined) = tasks.join_next().await {
        count += joined.map_err(because("a task broke off"))??;
    }
    Ok(meter.done(count))
}

/// Lets this thread do something over and over for some time.
pub fn alone(span: Duration, server: u32, mut act: impl FnMut() -> Outcome) -> Outcome<Done> {
    let meter = Meter::start(server);
    let mut count = 0;
    while meter.started.elapsed() < span {
        act()?;
        count += 1;
    }
    Ok(meter.done(count))
}

/// What was, before something is done.
struct Meter {
    started: Instant,
    server: u32,
    client_cpu: Option<Duration>,
    server_cpu: Option<Duration>,
}

impl Meter {
    fn start(server: u32) -> Self {
        Self {
            started: Instant::now(),
            server,
            client_cpu: usage::cpu_of_this(),
            server_cpu: usage::cpu_of(server),
        }
    }

    fn done(&self, count: u64) -> Done {
        let since = |before: Option<Duration>, now: Option<Duration>| now?.checked_sub(before?);
        Done {
            count,
            elapsed: self.started.elapsed(),
            client_cpu: since(self.client_cpu, usage::cpu_of_this()),
            server_cpu: since(self.server_cpu, usage::cpu_of(self.server)),
        }
    }
}
