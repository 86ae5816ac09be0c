//! ZeroMQ over the loopback interface.

use rpc_core::Transport;
use rpc_core::testing::Network;
use std::net::TcpListener;

/// The addresses of the nodes that clients know.
#[derive(Default)]
pub(crate) struct ZmqNetwork(Vec<String>);

async fn open(url: &str) -> Transport {
    rpc_zmq::connect(url).await.expect("a good URL")
}

impl Network for ZmqNetwork {
    async fn node(&self, options: &str) -> Transport {
        open(&format!("zmq://?listen=127.0.0.1:0&{options}")).await
    }

    fn list(&mut self, node: &Transport) {
        self.0.extend(node.local_addr());
    }

    fn list_absent(&mut self) -> String {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("bound").to_string();
        self.0.push(address.clone());
        address
    }

    async fn appear(&self, address: &str) -> Transport {
        open(&format!("zmq://{address}")).await
    }

    async fn client(&self) -> Transport {
        open(&format!("zmq://{}", self.0.join(","))).await
    }
}
