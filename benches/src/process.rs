//! Server and client processes: how they are started and ended, and what they tell each other.

use crate::load::Scale;
use crate::side::{Future, Job, Sample, Side};
use crate::{Outcome, because, say};
use std::io::Read;
use std::process::{ExitCode, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// What a program is started with to be a server. The names of a side and of a benchmark follow.
pub(crate) const SERVE: &str = "serve";

/// What a program is started with to be a client. What follows is the same, and a scale, ports and a process.
pub(crate) const ASK: &str = "ask";

/// How long a server has to say where it listens.
const START: Duration = Duration::from_secs(20);

/// How long a server has to end before it is ended.
const STOP: Duration = Duration::from_secs(5);

/// How long a client may take for one round.
const ROUND: Duration = Duration::from_secs(180);

/// How a figure is written that this system does not tell.
const UNTOLD: &str = "-";

/// A server that listens.
#[expect(missing_debug_implementations, reason = "it holds a future")]
pub struct Serving {
    ports: Vec<u16>,
    /// Ends only if the server can't go on.
    work: Future<Outcome>,
}

impl Serving {
    pub fn new(
        ports: impl Into<Vec<u16>>,
        work: impl std::future::Future<Output = Outcome> + Send + 'static,
    ) -> Self {
        Self {
            ports: ports.into(),
            work: Box::pin(work),
        }
    }
}

fn joined(ports: &[u16]) -> String {
    let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
    ports.join(",")
}

fn ports_of(text: &str) -> Outcome<Vec<u16>> {
    let ports: Result<_, _> = text.split(',').map(str::parse).collect();
    ports.map_err(|_| format!("`{text}` is where it listens, and those are no ports"))
}

/// The whole life of a server process: says where it listens, and serves until standard input is closed. So it ends with
/// whoever started it, however that ended.
pub(crate) async fn serve(start: Future<Outcome<Serving>>) -> Outcome<ExitCode> {
    let serving = start.await?;
    let (closed, input_closed) = oneshot::channel();
    std::thread::spawn(move || {
        let mut rest = Vec::new();
        // nothing is expected there, and an error is an end as well
        let _ = std::io::stdin().lock().read_to_end(&mut rest);
        let _ = closed.send(());
    });
    say(&joined(&serving.ports));
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

/// The whole life of a client process: does one round, and says what it came to.
pub(crate) async fn ask(side: &Side, job: Job) -> Outcome<ExitCode> {
    let sample = (side.run)(job).await?;
    let figure = |figure: Option<f64>| figure.map_or(UNTOLD.into(), |figure| figure.to_string());
    let figures: Vec<String> = sample.into_iter().map(figure).collect();
    say(&figures.join(" "));
    Ok(ExitCode::SUCCESS)
}

/// The scale, the ports and the server's process that a client is started with.
pub(crate) fn read_job(words: &[String]) -> Outcome<(Scale, Vec<u16>, u32)> {
    let [scale, ports, server] = words else {
        return Err(format!("`{ASK}` is for this program itself"));
    };
    let server = server.parse().map_err(because("no process"))?;
    Ok((Scale::named(scale)?, ports_of(ports)?, server))
}

/// A client process, from its start to its end. It is killed if nobody waits for it any more.
pub(crate) async fn client(
    side: &str,
    bench: &str,
    scale: &Scale,
    place: [String; 2],
) -> Outcome<Sample> {
    let output = this_program()?
        .args([ASK, side, bench, scale.name])
        .args(place)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output();
    let output = timeout(ROUND, output)
        .await
        .map_err(|_| format!("it took longer than {} s", ROUND.as_secs()))?
        .map_err(because("the client can't be started"))?;
    if !output.status.success() {
        return Err(format!(
            "the client failed ({}), and says why above",
            output.status
        ));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let figure = |word: &str| match word {
        UNTOLD => Ok(None),
        number => number.parse().map(Some),
    };
    let figures: Result<_, _> = text.split_whitespace().map(figure).collect();
    figures.map_err(|_| format!("`{text}` is what it came to, and those are no figures"))
}

fn this_program() -> Outcome<Command> {
    std::env::current_exe()
        .map(Command::new)
        .map_err(because("the benchmark program can't be found"))
}

/// A server process. [`stop`](Self::stop) ends it in an orderly way; dropping it kills it.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Open as long as the server is to run. Not left to the child: waiting for its end would close it.
    input: Option<ChildStdin>,
    ports: Vec<u16>,
    id: u32,
}

impl Server {
    /// Starts this program once more, as the server of a side.
    pub(crate) async fn start(side: &str, bench: &str) -> Outcome<Self> {
        let mut child = this_program()?
            .args([SERVE, side, bench])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(because(&format!("the server of {side} can't be started")))?;
        let input = child.stdin.take();
        match timeout(START, ports_told(&mut child)).await {
            Ok(Ok((ports, id))) => Ok(Self {
                child,
                input,
                ports,
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

    /// Where it is: its ports, and its process.
    pub(crate) fn place(&self) -> [String; 2] {
        [joined(&self.ports), self.id.to_string()]
    }

    /// Waits until the server has ended by itself, and says how.
    pub(crate) async fn gone(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => format!("the server has ended ({status})"),
            Err(error) => format!("nobody can tell whether the server runs: {error}"),
        }
    }

    /// Ends the server, and waits until it has ended.
    pub(crate) async fn stop(mut self) -> Outcome {
        drop(self.input.take());
        match timeout(STOP, self.child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(format!("a server failed ({status})")),
            Ok(Err(error)) => Err(format!("nobody can tell how a server ended: {error}")),
            Err(_elapsed) => Err(ended(self.child, "a server had to be killed".into()).await),
        }
    }
}

/// The first line of a server's output is its ports.
async fn ports_told(child: &mut Child) -> Outcome<(Vec<u16>, u32)> {
    let output = child.stdout.take().ok_or("it has no output")?;
    let line = BufReader::new(output)
        .lines()
        .next_line()
        .await
        .map_err(because("its output can't be read"))?
        .ok_or("it ended before it listened")?;
    Ok((ports_of(&line)?, child.id().ok_or("it has ended")?))
}

/// Kills a process and reaps it, whatever the problem was.
async fn ended(mut child: Child, problem: String) -> String {
    match timeout(STOP, child.kill()).await {
        Ok(Ok(())) => problem,
        Ok(Err(error)) => format!("{problem}; it can't be ended: {error}"),
        Err(_elapsed) => format!("{problem}; it does not end"),
    }
}
