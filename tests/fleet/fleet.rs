//! A fleet: servers in processes of their own, clients that keep them busy, and what an operator does with them.

use super::Result;
use super::api::{Build, new, old};
use super::load::Load;
use super::node::{self, Node};
use super::record::{Record, Situation};
use super::verdict::{Problems, judge};
use rpc_core::Version;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) const SERVERS: usize = 3;
pub(crate) const CLIENTS: usize = 4;

/// Everything is stopped when it is dropped.
pub(crate) struct Fleet {
    nodes: Vec<Node>,
    addresses: String,
    loads: Vec<Load>,
    situation: Arc<Situation>,
    record: Record,
    next_client: u64,
    began: Instant,
    numbers: Numbers,
    _folder: Folder,
}

impl Fleet {
    pub(crate) async fn start(
        servers: [Build; SERVERS],
        clients: [Build; CLIENTS],
        kills: bool,
    ) -> Result<Self> {
        let folder = Folder::create()?;
        let ports = node::free_ports(SERVERS)?;
        let nodes: Vec<Node> = (1..)
            .zip(&ports)
            .map(|(number, port)| Node::new(format!("node-{number}"), *port, &folder.0))
            .collect();
        let addresses: Vec<&str> = nodes.iter().map(|node| &*node.address).collect();
        let mut fleet = Self {
            addresses: addresses.join(","),
            nodes,
            loads: Vec::new(),
            situation: Arc::new(Situation::new(kills)),
            record: Record::default(),
            next_client: 1,
            began: Instant::now(),
            numbers: Numbers::default(),
            _folder: folder,
        };
        for (at, build) in servers.into_iter().enumerate() {
            fleet.start_server(at, build).await?;
        }
        for build in clients {
            let load = fleet.start_client(build).await?;
            fleet.loads.push(load);
        }
        fleet.began = Instant::now();
        fleet.agree().await?;
        fleet.goes_on().await?;
        Ok(fleet)
    }

    async fn start_server(&mut self, at: usize, build: Build) -> Result {
        if build == Build::Old {
            self.situation.old_comes();
        }
        self.nodes[at].start(build).await
    }

    async fn start_client(&mut self, build: Build) -> Result<Load> {
        let number = self.next_client;
        self.next_client += 1;
        Load::start(build, number, &self.addresses, &self.situation).await
    }

    /// Waits until every client knows all servers as they are now.
    async fn agree(&mut self) -> Result {
        let since = Instant::now();
        let mut servers: Vec<(String, Version)> = self
            .nodes
            .iter()
            .filter_map(|node| {
                let version = match node.build()? {
                    Build::Old => old::fleet_api::API.version(),
                    Build::New => new::fleet_api::API.version(),
                };
                Some((node.full_name(), version))
            })
            .collect();
        servers.sort();
        for load in &mut self.loads {
            load.finds(since, &servers).await?;
        }
        Ok(())
    }

    async fn goes_on(&self) -> Result {
        for load in &self.loads {
            load.goes_on().await?;
        }
        Ok(())
    }

    /// Stops a server, and starts the other build in its place.
    pub(crate) async fn replace_server(&mut self, at: usize) -> Result {
        let before = self.build(at)?;
        self.nodes[at].stop().await?;
        self.numbers.servers_replaced += 1;
        self.follow_up(&[(at, before)]).await
    }

    /// Kills servers at the same time, and starts the other build in their places.
    pub(crate) async fn kill_servers(&mut self, victims: &[usize]) -> Result {
        let mut before = Vec::new();
        for at in victims {
            before.push((*at, self.build(*at)?));
            self.nodes[*at].kill().await?;
            self.numbers.kills += 1;
        }
        self.follow_up(&before).await
    }

    async fn follow_up(&mut self, gone: &[(usize, Build)]) -> Result {
        for (at, before) in gone {
            self.start_server(*at, before.other()).await?;
        }
        self.agree().await?;
        for _ in gone.iter().filter(|(_, before)| *before == Build::Old) {
            self.situation.old_is_gone();
        }
        self.goes_on().await
    }

    fn build(&self, at: usize) -> Result<Build> {
        let node = &self.nodes[at];
        node.build()
            .ok_or_else(|| format!("{} does not run", node.name))
    }

    /// Stops a client, and starts the other build in its place.
    pub(crate) async fn replace_client(&mut self, at: usize) -> Result {
        let load = self.start_client(self.loads[at].build.other()).await?;
        let before = std::mem::replace(&mut self.loads[at], load);
        self.record.append(before.stop().await?);
        self.numbers.clients_replaced += 1;
        self.agree().await?;
        self.goes_on().await
    }

    /// Stops all, and compares what clients were told with what servers ran. `so_far` is how it went up to here.
    pub(crate) async fn finish(mut self, so_far: Result) -> Result<Numbers> {
        let mut problems = Problems::default();
        if let Err(problem) = so_far {
            problems.add(problem);
        }
        for load in std::mem::take(&mut self.loads) {
            match load.stop().await {
                Ok(record) => self.record.append(record),
                Err(problem) => problems.add(problem),
            }
        }
        self.numbers.time = self.began.elapsed();
        for node in &mut self.nodes {
            if let Err(problem) = node.stop().await {
                problems.add(problem);
            }
        }
        self.numbers.casts_lost = judge(&self.record, &self.nodes, &mut problems);
        self.numbers.count(&self.record);
        problems
            .into_result()
            .map_err(|problems| format!("{}\n{problems}", self.numbers))?;
        Ok(self.numbers)
    }
}

/// What was done, and how it ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers {
    time: Duration,
    requests: usize,
    calls: usize,
    casts: usize,
    casts_lost: usize,
    without_hint: u64,
    /// How many refusals there were of each kind.
    pub(crate) refused: Vec<(&'static str, u64)>,
    lost: usize,
    servers_replaced: u64,
    clients_replaced: u64,
    kills: u64,
}

impl Numbers {
    fn count(&mut self, record: &Record) {
        self.requests = record.requests();
        self.calls = record.calls.len();
        self.casts = record.casts.len();
        self.without_hint = record.without_hint;
        let refusals = record.refusals.iter();
        self.refused = refusals
            .map(|(kind, errors)| (*kind, errors.count))
            .collect();
        self.lost = record.lost.len();
    }
}

impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.time.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "to be shown")]
        let rate = self.requests as f64 / seconds;
        write!(
            f,
            "{} requests in {seconds:.1} s ({rate:.0}/s): {} calls answered ({} without their hint), {} casts accepted",
            self.requests, self.calls, self.without_hint, self.casts
        )?;
        for (kind, count) in &self.refused {
            write!(f, ", {count} {kind}")?;
        }
        write!(
            f,
            ", {} PeerLost; replaced {} servers and {} clients, killed {} servers; {} accepted casts did not run",
            self.lost, self.servers_replaced, self.clients_replaced, self.kills, self.casts_lost
        )
    }
}

/// Where the logs are. It is removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn create() -> Result<Self> {
        let name = format!("rpc-fleet-{}", uuid::Uuid::new_v4());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder)
            .map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // a folder that stays behind is no reason to fail
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
