//! Both languages over CURVE: libzmq at one end, and the engine of this project at the other.

use crate::api::InteropClient;
use crate::from_python;
use crate::python::{Node, Python};
use crate::rules;
use futures_util::TryStreamExt;
use rpc_core::{Context, ErrorKind};
use rpc_zmq::{PublicKey, SecretKey};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

rules! {
    python_clients_with_a_key_are_served,
    python_clients_without_a_right_get_nothing,
    an_identity_is_ignored,
    signs_of_life_are_exchanged,
    rust_clients_with_a_key_are_served,
    rust_clients_without_a_right_get_nothing,
    python_speaks_with_python_by_keys,
}

/// A folder of keys, which is gone with the test.
struct Keys(PathBuf);

impl Drop for Keys {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Keys {
    /// A node's, a client's, one of a client that may do nothing, and one that is not listed.
    fn new() -> Self {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let name = format!("rpc-interop-{}-{number}", std::process::id());
        let keys = Self(std::env::temp_dir().join(name));
        std::fs::create_dir_all(&keys.0).unwrap();
        for name in ["node", "client", "idle", "stranger"] {
            let key = SecretKey::generate();
            key.write(keys.file(name).as_ref()).unwrap();
        }
        let entry = |kind: &str, name: &str, topics: &str| {
            let key = keys.public(name);
            format!("[[{kind}]]\nname = \"{name}\"\nkey = \"{key}\"\ntopics = [{topics}]\n")
        };
        let list = [
            entry("node", "node", "\"*\""),
            entry("client", "client", "\"*\""),
            entry("client", "idle", "\"other\""),
        ];
        std::fs::write(keys.file("peers"), list.concat()).unwrap();
        keys
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn public(&self, name: &str) -> PublicKey {
        let key = SecretKey::read(self.file(name).as_ref());
        key.unwrap().public_key()
    }

    /// The options of a URL.
    fn options(&self, name: &str) -> String {
        format!("key={}&peers={}", self.file(name), self.file("peers"))
    }

    /// What a Python client is told.
    fn words(&self, name: &str, node: &str) -> [String; 2] {
        [
            format!("--key={}", self.file(name)),
            format!("--node={}", self.public(node)),
        ]
    }

    async fn rust_node(&self, name: &str) -> from_python::Node {
        from_python::Node::serve(name, &self.options("node")).await
    }

    async fn python_node(&self, name: &str) -> Node {
        let key = self.file("node");
        let client = format!("--client={}", self.public("client"));
        Node::serve(name, &["--key", &key, &client]).await
    }
}

async fn check(program: &str, rule: &str, addresses: &[&str], words: &[String]) {
    let mut arguments = vec![rule];
    arguments.extend(addresses);
    arguments.extend(words.iter().map(String::as_str));
    Python::start(program, &arguments).succeed().await;
}

async fn python_clients_with_a_key_are_served() {
    let keys = Keys::new();
    for rule in [
        "calls",
        "errors",
        "fanout",
        "streams",
        "credit",
        "cancellation",
    ] {
        let (one, two) = (
            keys.rust_node("node-1").await,
            keys.rust_node("node-2").await,
        );
        let addresses = [&*one.address, &*two.address];
        check(
            "check_client.py",
            rule,
            &addresses,
            &keys.words("client", "node"),
        )
        .await;
    }
}

async fn python_clients_without_a_right_get_nothing() {
    let keys = Keys::new();
    let node = keys.rust_node("node-1").await;
    let address = [&*node.address];
    for (rule, words) in [
        ("is_refused", keys.words("stranger", "node").as_slice()),
        ("is_refused", &keys.words("client", "stranger")),
        ("is_refused", &keys.words("node", "node")),
        ("is_refused", &[]),
        ("sees_nothing", &keys.words("idle", "node")),
    ] {
        check("check_keys.py", rule, &address, words).await;
    }
}

async fn an_identity_is_ignored() {
    let keys = Keys::new();
    let node = keys.rust_node("node-1").await;
    let words = keys.words("client", "node");
    check(
        "check_keys.py",
        "an_identity_is_ignored",
        &[&node.address],
        &words,
    )
    .await;
}

async fn signs_of_life_are_exchanged() {
    let keys = Keys::new();
    let options = format!("{}&heartbeat=1000", keys.options("node"));
    let node = from_python::Node::serve("node-1", &options).await;
    let words = keys.words("client", "node");
    check(
        "check_keys.py",
        "says_that_it_lives",
        &[&node.address],
        &words,
    )
    .await;
}

async fn client(keys: &Keys, name: &str, node: &Node) -> InteropClient {
    let options = keys.options(name);
    let url = format!("zmq://{}?{options}&heartbeat=1000", node.address);
    InteropClient::new(rpc_zmq::connect(&url).await.unwrap())
}

async fn rust_clients_with_a_key_are_served() {
    let keys = Keys::new();
    let node = keys.python_node("node-1").await;
    let client = client(&keys, "client", &node).await;
    let transport = client.rpc().transport().clone();
    crate::to_python::round_trips(&client).await;
    let blobs = client.blobs(&Context::new(), 200_000, 20);
    let blobs: Vec<_> = blobs.try_collect().await.unwrap();
    assert!(blobs.iter().map(|(_, blob)| blob.len()).eq([200_000; 20]));
    // nothing is said for several times the limit, but by the engines
    tokio::time::sleep(Duration::from_secs(3)).await;
    crate::to_python::round_trips(&client).await;
    assert_eq!(transport.stats().links_lost, 0);
    node.process.end().await;
}

async fn rust_clients_without_a_right_get_nothing() {
    let keys = Keys::new();
    let node = keys.python_node("node-1").await;
    let url = format!("zmq://{}", node.address);
    let without = InteropClient::new(rpc_zmq::connect(&url).await.unwrap());
    let entry = format!(
        "[[node]]\nkey = \"{}\"\ntopics = [\"*\"]\n",
        keys.public("stranger")
    );
    std::fs::write(keys.file("wrong"), entry).unwrap();
    let wrong = format!(
        "{url}?key={}&peers={}",
        keys.file("client"),
        keys.file("wrong")
    );
    let wrong = InteropClient::new(rpc_zmq::connect(&wrong).await.unwrap());
    for client in [
        client(&keys, "stranger", &node).await,
        client(&keys, "idle", &node).await,
        without,
        wrong,
    ] {
        let client = client.prepare(|call| call.timeout(Duration::from_secs(1)));
        let error = client.add(&Context::new(), 1, 2).await.unwrap_err();
        assert_eq!(
            error.rpc().unwrap().kind(),
            ErrorKind::Undeliverable,
            "{error}"
        );
    }
    node.process.end().await;
}

/// So that what fails between the two languages is no trouble of one.
async fn python_speaks_with_python_by_keys() {
    let keys = Keys::new();
    let node = keys.python_node("node-1").await;
    let address = format!("tcp://{}", node.address);
    for (program, rule, words) in [
        (
            "check_client.py",
            "calls",
            keys.words("client", "node").as_slice(),
        ),
        (
            "check_keys.py",
            "is_refused",
            &keys.words("stranger", "node"),
        ),
        ("check_keys.py", "is_refused", &[]),
    ] {
        check(program, rule, &[&address], words).await;
    }
    node.process.end().await;
}
