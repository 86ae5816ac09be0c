//! ZeroMQ over the loopback interface, by either engine.

use rpc_core::Transport;
use rpc_core::testing::Network;
use rpc_zmq::SecretKey;
use std::net::TcpListener;
use std::path::Path;
use std::sync::LazyLock;

/// Nodes of which clients have a list.
pub(crate) struct ZmqNetwork {
    /// What all URLs have in common.
    options: String,
    /// The addresses of the nodes that clients know.
    listed: Vec<String>,
}

impl ZmqNetwork {
    pub(crate) fn with(options: &str) -> Self {
        Self {
            options: options.into(),
            listed: Vec::new(),
        }
    }

    /// Every process of it has the same key, which may do everything.
    pub(crate) fn with_keys() -> Self {
        static OPTIONS: LazyLock<String> = LazyLock::new(|| {
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
            let file = |name: &str| folder.join(format!("semantics.{name}"));
            // one from an earlier run is as good
            let _ = SecretKey::generate().write(&file("key"));
            let key = SecretKey::read(&file("key")).expect("a key");
            let entry = format!("key = \"{}\"\ntopics = [\"*\"]\n", key.public_key());
            let list = format!("[[node]]\n{entry}[[client]]\n{entry}");
            std::fs::write(file("toml"), list).expect("a list");
            format!(
                "key={}&peers={}",
                file("key").display(),
                file("toml").display()
            )
        });
        Self::with(&OPTIONS)
    }
}

async fn open(url: &str) -> Transport {
    rpc_zmq::connect(url).await.expect("a good URL")
}

impl Network for ZmqNetwork {
    async fn node(&self, options: &str) -> Transport {
        let common = &self.options;
        open(&format!("zmq://?listen=127.0.0.1:0&{common}&{options}")).await
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
        open(&format!("zmq://{address}?{}", self.options)).await
    }

    async fn client(&self) -> Transport {
        open(&format!("zmq://{}?{}", self.listed.join(","), self.options)).await
    }
}
