//! What the framework promises, one test a rule, over every transport.

mod zmq_network;

mod memory {
    rpc_core::testing::conformance! {
        rpc_core::testing::MemoryNetwork::new(),
        except {
            casts::a_fanout_goes_out_at_once: "on a bus nobody is listed, and so nobody is missing",
            casts::an_unreached_node_makes_a_fanout_incomplete: "on a bus nobody is listed, and so nobody is missing",
            gather::a_node_that_is_not_reached_is_undeliverable: "on a bus nobody is listed, and so nobody is missing",
            negotiation::negotiation_fails_when_a_node_is_missing: "on a bus nobody is listed, and so nobody is missing",
            retry::a_server_that_comes_in_time_is_found: "on a bus everybody is linked, so that the first round is the last",
            retry::retries_are_counted: "on a bus everybody is linked, so that the first round is the last",
        }
    }
}

mod zmq_with_keys {
    rpc_core::testing::conformance!(crate::zmq_network::ZmqNetwork::with_keys());
}

mod zmq {
    rpc_core::testing::conformance!(crate::zmq_network::ZmqNetwork::with("engine=zmtp"));
}

/// The second engine keeps all of it between good peers. What it does not bear of others is in `tests/zmtp`.
mod zmq_by_the_zeromq_crate {
    rpc_core::testing::conformance!(crate::zmq_network::ZmqNetwork::with("engine=zeromq"));
}
