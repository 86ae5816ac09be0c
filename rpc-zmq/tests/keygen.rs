//! The program that makes keys, and the steps of `docs/security.md`, as they are written there.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing has failed")]

use rpc_core::{Context, Server, Target, Transport, rpc_api};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

const KEYGEN: &str = env!("CARGO_BIN_EXE_rpc-zmq-keygen");

/// A folder that is gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("rpc-zmq-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Runs commands as a shell does, with the program on its path.
    fn shell(&self, commands: &str) -> Output {
        let programs = Path::new(KEYGEN).parent().unwrap().to_str().unwrap();
        let path = std::env::var("PATH").unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-eu", "-c", commands]).current_dir(&self.0);
        shell.env("PATH", format!("{programs}:{path}"));
        shell.output().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_key_is_made_once_for_its_owner_alone() {
    let folder = Folder::new("keygen");
    let made = folder.shell("rpc-zmq-keygen node.key");
    assert!(made.status.success(), "{made:?}");
    let public = String::from_utf8(made.stdout).unwrap();
    let file = folder.0.join("node.key");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let secret = rpc_zmq::SecretKey::read(&file).unwrap();
    assert_eq!(public.trim().parse(), Ok(secret.public_key()));
    let again = folder.shell("rpc-zmq-keygen --public node.key");
    assert_eq!(String::from_utf8(again.stdout).unwrap(), public);

    let before = std::fs::read(&file).unwrap();
    let made = folder.shell("rpc-zmq-keygen node.key");
    assert!(!made.status.success() && made.stdout.is_empty());
    assert!(String::from_utf8(made.stderr).unwrap().contains("node.key"));
    assert_eq!(std::fs::read(&file).unwrap(), before);

    for wrong in ["", "--help", "--public", "one two", "--public a b"] {
        let output = folder.shell(&format!("rpc-zmq-keygen {wrong}"));
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        assert!(String::from_utf8(output.stderr).unwrap().contains("usage"));
    }
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 1);
}

/// Something to call.
#[rpc_api(version = "1.0", topic = "compute")]
trait Compute {
    async fn who(&self, ctx: &Context) -> Option<String>;
}

struct Host;

impl Compute for Host {
    async fn who(&self, ctx: &Context) -> Option<String> {
        ctx.peer()?.owner().map(str::to_owned)
    }
}

async fn open(folder: &Folder, rest: &str, key: &str) -> Transport {
    let file = |name| folder.0.join(name).display().to_string();
    let url = format!("zmq://{rest}key={}&peers={}", file(key), file("peers.toml"));
    rpc_zmq::connect(&url).await.unwrap()
}

/// Whom a node with a key takes the client for, by the list as it is.
async fn called(folder: &Folder, key: &str) -> Option<String> {
    let node = open(folder, "?listen=127.0.0.1:0&", key).await;
    let server = Server::builder(node.clone()).target(Target::new().server("host-a"));
    let endpoint = ComputeDispatcher::new(Host);
    let _server = server.endpoint(endpoint).start().await.unwrap();
    let rest = format!("{}?", node.local_addr().unwrap());
    let client = ComputeClient::new(open(folder, &rest, "scheduler.key").await);
    let client = client.prepare(|call| call.timeout(Duration::from_secs(20)));
    client.who(&Context::new()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_steps_of_the_page_lead_to_links_with_keys() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/security.md");
    let page = std::fs::read_to_string(page).unwrap();
    let blocks: Vec<&str> = page
        .split("```sh\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    let [make, list, replace] = blocks[..] else {
        panic!("the page has other steps: {blocks:?}");
    };
    let folder = Folder::new("page");
    for step in [make, list] {
        let output = folder.shell(step);
        assert!(output.status.success(), "{step}: {output:?}");
    }
    assert_eq!(
        called(&folder, "node.key").await.as_deref(),
        Some("scheduler")
    );
    let output = folder.shell(replace);
    assert!(output.status.success(), "{replace}: {output:?}");
    for key in ["node.key", "node-2.key"] {
        assert_eq!(called(&folder, key).await.as_deref(), Some("scheduler"));
    }
}
