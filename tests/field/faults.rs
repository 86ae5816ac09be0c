//! One fault at a time: what waits fails in time and as it should, others are asked instead, and afterwards all is well.

use crate::api::{ENDED, FieldClient};
use crate::network::{Directory, Network};
use crate::node::{Node, Setting, name};
use crate::rules;
use futures_util::StreamExt;
use rpc_core::{CallError, Context, ErrorKind, RpcError};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long nothing may be heard of a peer.
const HEARTBEAT: Duration = Duration::from_secs(1);
const OPTIONS: &str = "heartbeat=1000";

/// How much later something may be noticed on a busy machine.
const MARGIN: Duration = Duration::from_secs(2);

/// How long after the end of a fault all is well: the longest pause between two attempts to connect, one attempt that fails in between,
/// and the margin.
const RECOVERY: Duration = Duration::from_secs(11);

rules! {
    a_process_that_is_stopped_is_a_lost_peer(2),
    a_process_that_is_killed_is_a_lost_peer_at_once(2),
    a_node_that_is_restarted_at_its_address_is_another_instance(2),
    a_pulled_cable_is_a_lost_peer_on_both_sides(2),
    a_node_that_cannot_be_heard_is_a_lost_peer(2),
    another_instance_behind_a_pulled_cable_answers_nothing_old(2),
    a_client_whose_address_changes_finds_its_nodes_again(2),
}

/// Two nodes, the first of which gets into trouble.
struct Field {
    nodes: [Node; 2],
    client: FieldClient,
    network: Arc<Network>,
    waiting: Vec<JoinHandle<RpcError>>,
}

const WATCHED: u64 = 1;
const ASKED: u64 = 3;
const UNSENT: u64 = 5;

impl Field {
    /// A stream and a call wait for the first node, and run there.
    async fn new(network: Arc<Network>) -> Self {
        let setting = Setting {
            directory: Directory::List,
            options: OPTIONS,
            at_once: 100,
        };
        let nodes = [
            Node::start(&network, 0, setting).await,
            Node::start(&network, 1, setting).await,
        ];
        let transport = rpc_zmq::connect(&network.url(Directory::List, OPTIONS))
            .await
            .unwrap();
        let client = FieldClient::new(transport);
        let first = client.prepare(|call| call.server(name(0)).timeout(Duration::from_secs(60)));
        let call = tokio::spawn(first.ask(&Context::new(), ASKED, 60_000));
        // what is sent to a server comes there in order: the call is there when the stream is
        tokio::task::yield_now().await;
        let mut stream = first.watch(&Context::new(), WATCHED);
        stream.next().await.unwrap().unwrap();
        while !nodes[0].log().contains(&ASKED) {
            tokio::task::yield_now().await;
        }
        let field = Self {
            nodes,
            client,
            network,
            waiting: vec![
                tokio::spawn(async move { rpc(stream.next().await.unwrap()) }),
                tokio::spawn(async move { rpc(call.await.unwrap()) }),
            ],
        };
        field.others_answer().await;
        field
    }

    /// What waits for the first node fails within this time.
    async fn is_lost_within(&mut self, time: Duration) {
        let began = Instant::now();
        for waiting in self.waiting.drain(..) {
            let error = timeout(time + MARGIN, waiting)
                .await
                .expect("in time")
                .unwrap();
            assert_eq!(error.kind(), ErrorKind::PeerLost, "{error}");
            assert!(error.server().unwrap().starts_with(&name(0)), "{error}");
        }
        println!("it was noticed after {:?}", began.elapsed());
    }

    /// Calls without a name go to whoever is there.
    async fn others_answer(&self) {
        for id in 0..20 {
            let id = 101 + 2 * id;
            assert_eq!(self.client.ask(&Context::new(), id, 0).await.unwrap(), id);
        }
    }

    /// A call to the first node fails by its deadline, and surely did not run.
    async fn nothing_is_sent(&self) {
        let limit = Duration::from_millis(700);
        let first = self
            .client
            .prepare(|call| call.server(name(0)).timeout(limit));
        let began = Instant::now();
        let error = rpc(first.ask(&Context::new(), UNSENT, 0).await);
        assert_eq!(error.kind(), ErrorKind::Undeliverable, "{error}");
        assert!(
            !error.may_have_run() && began.elapsed() < limit + MARGIN,
            "{error}"
        );
    }

    /// The first node answers again, and nothing that failed runs later or twice.
    async fn all_is_well(mut self) {
        let began = Instant::now();
        let first = self
            .client
            .prepare(|call| call.server(name(0)).timeout(RECOVERY));
        assert_eq!(first.ask(&Context::new(), 7, 0).await.unwrap(), 7);
        println!("all was well after {:?}", began.elapsed());
        self.others_answer().await;
        for node in &mut self.nodes {
            node.stop().await;
        }
        let ran: Vec<u64> = self.nodes.iter().flat_map(Node::log).collect();
        let times = |id| ran.iter().filter(|ran| **ran == id).count();
        assert_eq!(
            [times(WATCHED), times(ASKED), times(UNSENT), times(7)],
            [1, 1, 0, 1]
        );
    }
}

#[track_caller]
fn rpc<T: Debug, E: Debug>(outcome: Result<T, CallError<E>>) -> RpcError {
    match outcome {
        Err(CallError::Rpc(error)) => error,
        other => panic!("{other:?}"),
    }
}

async fn a_process_that_is_stopped_is_a_lost_peer(network: Arc<Network>) {
    let mut field = Field::new(network).await;
    field.nodes[0].pause();
    field.is_lost_within(HEARTBEAT).await;
    field.others_answer().await;
    field.nothing_is_sent().await;
    field.nodes[0].resume();
    field.all_is_well().await;
}

async fn a_process_that_is_killed_is_a_lost_peer_at_once(network: Arc<Network>) {
    let mut field = Field::new(network).await;
    field.nodes[0].kill().await;
    field.is_lost_within(Duration::ZERO).await;
    field.others_answer().await;
    field.nothing_is_sent().await;
    field.nodes[0].start_again().await;
    field.all_is_well().await;
}

async fn a_node_that_is_restarted_at_its_address_is_another_instance(network: Arc<Network>) {
    let mut field = Field::new(network).await;
    field.nodes[0].kill().await;
    field.nodes[0].start_again().await;
    field.is_lost_within(Duration::ZERO).await;
    field.all_is_well().await;
}

async fn a_pulled_cable_is_a_lost_peer_on_both_sides(network: Arc<Network>) {
    let mut field = Field::new(network).await;
    field.network.pull_cable(0);
    field.is_lost_within(HEARTBEAT).await;
    let noticed = async {
        while !field.nodes[0].log().contains(&(WATCHED | ENDED)) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(MARGIN, noticed)
        .await
        .expect("the node notices it as well");
    field.others_answer().await;
    field.nothing_is_sent().await;
    field.network.plug_in_cable(0);
    field.all_is_well().await;
}

async fn a_node_that_cannot_be_heard_is_a_lost_peer(network: Arc<Network>) {
    let mut field = Field::new(network).await;
    field.network.lose_way_back(0);
    field.is_lost_within(HEARTBEAT).await;
    field.others_answer().await;
    field.nothing_is_sent().await;
    field.network.find_way_back(0);
    field.all_is_well().await;
}

async fn another_instance_behind_a_pulled_cable_answers_nothing_old(network: Arc<Network>) {
    let mut field = Field::new(network).await;
    field.network.pull_cable(0);
    field.nodes[0].kill().await;
    field.nodes[0].start_again().await;
    field.network.plug_in_cable(0);
    // at its next sign of life, the client is told that there is no such connection
    field.is_lost_within(HEARTBEAT).await;
    field.all_is_well().await;
}

async fn a_client_whose_address_changes_finds_its_nodes_again(network: Arc<Network>) {
    let mut field = Field::new(network).await;
    field.network.move_clients(0);
    field.is_lost_within(HEARTBEAT).await;
    field.all_is_well().await;
}
