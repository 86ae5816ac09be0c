//! The process of a node, as the one that started it sees it.

use crate::tap::{self, Message};
use crate::{PATIENCE, Result};
use std::env;
use std::process::Stdio;
use std::sync::mpsc::Sender;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// The process of a node. It ends when this is dropped, at the latest.
pub struct NodeProcess {
    pub release: &'static str,
    pub version: &'static str,
    /// Where clients reach it.
    pub address: String,
    lines: Lines<BufReader<ChildStdout>>,
    process: Child,
}

impl NodeProcess {
    /// Starts a process, waits until it says where it listens, and puts a tap before it.
    pub async fn start(
        release: &'static str,
        version: &'static str,
        heard: Sender<Message>,
    ) -> Result<Self> {
        let mut process = Command::new(env::current_exe()?)
            .args(["serve", release])
            // the node ends when this pipe is closed: the system does that even when this process is killed
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = process.stdout.take().ok_or("the node has no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let address = timeout(PATIENCE, lines.next_line())
            .await??
            .ok_or_else(|| format!("{release} ended before it listened"))?;
        Ok(Self {
            release,
            version,
            address: tap::on(address, heard).await?,
            lines,
            process,
        })
    }

    /// What it says that it runs: the method, and its arguments as the implementation of its release gets them.
    pub async fn ran(&mut self) -> Result<String> {
        let line = timeout(PATIENCE, self.lines.next_line()).await;
        let line = line.map_err(|_| format!("{} did not run it", self.release))??;
        line.ok_or_else(|| format!("{} has ended", self.release).into())
    }

    /// Has the process end by itself.
    pub async fn stop(mut self) -> Result<()> {
        drop(self.process.stdin.take());
        let status = timeout(PATIENCE, self.process.wait()).await??;
        match status.success() {
            true => Ok(()),
            false => Err(format!("{} ended with {status}", self.release).into()),
        }
    }
}
