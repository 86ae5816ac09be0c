//! ZeroMQ over the loopback interface, by either engine.

use rpc_core::Transport;
use rpc_core::testing::Network;
use std::net::TcpListener;

pub(crate) struct ZmqNetwork {
    engine: &'static str,
    /// The addresses of the nodes that clients know.
    listed: Vec<String>,
}

impl ZmqNetwork {
    pub(crate) fn of(engine: &'static str) -> Self {
        Self {
            engine,
            listed: Vec::new(),
        }
    }
}

async fn open(url: &str) -> Transport {
    rpc_zmq::connect(url).await.expect("a good URL")
}

impl Network for ZmqNetwork {
    async fn node(&self, options: &str) -> Transport {
        let engine = self.engine;
        open(&format!(
            "zmq://?listen=127.0.0.1:0&engine={engine}&{options}"
        ))
        .await
    }

    fn list(&mut self, node: &Transport) {
        self.listed.extend(node.local_addr());
    }

    fn list_absent(&mut self) -> String {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("bound").to_string();
        self.listed.push(address.clone());
        address
    }

    async fn appear(&self, address: &str) -> Transport {
        open(&format!("zmq://{address}?engine={}", self.engine)).await
    }

    async fn client(&self) -> Transport {
        let (engine, listed) = (self.engine, self.listed.join(","));
        open(&format!("zmq://{listed}?engine={engine}")).await
    }
}
