//! Processes of this test program, which do something else.

use crate::{attacks, service};
use rpc_core::{Context, ErrorKind, RpcError};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// What a process does, and with whom.
const ROLE: &str = "HOSTILE_ROLE";
const WITH: &str = "HOSTILE_WITH";

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Serves at a URL.
    Node,
    /// Attacks an address.
    Attackers,
    /// Calls an address without end.
    Client,
}

/// A process, which ends when this is dropped.
pub(crate) struct Process {
    child: Child,
    said: String,
    /// What it wrote where programs complain.
    complained: Arc<Mutex<String>>,
}

impl Process {
    /// Starts one, and waits until it is at work.
    pub(crate) async fn start(role: Role, with: &str) -> Self {
        // attackers have machines of their own: here they get what time the others leave
        let nice = if role == Role::Attackers { "19" } else { "0" };
        let mut child = Command::new("nice")
            .args(["-n", nice])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "process::does_what_it_is_told", "--nocapture"])
            .env(ROLE, format!("{role:?}"))
            .env(WITH, with)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let reading = async {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some((_, said)) = line.split_once("at work: ") {
                    return said.to_owned();
                }
            }
            panic!("the process does not start");
        };
        let limit = Duration::from_secs(20);
        let said = tokio::time::timeout(limit, reading).await.unwrap();
        // what it prints later must not stop it
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let complained = Arc::new(Mutex::new(String::new()));
        let mut errors = BufReader::new(child.stderr.take().unwrap()).lines();
        let heard = Arc::clone(&complained);
        tokio::spawn(async move {
            while let Ok(Some(line)) = errors.next_line().await {
                let mut heard = heard.lock().unwrap();
                if heard.len() < 100_000 {
                    heard.push_str(&line);
                    heard.push('\n');
                }
            }
        });
        Self {
            child,
            said,
            complained,
        }
    }

    /// What it said when it was at work: a node says where.
    pub(crate) fn said(&self) -> &str {
        &self.said
    }

    fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// The bytes of memory that it has now.
    pub(crate) fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The bytes that a node has allocated, of which its allocator may have more.
    pub(crate) async fn allocated(&self) -> u64 {
        let client = service::client(&self.said, "").await;
        client.allocated(&Context::new()).await.unwrap()
    }

    /// The most that it ever had.
    pub(crate) fn most_memory(&self) -> u64 {
        self.status("VmHWM:")
    }

    fn status(&self, what: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(what));
        let kib: u64 = line
            .unwrap()
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .unwrap();
        kib * 1024
    }

    /// Stops it, as a debugger would.
    pub(crate) async fn freeze(&self) {
        self.signal("-STOP").await;
    }

    pub(crate) async fn thaw(&self) {
        self.signal("-CONT").await;
    }

    async fn signal(&self, signal: &str) {
        let mut kill = Command::new("kill");
        let sent = kill.arg(signal).arg(self.pid().to_string()).status().await;
        assert!(sent.unwrap().success());
    }

    /// A node serves, as soon as what attackers have left has ended, and nothing panicked in it.
    pub(crate) async fn is_well(&self) {
        let client = service::client(&self.said, "").await;
        let client = client.prepare(|call| call.timeout(Duration::from_secs(10)));
        let since = Instant::now();
        while let Err(error) = client.blob(&Context::new(), 3).await {
            let kind = error.rpc().map(RpcError::kind);
            assert_eq!(kind, Some(ErrorKind::Overloaded), "{error}");
            assert!(since.elapsed() < Duration::from_secs(10), "{error}");
        }
        let complained = self.complained.lock().unwrap();
        assert!(!complained.contains("panicked"), "{complained}");
    }
}

/// The other process: this test program, with a role in its environment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "whoever started it reads that")]
async fn does_what_it_is_told() {
    let (Ok(role), Ok(with)) = (std::env::var(ROLE), std::env::var(WITH)) else {
        return;
    };
    // until standard input is closed, by whoever started it
    let told = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    if role == format!("{:?}", Role::Node) {
        let (_server, transport) = service::serve(&with).await;
        println!("at work: {}", transport.local_addr().unwrap());
        let _ = told.await;
    } else if role == format!("{:?}", Role::Attackers) {
        let _attacks = attacks::begin(&with);
        println!("at work: attacks {with}");
        let _ = told.await;
    } else {
        let client = service::client(&with, "").await;
        client.blob(&Context::new(), 1).await.unwrap();
        println!("at work: calls {with}");
        let calling = async { while client.blob(&Context::new(), 100_000).await.is_ok() {} };
        tokio::select! {
            () = calling => {}
            _ = told => {}
        }
    }
}
