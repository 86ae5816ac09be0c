//! A node in a process of its own.

use crate::service;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

const URL: &str = "ZMTP_TEST_SERVE";

/// A node that ends when this is dropped.
pub(crate) struct Node {
    pub(crate) address: String,
    _child: Child,
}

impl Node {
    /// Starts a node. `before` is run in its shell first.
    pub(crate) async fn start(url: &str, before: &str) -> Self {
        let program = std::env::current_exe().unwrap();
        let mut child = Command::new("sh")
            .args(["-c", &format!("{before} exec \"$0\" \"$@\"")])
            .arg(program)
            .args([
                "--exact",
                "process::serves_if_it_is_asked_to",
                "--nocapture",
            ])
            .env(URL, url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let reading = async {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some((_, address)) = line.split_once("listens on ") {
                    return address.to_owned();
                }
            }
            panic!("the node does not start");
        };
        let limit = std::time::Duration::from_secs(20);
        let address = tokio::time::timeout(limit, reading).await.unwrap();
        // what it prints later is of no interest, and must not stop it
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            address,
            _child: child,
        }
    }
}

/// The other process: this test program, with a URL in its environment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "whoever started it reads the address")]
async fn serves_if_it_is_asked_to() {
    let Ok(url) = std::env::var(URL) else {
        return;
    };
    let (_server, transport) = service::serve_at(&url).await;
    println!("listens on {}", transport.local_addr().unwrap());
    // until standard input is closed, by whoever started it
    let _ = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await;
}
