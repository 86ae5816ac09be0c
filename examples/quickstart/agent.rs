//! The agent: a process that serves the state of the machine it runs on.

use crate::api::{HostAgent, HostAgentDispatcher, Load, Process, Trouble};
use futures_util::{TryStreamExt, stream};
use rpc_core::{Context, Server, Stream, Target};
use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

/// Serves until its standard input is closed, which is also how it notices that the process which started it is gone.
pub async fn run(name: String, folder: PathBuf) -> Result<(), Box<dyn Error>> {
    let transport = rpc_zmq::connect("zmq://127.0.0.1:0").await?;
    let server = Server::builder(transport.clone())
        .target(Target::new().server(name.as_str()))
        .endpoint(HostAgentDispatcher::new(Agent::new(name, folder)))
        .start()
        .await?;
    println!("{}", transport.local_addr().ok_or("it listens nowhere")?);

    tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await?;
    server.stop().await;
    server.wait_at_most(Duration::from_secs(1)).await;
    transport.close(Duration::from_secs(1)).await;
    Ok(())
}

struct Agent {
    name: String,
    /// The only folder whose files it shows.
    folder: PathBuf,
    notes: Mutex<Vec<String>>,
}

impl Agent {
    fn new(name: String, folder: PathBuf) -> Self {
        Self {
            name,
            folder,
            notes: Mutex::default(),
        }
    }

    /// A client must not get out of the folder by `../` or an absolute path.
    fn path_of(&self, file: &str) -> Result<PathBuf, Trouble> {
        match Path::new(file).file_name() {
            Some(name) if name == file => Ok(self.folder.join(name)),
            _ => Err(Trouble::NotAFileName(file.to_owned())),
        }
    }

    fn lock_notes(&self) -> MutexGuard<'_, Vec<String>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HostAgent for Agent {
    async fn uptime(&self, _: &Context) -> Result<Duration, Trouble> {
        let seconds = ask_machine(System::uptime).await?;
        Ok(Duration::from_secs(seconds))
    }

    async fn load(&self, _: &Context) -> Result<Load, Trouble> {
        let load = ask_machine(System::load_average).await?;
        Ok(Load {
            agent: self.name.clone(),
            one: load.one,
            five: load.five,
            fifteen: load.fifteen,
        })
    }

    fn processes(&self, _: &Context) -> impl Stream<Item = Result<Process, Trouble>> + Send {
        // room for a few: when the client does not keep up, or has gone, so does the reading
        let (sender, mut processes) = mpsc::channel(16);
        spawn_blocking(move || read_processes(&sender));
        stream::poll_fn(move |cx| processes.poll_recv(cx))
    }

    fn tail(
        &self,
        _: &Context,
        file: &str,
        lines: usize,
    ) -> impl Stream<Item = Result<String, Trouble>> + Send {
        let (path, file) = (self.path_of(file), file.to_owned());
        stream::once(async move {
            let last = last_lines(&path?, lines)
                .await
                .map_err(|error| match error.kind() {
                    ErrorKind::NotFound => Trouble::NoSuchFile(file),
                    _ => Trouble::Unreadable(error.to_string()),
                })?;
            Ok(stream::iter(last.into_iter().map(Ok)))
        })
        .try_flatten()
    }

    async fn note(&self, _: &Context, text: &str) {
        self.lock_notes().push(text.to_owned());
    }

    async fn forget(&self, _: &Context) {
        self.lock_notes().clear();
    }

    async fn notes(&self, _: &Context) -> Vec<String> {
        self.lock_notes().clone()
    }
}

/// Asks the machine on a thread that may block, as files and system calls do.
async fn ask_machine<T, E>(ask: fn() -> Result<T, E>) -> Result<T, Trouble>
where
    T: Send + 'static,
    E: fmt::Display + Send + 'static,
{
    match spawn_blocking(ask).await {
        Ok(answer) => answer.map_err(|error| Trouble::Unknown(error.to_string())),
        Err(error) => Err(Trouble::Unknown(error.to_string())),
    }
}

/// Sends every process, until there is nobody who wants them.
fn read_processes(sender: &mpsc::Sender<Result<Process, Trouble>>) {
    let mut system = match System::new() {
        Ok(system) => system,
        Err(error) => {
            // whether somebody still listens makes no difference at the end
            let _ = sender.blocking_send(Err(Trouble::Unknown(error.to_string())));
            return;
        }
    };
    let what = ProcessRefreshKind::nothing().with_memory().without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
    for process in system.processes().values() {
        let process = Process {
            pid: process.pid().as_u32(),
            name: process.name().to_string_lossy().into_owned(),
            memory: process.memory(),
        };
        if sender.blocking_send(Ok(process)).is_err() {
            return;
        }
    }
}

/// The last lines of a file. It holds no more of them than it was asked for, however long the file is.
async fn last_lines(path: &Path, count: usize) -> std::io::Result<VecDeque<String>> {
    let mut lines = BufReader::new(File::open(path).await?).lines();
    let mut last = VecDeque::new();
    while let Some(line) = lines.next_line().await? {
        last.push_back(line);
        if last.len() > count {
            last.pop_front();
        }
    }
    Ok(last)
}
