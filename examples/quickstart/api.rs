//! What a host agent does: the one thing that agents and clients share.

use rpc_core::{Context, Stream, rpc_api};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// Tells of one machine, and keeps notes for its operators.
#[rpc_api(version = "1.1", topic = "host-agent")]
pub trait HostAgent {
    /// How long the machine has been up.
    async fn uptime(&self, ctx: &Context) -> Result<Duration, Trouble>;

    /// How busy the machine is, and which agent says so.
    async fn load(&self, ctx: &Context) -> Result<Load, Trouble>;

    /// Every running process, as it is read.
    #[rpc(multicall)]
    fn processes(&self, ctx: &Context) -> impl Stream<Item = Result<Process, Trouble>> + Send;

    /// The last lines of a file in the agent's folder.
    #[rpc(multicall)]
    fn tail(
        &self,
        ctx: &Context,
        file: &str,
        lines: usize,
    ) -> impl Stream<Item = Result<String, Trouble>> + Send;

    /// Keeps a note.
    #[rpc(cast)]
    async fn note(&self, ctx: &Context, text: &str);

    /// Forgets all notes, on every machine.
    #[rpc(cast, fanout)]
    async fn forget(&self, ctx: &Context);

    /// The notes. Agents of version 1.0 can't tell them.
    #[rpc(since = "1.1")]
    async fn notes(&self, ctx: &Context) -> Vec<String>;
}

/// How many processes have wanted to run, on average.
#[derive(Debug, Serialize, Deserialize)]
pub struct Load {
    /// The agent that was asked.
    pub agent: String,
    /// Over the last minute.
    pub one: f64,
    /// Over the last five minutes.
    pub five: f64,
    /// Over the last fifteen minutes.
    pub fifteen: f64,
}

/// A running process.
#[derive(Debug, Serialize, Deserialize)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its program, without the path.
    pub name: String,
    /// The memory that it occupies, in bytes.
    pub memory: u64,
}

/// Why an agent can't do what it was asked.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trouble {
    /// The agent's folder has no such file.
    NoSuchFile(String),
    /// Files are asked for by their plain names.
    NotAFileName(String),
    /// The file can't be read: what the machine says.
    Unreadable(String),
    /// The machine does not tell: what it says instead.
    Unknown(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchFile(file) => write!(f, "there is no file {file}"),
            Self::NotAFileName(file) => write!(f, "{file} is not the plain name of a file"),
            Self::Unreadable(reason) => write!(f, "the file can't be read: {reason}"),
            Self::Unknown(reason) => write!(f, "the machine does not tell: {reason}"),
        }
    }
}

impl std::error::Error for Trouble {}
