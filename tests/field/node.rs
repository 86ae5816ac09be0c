//! A node in a process of its own, on a host of its own.

use crate::api::{self, FieldDispatcher, Worker};
use crate::network::{Directory, Network, program};
use rpc_core::{Server, Target};
use rustix::process::{Pid, Signal, kill_process};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

/// What the process is told: its number, its URL, how many requests run at once, and where its log is.
const NODE: &str = "RPC_FIELD_NODE";

/// How long a process may take to start or to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a node that is told to stop lets handlers run.
const STOPPING: Duration = Duration::from_secs(10);

/// The name of a node's server.
pub(crate) fn name(node: usize) -> String {
    format!("node-{node}")
}

/// How a node is set.
#[derive(Clone, Copy)]
pub(crate) struct Setting {
    /// How it is found.
    pub(crate) directory: Directory,
    /// The options of its URL.
    pub(crate) options: &'static str,
    /// How many requests run at once.
    pub(crate) at_once: usize,
}

/// A place for a node: its address stays, its processes come and go. They are killed when this is dropped.
pub(crate) struct Node {
    pub(crate) number: usize,
    pub(crate) network: Arc<Network>,
    setting: Setting,
    log: Log,
    process: Option<Child>,
}

/// The log of all processes of a node. It is removed in the end.
struct Log(PathBuf);

impl Drop for Log {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Node {
    /// Starts a node's first process.
    pub(crate) async fn start(network: &Arc<Network>, number: usize, setting: Setting) -> Self {
        let file = format!("{}.log", network.host(number));
        let log = Log(std::env::temp_dir().join(file));
        std::fs::write(&log.0, "").unwrap();
        let mut node = Self {
            number,
            network: Arc::clone(network),
            setting,
            log,
            process: None,
        };
        node.start_again().await;
        node
    }

    /// Starts another process in its place, and waits until it listens.
    pub(crate) async fn start_again(&mut self) {
        let Setting {
            directory,
            options,
            at_once,
        } = self.setting;
        let log = self.log.0.display();
        let url = Network::node_url(directory, self.number, options);
        let told = format!("{} {url} {at_once} {log}", self.number);
        let mut child = Command::new(program())
            .args(["netns", "exec", &self.network.host(self.number)])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "node::serves_if_it_is_asked_to", "--nocapture"])
            .env(NODE, told)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let listens = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if line.contains("listens on") {
                    return;
                }
            }
            panic!("node {} does not start", self.number);
        };
        timeout(PATIENCE, listens).await.expect("it starts");
        // what it prints later is of no interest, and must not stop it
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        self.process = Some(child);
    }

    /// Tells the process to stop, and waits until it has run what it accepted.
    pub(crate) async fn stop(&mut self) {
        self.signal(Signal::TERM);
        let status = self.ended().await;
        assert!(status.success(), "{}: {status}", name(self.number));
    }

    /// Kills the process, as a power cut would.
    pub(crate) async fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.ended().await;
    }

    /// The process stands still, and its host goes on.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        tell(self.process.as_ref().unwrap(), signal);
    }

    async fn ended(&mut self) -> ExitStatus {
        let mut process = self.process.take().unwrap();
        // it ends by the signal, and not because its input does
        let _input = process.stdin.take();
        timeout(PATIENCE, process.wait())
            .await
            .expect("it ends")
            .unwrap()
    }

    /// What its processes ran, in order.
    pub(crate) fn log(&self) -> Vec<u64> {
        api::read(&self.log.0)
    }
}

/// Sends a signal to a process that was not waited for yet, so that its number is still its own.
pub(crate) fn tell(process: &Child, signal: Signal) {
    let id = i32::try_from(process.id().unwrap()).unwrap();
    kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
}

/// The other process: this test program, with a node in its environment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serves_if_it_is_asked_to() {
    let Ok(node) = std::env::var(NODE) else {
        return;
    };
    let [number, url, at_once, log] = *node.split(' ').collect::<Vec<_>>() else {
        panic!("{NODE}: a number, a URL, another number and a file")
    };
    let mut told = signal(SignalKind::terminate()).unwrap();
    let transport = rpc_zmq::connect(url).await.unwrap();
    let server = Server::builder(transport.clone())
        .target(Target::new().server(name(number.parse().unwrap())))
        .endpoint(FieldDispatcher::new(Worker::open(Path::new(log))))
        .concurrency(at_once.parse().unwrap());
    let server = server.start().await.unwrap();
    println!("listens on {}", transport.local_addr().unwrap());
    // or until standard input is closed, by whoever started it, however that ended
    let parent = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    tokio::select! {
        _ = told.recv() => {
            server.stop().await;
            let stopped = server.wait_at_most(STOPPING).await;
            transport.close(Duration::from_secs(2)).await;
            let code = i32::from(stopped.not_run > 0);
            // the runtime would wait for the end of standard input
            end(code);
        }
        _ = parent => {}
    }
}

#[expect(clippy::exit, reason = "nothing is left to be done")]
fn end(code: i32) -> ! {
    std::process::exit(code)
}
