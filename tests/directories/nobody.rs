//! Directories that are not there.

use crate::environment::free_port;
use crate::nodes::{absence, client};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dns_server_that_is_down_is_waited_for() {
    let client = client(&format!(
        "zmq+dns://nodes.test:1?resolver=127.0.0.1:{}",
        free_port()
    ))
    .await;
    let error = absence(&client, 100).await;
    assert!(
        error.contains("directory dns://nodes.test:1 has not answered yet"),
        "{error}"
    );
    let error = absence(&client, 6000).await;
    assert!(error.contains("directory dns://nodes.test:1: "), "{error}");
}
