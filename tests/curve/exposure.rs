//! Where a node listens without keys.

use crate::keys::Folder;
use crate::service::{Safe, VaultDispatcher, open};
use rpc_core::{Server, StartError, Target};

async fn start(url: &str) -> Result<Server, StartError> {
    let server = Server::builder(open(url).await).target(Target::topic("vault").server("node-1"));
    let endpoint = VaultDispatcher::new(Safe::default());
    server.endpoint(endpoint).start().await
}

#[tokio::test]
async fn the_zeromq_crate_has_no_keys() {
    let folder = Folder::new();
    folder.key("node.key");
    folder.text("peers.toml", "");
    let options = folder.options("node.key", "peers.toml");
    let url = format!("zmq://127.0.0.1:1?engine=zeromq&{options}");
    let error = rpc_zmq::connect(&url).await.unwrap_err().to_string();
    assert!(error.contains("can't do `key`"), "{error}");
    let open = "zmq://?listen=0.0.0.0:0&engine=zeromq";
    assert!(matches!(start(open).await, Err(StartError::Listen(_))));
    assert!(start(&format!("{open}&auth=none")).await.is_ok());
}

#[tokio::test]
async fn others_are_let_in_only_with_keys_or_if_the_url_says_so() {
    let error = start("zmq://?listen=0.0.0.0:0").await.unwrap_err();
    assert!(matches!(error, StartError::Listen(_)), "{error}");
    for advice in [
        "`key`",
        "`peers`",
        "rpc-zmq-keygen",
        "auth=none",
        "127.0.0.1",
    ] {
        assert!(error.to_string().contains(advice), "{error}");
    }
    assert!(start("zmq://?listen=0.0.0.0:0&auth=none").await.is_ok());
    assert!(start("zmq://?listen=127.0.0.1:0").await.is_ok());
    let folder = Folder::new();
    folder.key("node.key");
    folder.text("peers.toml", "");
    let options = folder.options("node.key", "peers.toml");
    assert!(
        start(&format!("zmq://?listen=0.0.0.0:0&{options}"))
            .await
            .is_ok()
    );
}
