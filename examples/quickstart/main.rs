//! A host agent over ZeroMQ: three agents, each a process of its own, and a client of all of them.
//!
//! `cargo run --example quickstart`
//!
//! - `api.rs`: what an agent does, as a trait. Both sides are made of it.
//! - `agent.rs`: the implementation, and the process that serves it.
//! - `client.rs`: the calls, and what comes back.
//! - `main.rs`: starts the agents, and makes sure that none is left behind.
//!
//! The agents are this same program, started with other arguments: `quickstart agent NAME FOLDER`.

mod agent;
mod api;
mod client;

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How long an agent may take to start, or to stop.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [] => tokio::select! {
            result = parent() => result,
            // `parent` is dropped, and the agents with it
            _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
        },
        [word, name, folder] if word == "agent" => agent::run(name.clone(), folder.into()).await,
        _ => Err("usage: quickstart [agent NAME FOLDER]".into()),
    }
}

/// Starts the agents, has the client do its part, and stops the agents.
async fn parent() -> Result<()> {
    let journal = Journal::create()?;
    let mut agents = Vec::new();
    for name in ["node-1", "node-2", "node-3"] {
        let agent = Agent::start(name, &journal.folder).await?;
        journal.write(&format!("{name} listens on {}", agent.address))?;
        agents.push(agent);
    }
    client::run(&mut agents).await?;
    for agent in agents {
        agent.stop().await?;
    }
    Ok(())
}

/// An agent's process. It ends when this is dropped, at the latest.
struct Agent {
    name: &'static str,
    address: String,
    process: Child,
}

impl Agent {
    /// Starts a process, and waits until it says where it listens.
    async fn start(name: &'static str, folder: &Path) -> Result<Self> {
        let mut process = Command::new(env::current_exe()?)
            .args(["agent", name])
            .arg(folder)
            // the agent ends when this pipe is closed: the system does that even when this process is killed
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = process.stdout.take().ok_or("the agent has no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let address = timeout(PATIENCE, lines.next_line())
            .await??
            .ok_or_else(|| format!("{name} ended before it listened"))?;
        Ok(Self {
            name,
            address,
            process,
        })
    }

    /// Kills the process, as a power cut would.
    async fn kill(mut self) -> Result<()> {
        Ok(self.process.kill().await?)
    }

    /// Has the process end by itself.
    async fn stop(mut self) -> Result<()> {
        drop(self.process.stdin.take());
        let status = timeout(PATIENCE, self.process.wait()).await??;
        match status.success() {
            true => Ok(()),
            false => Err(format!("{} ended with {status}", self.name).into()),
        }
    }
}

/// A file that the agents show, in a folder that is removed in the end.
struct Journal {
    folder: PathBuf,
}

impl Journal {
    /// The file's name.
    const NAME: &str = "journal.log";

    fn create() -> Result<Self> {
        let folder = env::temp_dir().join(format!("quickstart-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    /// Adds a line.
    fn write(&self, line: &str) -> Result<()> {
        use std::io::Write;
        let mut file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.join(Self::NAME))?;
        Ok(writeln!(file, "{line}")?)
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // a folder that stays behind is no reason to fail
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
