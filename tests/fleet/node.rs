//! A server's process, as whoever started it sees it.

use super::api::Build;
use super::{PATIENCE, Result};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Instant;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// A place for a server: its name and address stay, its processes come and go.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) address: String,
    folder: PathBuf,
    process: Option<Process>,
    /// The logs of all processes that were here.
    pub(crate) logs: Vec<PathBuf>,
    /// When each process was killed.
    pub(crate) kills: Vec<Instant>,
}

/// It is killed when this is dropped.
struct Process {
    build: Build,
    child: Child,
    /// It ends when this is closed, however this process ends.
    _stdin: Option<ChildStdin>,
    _stdout: Lines<BufReader<ChildStdout>>,
}

impl Node {
    pub(crate) fn new(name: String, port: u16, folder: &Path) -> Self {
        Self {
            name,
            address: format!("127.0.0.1:{port}"),
            folder: folder.into(),
            process: None,
            logs: Vec::new(),
            kills: Vec::new(),
        }
    }

    /// What clients call a server here.
    pub(crate) fn full_name(&self) -> String {
        format!("{}@{}", self.name, self.address)
    }

    /// Which build serves here.
    pub(crate) fn build(&self) -> Option<Build> {
        self.process.as_ref().map(|process| process.build)
    }

    /// Starts a process, and waits until it listens.
    pub(crate) async fn start(&mut self, build: Build) -> Result {
        let log = format!("{}-{}-{}", self.name, self.logs.len(), build.name());
        let log = self.folder.join(log);
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut child = Command::new(program)
            .args(["serve", build.name(), &self.name, &self.address])
            .arg(&log)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{} can't be started: {error}", self.name))?;
        // `wait` would close it
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().ok_or("it has no output")?;
        let mut stdout = BufReader::new(stdout).lines();
        match timeout(PATIENCE, stdout.next_line()).await {
            Ok(Ok(Some(address))) if address == self.address => {}
            other => return Err(format!("{} does not listen: {other:?}", self.name)),
        }
        self.logs.push(log);
        self.process = Some(Process {
            build,
            child,
            _stdin: stdin,
            _stdout: stdout,
        });
        Ok(())
    }

    /// Tells the process to stop, and waits until it has ended by itself.
    pub(crate) async fn stop(&mut self) -> Result {
        let Some(mut process) = self.process.take() else {
            return Ok(());
        };
        terminate(&mut process).await?;
        let status = ended(&mut process.child).await?;
        match status.success() {
            true => Ok(()),
            false => Err(format!(
                "{} was to stop, and ended with {status}",
                self.name
            )),
        }
    }

    /// Kills the process, as a power cut would.
    pub(crate) async fn kill(&mut self) -> Result {
        let Some(mut process) = self.process.take() else {
            return Ok(());
        };
        self.kills.push(Instant::now());
        process
            .child
            .start_kill()
            .map_err(|error| error.to_string())?;
        ended(&mut process.child).await.map(drop)
    }
}

async fn ended(child: &mut Child) -> Result<ExitStatus> {
    match timeout(PATIENCE, child.wait()).await {
        Ok(status) => status.map_err(|error| error.to_string()),
        Err(_) => Err(format!("a server has not ended after {PATIENCE:?}")),
    }
}

/// Sends SIGTERM.
#[cfg(unix)]
async fn terminate(process: &mut Process) -> Result {
    // not waited for yet, so the number is still its own
    let id = process.child.id().ok_or("the server has ended already")?;
    let mut kill = Command::new("kill");
    let kill = kill.args(["-TERM", &id.to_string()]).kill_on_drop(true);
    match timeout(PATIENCE, kill.status()).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        other => Err(format!("`kill` failed: {other:?}")),
    }
}

#[cfg(not(unix))]
async fn terminate(process: &mut Process) -> Result {
    process._stdin = None;
    Ok(())
}

/// Free ports, below those that the system gives to connections: one of these could be given away while its server is
/// replaced, and a client that dials it could even be connected to itself.
pub(crate) fn free_ports(count: usize) -> Result<Vec<u16>> {
    let lowest = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")
        .ok()
        .and_then(|range| range.split_whitespace().next()?.parse().ok())
        .unwrap_or(32768_u16);
    let candidates = 10_000..lowest.max(12_000);
    // begins somewhere else in each process
    let begin = (std::process::id() as usize * 31) % candidates.len();
    let free: Vec<(u16, TcpListener)> = candidates
        .clone()
        .cycle()
        .skip(begin)
        .take(candidates.len())
        .filter_map(|port| Some((port, TcpListener::bind(("127.0.0.1", port)).ok()?)))
        .take(count)
        .collect();
    if free.len() < count {
        return Err("there are not enough free ports".into());
    }
    Ok(free.into_iter().map(|(port, _)| port).collect())
}
