//! The servers that the tests start.

use std::ffi::OsString;
use std::net::{TcpListener, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Where a program is that tests need.
fn program(variable: &str) -> PathBuf {
    let given = std::env::var_os(variable).map(PathBuf::from);
    given.unwrap_or_else(|| panic!("`cargo xtask test` says where it is, with {variable}"))
}

/// A process that ends with the test, however that ends.
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(program: &PathBuf, arguments: &[OsString]) -> Process {
    Process(
        Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    )
}

fn signal(process: &Process, signal: &str) {
    let told = Command::new("kill")
        .args([signal, &process.0.id().to_string()])
        .status();
    assert!(told.unwrap().success());
}

/// A port that nobody has, now.
pub(crate) fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().port()
}

/// A folder that goes with the test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "rpc-directories-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Asks until it is so.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A Redis server that keeps nothing.
pub(crate) struct Redis {
    pub(crate) port: u16,
    password: Option<&'static str>,
    process: Process,
    _folder: Folder,
}

impl Redis {
    pub(crate) async fn start() -> Self {
        Self::start_with(None).await
    }

    pub(crate) async fn start_with(password: Option<&'static str>) -> Self {
        for _ in 0..20 {
            if let Some(redis) = Self::start_at(free_port(), password).await {
                return redis;
            }
        }
        panic!("no port was free for Redis");
    }

    /// Starts one at this port. `None` if somebody else has it.
    pub(crate) async fn start_at(port: u16, password: Option<&'static str>) -> Option<Self> {
        let folder = Folder::new();
        let mut arguments: Vec<OsString> = ["--bind", "127.0.0.1", "--save", "", "--port"]
            .map(Into::into)
            .into();
        arguments.extend([
            port.to_string().into(),
            "--dir".into(),
            folder.0.clone().into(),
        ]);
        if let Some(password) = password {
            arguments.extend(["--requirepass".into(), password.into()]);
        }
        let process = start(&program("RPC_TEST_REDIS_SERVER"), &arguments);
        let mut redis = Self {
            port,
            password,
            process,
            _folder: folder,
        };
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(20) {
            if redis.process.0.try_wait().unwrap().is_some() {
                return None;
            }
            if redis.connection().await.is_ok() {
                return Some(redis);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("Redis does not come up");
    }

    /// Kills it, and starts an empty one at the same port.
    pub(crate) async fn restart(self) -> Self {
        let (port, password) = (self.port, self.password);
        drop(self);
        Self::start_at(port, password)
            .await
            .expect("its port was taken")
    }

    /// Stops its process, or lets it go on.
    pub(crate) fn stop(&self, stopped: bool) {
        signal(&self.process, if stopped { "-STOP" } else { "-CONT" });
    }

    async fn connection(&self) -> redis::RedisResult<redis::aio::MultiplexedConnection> {
        let password = self.password.map(|password| format!(":{password}@"));
        let url = format!(
            "redis://{}127.0.0.1:{}",
            password.unwrap_or_default(),
            self.port
        );
        let client = redis::Client::open(url)?;
        client.get_multiplexed_async_connection().await
    }

    /// Runs a command.
    pub(crate) async fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let mut command = redis::cmd(words[0]);
        for word in &words[1..] {
            command.arg(*word);
        }
        let mut connection = self.connection().await.unwrap();
        command.query_async(&mut connection).await.unwrap()
    }

    /// Runs commands whose answers do not matter.
    pub(crate) async fn run(&self, commands: &redis::Pipeline) {
        let mut connection = self.connection().await.unwrap();
        commands.query_async::<()>(&mut connection).await.unwrap();
    }

    /// The URL of a client.
    pub(crate) fn url(&self) -> String {
        format!("zmq+redis://127.0.0.1:{}/0?poll=100", self.port)
    }

    /// The URL of a node.
    pub(crate) fn node_url(&self) -> String {
        format!("{}&listen=127.0.0.1:0", self.url())
    }
}

/// A DNS server that knows what a test tells it, under `test.`.
pub(crate) struct Dns {
    pub(crate) port: u16,
    hosts: PathBuf,
    process: Process,
    folder: Folder,
}

impl Dns {
    /// Starts one, with a TTL of a second. `services` are `name,host,port`.
    pub(crate) async fn start(services: &[String]) -> Self {
        Self::start_with(services, 1).await
    }

    pub(crate) async fn start_with(services: &[String], ttl: u32) -> Self {
        for _ in 0..20 {
            let started = Self::start_at(free_port(), Folder::new(), services, ttl);
            if let Some(dns) = started.await {
                return dns;
            }
        }
        panic!("no port was free for the DNS server");
    }

    /// Starts it again, with the names that it had and another TTL.
    pub(crate) async fn restart(self, ttl: u32) -> Self {
        let Self {
            port,
            folder,
            process,
            ..
        } = self;
        drop(process);
        let again = Self::start_at(port, folder, &[], ttl).await;
        again.expect("its port was taken")
    }

    async fn start_at(port: u16, folder: Folder, services: &[String], ttl: u32) -> Option<Self> {
        let hosts = folder.0.join("hosts");
        let mut file = std::fs::OpenOptions::new();
        drop(file.create(true).append(true).open(&hosts).unwrap());
        let mut arguments: Vec<OsString> = [
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--listen-address=127.0.0.1",
            "--bind-interfaces",
            "--no-resolv",
            "--no-hosts",
            "--local=/test/",
            "--pid-file=",
        ]
        .map(Into::into)
        .into();
        arguments.push(format!("--port={port}").into());
        arguments.push(format!("--local-ttl={ttl}").into());
        arguments.push(format!("--addn-hosts={}", hosts.display()).into());
        // it would give up its rights for those of a user that may not read the folder
        if std::env::var_os("USER").is_none_or(|user| user == "root") {
            arguments.push("--user=root".into());
        }
        arguments.extend(
            services
                .iter()
                .map(|service| format!("--srv-host={service}").into()),
        );
        let process = start(&program("RPC_TEST_DNSMASQ"), &arguments);
        let mut dns = Self {
            port,
            hosts,
            process,
            folder,
        };
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(20) {
            if dns.process.0.try_wait().unwrap().is_some() {
                return None;
            }
            // it is up when its port is taken, for both protocols
            let address = ("127.0.0.1", port);
            if UdpSocket::bind(address).is_err() && TcpListener::bind(address).is_err() {
                return Some(dns);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the DNS server does not come up");
    }

    /// From now on, these are all its names: `address name`.
    pub(crate) fn set(&self, lines: &[String]) {
        std::fs::write(&self.hosts, lines.join("\n") + "\n").unwrap();
        signal(&self.process, "-HUP");
    }

    /// The URL of a name, as this server knows it.
    pub(crate) fn url(&self, name: &str) -> String {
        format!("zmq+dns://{name}?resolver=127.0.0.1:{}", self.port)
    }
}
