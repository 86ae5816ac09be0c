//! Server processes: how one is started and ended, what it does meanwhile, and what processors it used.

use crate::{Outcome, because, say, side};
use std::io::Read;
use std::pin::Pin;
use std::process::{ExitCode, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// What a program is started with to be a server.
pub const SERVE: &str = "serve";

/// How long a server has to say where it listens.
const START: Duration = Duration::from_secs(20);

/// How long a server has to end before it is ended.
const STOP: Duration = Duration::from_secs(5);

/// A server that listens.
#[expect(missing_debug_implementations, reason = "it holds a future")]
pub struct Serving {
    port: u16,
    /// Ends only if the server can't go on.
    work: Pin<Box<dyn Future<Output = Outcome> + Send>>,
}

impl Serving {
    pub fn new(port: u16, work: impl Future<Output = Outcome> + Send + 'static) -> Self {
        Self {
            port,
            work: Box::pin(work),
        }
    }
}

/// The whole life of a server process: says where it listens, and serves until standard input is closed. So it ends with
/// whoever started it, however that ended.
pub async fn serve(start: fn() -> side::Future<'static, Outcome<Serving>>) -> Outcome<ExitCode> {
    let serving = start().await?;
    let (closed, input_closed) = oneshot::channel();
    std::thread::spawn(move || {
        let mut rest = Vec::new();
        // nothing is expected there, and an error is an end as well
        let _ = std::io::stdin().lock().read_to_end(&mut rest);
        let _ = closed.send(());
    });
    say(&serving.port.to_string());
    // in a task, as servers run
    let mut work = tokio::spawn(serving.work);
    tokio::select! {
        _ = input_closed => {
            work.abort();
            Ok(ExitCode::SUCCESS)
        }
        ended = &mut work => {
            ended.map_err(because("the server broke off"))??;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// A server process. [`stop`](Self::stop) ends it in an orderly way; dropping it kills it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Open as long as the server is to run. Not left to the child: waiting for its end would close it.
    input: Option<ChildStdin>,
    pub port: u16,
    pub id: u32,
}

impl Server {
    /// Starts this program once more, as the server of a side.
    pub async fn start(side: &str) -> Outcome<Self> {
        let program =
            std::env::current_exe().map_err(because("the benchmark program can't be found"))?;
        let mut child = Command::new(program)
            .args([SERVE, side])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(because(&format!("the server of {side} can't be started")))?;
        let input = child.stdin.take();
        match timeout(START, port_of(&mut child)).await {
            Ok(Ok((port, id))) => Ok(Self {
                child,
                input,
                port,
                id,
            }),
            Ok(Err(problem)) => Err(ended(child, format!("the server of {side}: {problem}")).await),
            Err(_elapsed) => Err(ended(
                child,
                format!("the server of {side} does not say where it listens"),
            )
            .await),
        }
    }

    /// Waits until the server has ended by itself, and says how.
    pub async fn gone(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => format!("the server has ended ({status})"),
            Err(error) => format!("nobody can tell whether the server runs: {error}"),
        }
    }

    /// Ends the server, and waits until it has ended.
    pub async fn stop(mut self) -> Outcome {
        drop(self.input.take());
        match timeout(STOP, self.child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(format!("a server failed ({status})")),
            Ok(Err(error)) => Err(format!("nobody can tell how a server ended: {error}")),
            Err(_elapsed) => Err(ended(self.child, "a server had to be killed".into()).await),
        }
    }
}

/// The first line of a server's output is its port.
async fn port_of(child: &mut Child) -> Outcome<(u16, u32)> {
    let output = child.stdout.take().ok_or("it has no output")?;
    let line = BufReader::new(output)
        .lines()
        .next_line()
        .await
        .map_err(because("its output can't be read"))?
        .ok_or("it ended before it listened")?;
    let port = line
        .parse()
        .map_err(|_| format!("`{line}` is where it listens, and that is no port"))?;
    Ok((port, child.id().ok_or("it has ended")?))
}

/// Kills a process and reaps it, whatever the problem was.
async fn ended(mut child: Child, problem: String) -> String {
    match timeout(STOP, child.kill()).await {
        Ok(Ok(())) => problem,
        Ok(Err(error)) => format!("{problem}; it can't be ended: {error}"),
        Err(_elapsed) => format!("{problem}; it does not end"),
    }
}

/// The processor time that this process has used.
pub fn cpu_of_this() -> Option<Duration> {
    cpu_of(std::process::id())
}

/// The processor time that a process has used, in user and kernel mode. Only Linux tells, here.
pub fn cpu_of(process: u32) -> Option<Duration> {
    if cfg!(not(target_os = "linux")) {
        return None;
    }
    // the unit in which Linux tells it, on every architecture of today
    const TICKS_PER_SECOND: u64 = 100;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // the second field is a name in parentheses, which may hold anything; user and system time are fields 14 and 15
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis(
        (user + system) * 1_000 / TICKS_PER_SECOND,
    ))
}
