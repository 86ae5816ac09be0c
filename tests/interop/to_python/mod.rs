//! Rust clients and Python servers.

mod calls;
mod servers;
mod streams;

use crate::api::{InteropClient, TroubleClient};
use crate::python::Node;
use rpc_core::{CallError, Context, RpcError};
use std::fmt::Debug;

async fn clients_of(nodes: &[&Node]) -> (InteropClient, TroubleClient) {
    let addresses: Vec<&str> = nodes.iter().map(|node| node.address.as_str()).collect();
    let url = format!("zmq://{}", addresses.join(","));
    let transport = rpc_zmq::connect(&url).await.unwrap();
    (
        InteropClient::new(transport.clone()),
        TroubleClient::new(transport),
    )
}

/// A server, and its clients.
async fn pair(options: &[&str]) -> (Node, InteropClient, TroubleClient) {
    let node = Node::serve("node-1", options).await;
    let (client, trouble) = clients_of(&[&node]).await;
    (node, client, trouble)
}

/// Two servers, and their clients.
async fn two() -> ([Node; 2], InteropClient, TroubleClient) {
    let nodes = [
        Node::serve("node-1", &[]).await,
        Node::serve("node-2", &[]).await,
    ];
    let (client, trouble) = clients_of(&[&nodes[0], &nodes[1]]).await;
    (nodes, client, trouble)
}

fn ctx() -> Context {
    Context::new()
}

async fn happened(client: &InteropClient, what: &str, times: u32) {
    client.happened(&ctx(), what, times).await.unwrap();
}

/// Enough of them that a server that wants to do something else has done it.
pub(crate) async fn round_trips(client: &InteropClient) {
    for a in 0..200 {
        assert_eq!(client.add(&ctx(), a, 1).await.unwrap(), a + 1);
    }
}

#[track_caller]
fn rpc<T: Debug, E: Debug>(outcome: Result<T, CallError<E>>) -> RpcError {
    match outcome {
        Err(CallError::Rpc(error)) => error,
        other => panic!("{other:?}"),
    }
}
