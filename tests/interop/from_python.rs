//! Python clients and Rust servers. What holds is checked by the clients, in `check_client.py` and `check_frames.py`.

use crate::api::InteropDispatcher;
use crate::python::{Python, vectors};
use crate::rules;
use crate::service::Service;
use rpc_core::{Server, Target, Transport};

rules! {
    calls_are_answered,
    a_server_says_what_it_has,
    errors_have_their_kind_and_the_methods_own_arrive_as_values,
    what_a_server_does_not_do_is_refused_by_kind,
    old_messages_are_served,
    a_fanout_reaches_every_server,
    streams_are_numbered_and_end,
    a_consumer_that_does_not_read_stops_the_producer,
    the_remaining_time_travels_and_a_timeout_cancels,
    a_call_that_takes_long_is_heard_of,
    a_cancelled_call_and_a_closed_stream_end_their_handlers,
    a_draining_server_is_seen_to_drain,
    two_addresses_of_one_instance_are_known_as_one,
    a_client_that_keeps_to_the_window_is_served,
    frames_that_break_rules_are_answered_as_the_document_says,
}

pub(crate) struct Node {
    server: Server,
    pub(crate) address: String,
}

impl Node {
    pub(crate) async fn serve(name: &str, options: &str) -> Self {
        let url = format!("zmq://?listen=127.0.0.1:0&{options}");
        let transport: Transport = rpc_zmq::connect(&url).await.unwrap();
        let server = Server::builder(transport.clone())
            .target(Target::new().server(name))
            .endpoint(InteropDispatcher::new(Service::default()));
        Self {
            server: server.start().await.unwrap(),
            address: format!("tcp://{}", transport.local_addr().unwrap()),
        }
    }
}

async fn holds(rule: &str) {
    let node = Node::serve("node-1", "").await;
    Python::start("check_client.py", &[rule, &node.address])
        .succeed()
        .await;
}

async fn calls_are_answered() {
    holds("calls").await;
}

async fn a_server_says_what_it_has() {
    holds("about").await;
}

async fn errors_have_their_kind_and_the_methods_own_arrive_as_values() {
    holds("errors").await;
}

async fn what_a_server_does_not_do_is_refused_by_kind() {
    holds("refusals").await;
}

async fn old_messages_are_served() {
    holds("versions").await;
}

async fn a_fanout_reaches_every_server() {
    let (one, two) = (
        Node::serve("node-1", "").await,
        Node::serve("node-2", "").await,
    );
    Python::start("check_client.py", &["fanout", &one.address, &two.address])
        .succeed()
        .await;
}

async fn streams_are_numbered_and_end() {
    holds("streams").await;
}

async fn a_consumer_that_does_not_read_stops_the_producer() {
    holds("credit").await;
}

async fn the_remaining_time_travels_and_a_timeout_cancels() {
    holds("deadlines").await;
}

async fn a_call_that_takes_long_is_heard_of() {
    holds("heartbeats").await;
}

async fn a_cancelled_call_and_a_closed_stream_end_their_handlers() {
    holds("cancellation").await;
}

async fn a_draining_server_is_seen_to_drain() {
    let (one, two) = (
        Node::serve("node-1", "").await,
        Node::serve("node-2", "").await,
    );
    let mut client = Python::start("check_client.py", &["draining", &one.address, &two.address]);
    assert_eq!(client.line().await, "drain");
    one.server.stop().await;
    client.succeed().await;
}

async fn two_addresses_of_one_instance_are_known_as_one() {
    let node = Node::serve("node-1", "").await;
    Python::start("check_client.py", &["twins", &node.address, &node.address])
        .succeed()
        .await;
}

async fn a_client_that_keeps_to_the_window_is_served() {
    let node = Node::serve("node-1", "window=2").await;
    Python::start("check_client.py", &["window", &node.address])
        .succeed()
        .await;
}

async fn frames_that_break_rules_are_answered_as_the_document_says() {
    let node = Node::serve("node-1", "window=2").await;
    let vectors = vectors();
    let arguments = [node.address.as_str(), vectors.to_str().unwrap()];
    Python::start("check_frames.py", &arguments).succeed().await;
}
