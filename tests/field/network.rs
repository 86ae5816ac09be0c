//! Hosts: one for the clients, and one for each node, with a cable between. A host is a network namespace.

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::os::fd::AsFd;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;
use tokio::runtime::Builder;

/// Where `ip` is, of iproute2.
const VARIABLE: &str = "RPC_TEST_IP";

/// The names of all namespaces begin so; the number of the process comes next.
const PREFIX: &str = "rpc-field-";

/// No test takes longer than this besides what it is told to take.
const LIMIT: Duration = Duration::from_secs(120);

/// The port of Redis, which is on the clients' host.
pub(crate) const REDIS: u16 = 6379;

/// How long a node is believed to live in Redis: shorter than some faults.
const LEASE: &str = "lease=5000";

/// How clients find nodes.
#[derive(Clone, Copy)]
pub(crate) enum Directory {
    List,
    Redis,
}

/// The namespaces of one test. They are gone when this is dropped.
pub(crate) struct Network {
    prefix: String,
    nodes: usize,
}

impl Network {
    /// Runs a test on a network of so many nodes. Everything that it opens is on the clients' host.
    pub(crate) fn with<F>(nodes: usize, test: fn(Arc<Network>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let network = Arc::new(Self::new(nodes));
        let host = File::open(format!("/var/run/netns/{}", network.clients())).unwrap();
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .on_thread_start(move || {
                let kind = Some(LinkNameSpaceType::Network);
                move_into_link_name_space(host.as_fd(), kind).expect("a namespace of this test");
            })
            .build()
            .unwrap();
        let limit = LIMIT + crate::weather::length();
        runtime.block_on(async {
            // in a task: this thread is on another host
            let test = tokio::spawn(test(Arc::clone(&network)));
            let ended = tokio::time::timeout(limit, test).await;
            if let Err(failed) = ended.expect("the test hangs") {
                std::panic::resume_unwind(failed.into_panic());
            }
        });
    }

    fn new(nodes: usize) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        remove_forgotten();
        let (process, number) = (std::process::id(), NUMBER.fetch_add(1, Relaxed));
        let network = Self {
            prefix: format!("{PREFIX}{process}-{number}"),
            nodes,
        };
        let clients = network.clients();
        ip(&format!("netns add {clients}"));
        ip(&format!("-n {clients} link set lo up"));
        for node in 0..nodes {
            let host = network.host(node);
            ip(&format!("netns add {host}"));
            ip(&format!("-n {host} link set lo up"));
            ip(&format!(
                "link add node{node} netns {clients} type veth peer name cable netns {host}"
            ));
            ip(&format!(
                "-n {clients} address add 10.77.{node}.1/24 dev node{node}"
            ));
            ip(&format!("-n {clients} link set node{node} up"));
            ip(&format!(
                "-n {host} address add 10.77.{node}.2/24 dev cable"
            ));
            ip(&format!("-n {host} link set cable up"));
        }
        network
    }

    pub(crate) fn clients(&self) -> String {
        format!("{}-clients", self.prefix)
    }

    pub(crate) fn host(&self, node: usize) -> String {
        format!("{}-node{node}", self.prefix)
    }

    /// Where a node listens.
    pub(crate) fn address(node: usize) -> String {
        format!("10.77.{node}.2:5555")
    }

    /// The URL of a client.
    pub(crate) fn url(&self, directory: Directory, options: &str) -> String {
        match directory {
            Directory::List => {
                let nodes: Vec<String> = (0..self.nodes).map(Self::address).collect();
                format!("zmq://{}?{options}", nodes.join(","))
            }
            Directory::Redis => format!("zmq+redis://127.0.0.1:{REDIS}/0?{LEASE}&{options}"),
        }
    }

    /// The URL of a node.
    pub(crate) fn node_url(directory: Directory, node: usize, options: &str) -> String {
        let address = Self::address(node);
        match directory {
            Directory::List => format!("zmq://{address}?auth=none&{options}"),
            Directory::Redis => {
                format!(
                    "zmq+redis://10.77.{node}.1:{REDIS}/0?{LEASE}&listen={address}&auth=none&{options}"
                )
            }
        }
    }

    /// Nothing arrives at the node any more, nor leaves it, and nobody is told.
    pub(crate) fn pull_cable(&self, node: usize) {
        ip(&format!("-n {} link set cable down", self.host(node)));
    }

    pub(crate) fn plug_in_cable(&self, node: usize) {
        ip(&format!("-n {} link set cable up", self.host(node)));
    }

    /// The node hears its clients, and they do not hear it.
    pub(crate) fn lose_way_back(&self, node: usize) {
        ip(&format!(
            "-n {} route add blackhole 10.77.{node}.1/32",
            self.host(node)
        ));
    }

    pub(crate) fn find_way_back(&self, node: usize) {
        ip(&format!(
            "-n {} route del blackhole 10.77.{node}.1/32",
            self.host(node)
        ));
    }

    /// The clients have another address towards the node from now on.
    pub(crate) fn move_clients(&self, node: usize) {
        let clients = self.clients();
        ip(&format!(
            "-n {clients} address add 10.77.{node}.99/24 dev node{node}"
        ));
        ip(&format!(
            "-n {clients} address del 10.77.{node}.1/24 dev node{node}"
        ));
        // the second address may have gone with the first
        ip(&format!(
            "-n {clients} address replace 10.77.{node}.99/24 dev node{node}"
        ));
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let hosts = (0..self.nodes).map(|node| self.host(node));
        for host in hosts.chain([self.clients()]) {
            let _ = try_ip(&format!("netns del {host}"));
        }
    }
}

/// Removes what is left of processes that were killed.
fn remove_forgotten() {
    for line in ip("netns list").lines() {
        let name = line.split_whitespace().next().unwrap_or_default();
        let process = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split('-').next());
        if process.is_some_and(|process| !std::fs::exists(format!("/proc/{process}")).unwrap()) {
            let _ = try_ip(&format!("netns del {name}"));
        }
    }
}

pub(crate) fn program() -> String {
    std::env::var(VARIABLE).unwrap_or_else(|_| {
        panic!("{VARIABLE} is not set: `cargo xtask test` installs iproute2, and sets it")
    })
}

fn ip(words: &str) -> String {
    try_ip(words).unwrap_or_else(|problem| {
        panic!("`ip {words}`: {problem}; these tests need root, and a kernel with network namespaces and veth")
    })
}

fn try_ip(words: &str) -> Result<String, String> {
    let mut command = Command::new("timeout");
    command.args(["20", &program()]).args(words.split(' '));
    let output = command.output().map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}
