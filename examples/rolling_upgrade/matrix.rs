//! Every call, from clients at every cap, to servers of every release: what was sent, and what was not.

use crate::api::{ComputeClient, compute_api};
use crate::calls::{Caller, ROWS};
use crate::node_process::NodeProcess;
use crate::tap::Message;
use crate::Result;
use rpc_core::{RpcError, Transport, Version};
use std::collections::BTreeMap;
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// The caps: each a release, or none.
const CAPS: [Option<&str>; 5] = [Some("train"), Some("victoria"), Some("zed"), Some("gazpacho"), None];

/// What was seen.
#[derive(Default)]
pub struct Seen {
    pub sent: usize,
    /// Without an argument that the newest message has, or with one in an older form.
    pub older: usize,
    pub refused: usize,
    pub absent: usize,
}

/// What stands below one table: each form of the message, and each refusal, once.
#[derive(Default)]
struct Notes(BTreeMap<String, String>);

pub async fn show(nodes: &mut [NodeProcess], heard: &Receiver<Message>) -> Result<Seen> {
    let addresses: Vec<&str> = nodes.iter().map(|node| node.address.as_str()).collect();
    let transport = rpc_zmq::connect(&format!("zmq://{}", addresses.join(","))).await?;
    // everybody is there before the first message, so that nobody is waited for below
    ComputeClient::new(transport.clone()).rpc().negotiate().await.or_else(no_common_major)?;
    let mut seen = Seen::default();
    for (what, _) in &ROWS {
        table(what, &transport, nodes, heard, &mut seen).await?;
    }
    transport.close(Duration::from_secs(1)).await;
    Ok(seen)
}
