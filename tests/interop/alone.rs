//! Python without Rust.

use crate::python::{Node, Python, vectors};
use crate::rules;

rules! {
    python_reads_and_writes_the_vectors,
    python_speaks_with_python,
}

async fn python_reads_and_writes_the_vectors() {
    let vectors = vectors();
    let file = vectors.to_str().unwrap();
    Python::start("check_vectors.py", &[file]).succeed().await;
}

/// So that what fails between the two languages is no trouble of one.
async fn python_speaks_with_python() {
    for rule in [
        "calls",
        "about",
        "errors",
        "refusals",
        "versions",
        "fanout",
        "streams",
        "credit",
        "deadlines",
        "cancellation",
        "heartbeats",
        "no_heartbeats",
        "forgotten_heartbeats",
    ] {
        let options = match rule {
            "no_heartbeats" => &["--heartbeats", "none"][..],
            "forgotten_heartbeats" => &["--heartbeats", "forgotten"],
            _ => &[],
        };
        let nodes = [
            Node::serve("node-1", options).await,
            Node::serve("node-2", options).await,
        ];
        let [first, second] = nodes
            .each_ref()
            .map(|node| format!("tcp://{}", node.address));
        Python::start("check_client.py", &[rule, &first, &second])
            .succeed()
            .await;
        for node in nodes {
            node.process.end().await;
        }
    }
}
