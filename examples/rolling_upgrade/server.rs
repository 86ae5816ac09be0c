//! The process of one compute node, of one release.

use crate::Result;
use crate::node::Node;
use crate::releases::{train, victoria, zed};
use rpc_core::{Endpoint, Server, Target, Transport};
use std::time::Duration;

/// Serves until its standard input is closed, which is also how it notices that the process which started it is gone. It
/// prints where it listens, and then what it runs.
pub async fn run(release: &str) -> Result<()> {
    let transport = rpc_zmq::connect("zmq://127.0.0.1:0").await?;
    let node = || Node::new(|what| println!("{what}"));
    let compute = Target::topic("compute").server(release);
    let mut servers = vec![match release {
        "train" => start(&transport, compute, train::ComputeDispatcher::new(node())).await?,
        "victoria" => {
            start(
                &transport,
                compute,
                victoria::ComputeDispatcher::new(node()),
            )
            .await?
        }
        "zed" => start(&transport, compute, zed::ComputeDispatcher::new(node())).await?,
        "gazpacho" => {
            start(
                &transport,
                compute,
                crate::api::ComputeDispatcher::new(node()),
            )
            .await?
        }
        other => return Err(format!("there is no release {other}").into()),
    }];
    if release == "gazpacho" {
        // what runs on during a shutdown, on a topic of its own since 6.5
        let alt = Target::topic("compute-alt").server(release);
        servers.push(start(&transport, alt, crate::api::ComputeDispatcher::new(node())).await?);
    }
    println!("{}", transport.local_addr().ok_or("it listens nowhere")?);

    tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await?;
    for server in servers {
        server.stop().await;
        server.wait_at_most(Duration::from_secs(1)).await;
    }
    transport.close(Duration::from_secs(1)).await;
    Ok(())
}

async fn start(transport: &Transport, target: Target, endpoint: impl Endpoint) -> Result<Server> {
    let server = Server::builder(transport.clone())
        .target(target)
        .endpoint(endpoint);
    Ok(server.start().await?)
}
