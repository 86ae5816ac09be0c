//! The Redis by which nodes are found, on the clients' host. It keeps nothing on a disk.

use crate::network::{Network, REDIS, program};
use crate::node::tell;
use crate::weather::{LASTS, PAUSE};
use fastrand::Rng;
use rustix::process::Signal;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// Where `redis-server` is.
const VARIABLE: &str = "RPC_TEST_REDIS_SERVER";

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Redis {
    network: Arc<Network>,
    process: Child,
}

impl Redis {
    pub(crate) async fn start(network: &Arc<Network>) -> Self {
        let process = start(network).await;
        Self {
            network: Arc::clone(network),
            process,
        }
    }

    /// One fault after another: it is killed, and an empty one comes; or it stands still. How many there were.
    pub(crate) async fn storm(&mut self, mut rng: Rng, until: Instant) -> u32 {
        let mut faults = 0;
        while Instant::now() < until {
            sleep(Duration::from_millis(rng.u64(PAUSE))).await;
            let lasts = Duration::from_millis(rng.u64(LASTS));
            if rng.bool() {
                self.process.kill().await.unwrap();
                sleep(lasts).await;
                self.process = start(&self.network).await;
            } else {
                tell(&self.process, Signal::STOP);
                sleep(lasts).await;
                tell(&self.process, Signal::CONT);
            }
            faults += 1;
        }
        faults
    }
}

async fn start(network: &Network) -> Child {
    let server = std::env::var(VARIABLE).unwrap_or_else(|_| {
        panic!("{VARIABLE} is not set: `cargo xtask test` installs Redis, and sets it")
    });
    let port = REDIS.to_string();
    let process = Command::new(program())
        .args(["netns", "exec", &network.clients(), &server])
        .args(["--bind", "0.0.0.0", "--port", &port])
        .args(["--protected-mode", "no", "--save", ""])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    // the test is on the same host
    let listens = async {
        while TcpStream::connect(("127.0.0.1", REDIS)).await.is_err() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, listens).await.expect("Redis starts");
    process
}
