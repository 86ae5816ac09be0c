//! Stopping a server so that nobody notices: what it has accepted is finished, and what is new is refused, to be sent elsewhere.
//!
//! `cargo run --example graceful_shutdown`; press Ctrl-C, or wait for a second.

use rpc_core::{
    CallError, Context, ErrorKind, Never, RpcError, Server, Target, Transport, rpc_api,
};
use std::error::Error;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Bakes.
#[rpc_api(version = "1.0")]
pub trait Bakery {
    /// Bakes one loaf, which takes a while.
    async fn bake(&self, ctx: &Context, name: &str, time: Duration) -> String;
}

struct Oven;

impl Bakery for Oven {
    async fn bake(&self, _: &Context, name: &str, time: Duration) -> String {
        sleep(time).await;
        format!("a loaf of {name}")
    }
}

/// A running call.
type Baking = tokio::task::JoinHandle<Result<String, CallError<Never>>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    in_time().await?;
    out_of_time().await
}

/// All that was accepted ends before the limit.
async fn in_time() -> Result<(), Box<dyn Error>> {
    let (server, transport, client) = open(16).await?;
    println!("Three loaves are in the oven.");
    let loaves: Vec<Baking> = ["rye", "spelt", "wheat"]
        .into_iter()
        .map(|name| start_baking(&client, name, Duration::from_millis(1500)))
        .collect();
    accepted(&server, 3).await?;

    tokio::select! {
        pressed = tokio::signal::ctrl_c() => {
            pressed?;
            println!("\nCtrl-C was pressed.");
        }
        () = sleep(Duration::from_secs(1)) => println!("\nNobody pressed Ctrl-C, so the bakery closes by itself."),
    }

    // 1. Nothing new: clients are told, and send to other servers, if there are any.
    server.stop().await;
    let late = client.bake(&Context::new(), "oats", Duration::ZERO).await;
    let late = rpc_error(late)?;
    println!("  new:      {late}");
    assert_eq!(late.kind(), ErrorKind::Unavailable);
    assert!(late.is_retryable() && !late.may_have_run());

    // 2. What runs may end, but not for ever.
    let stopped = server.wait_at_most(Duration::from_secs(10)).await;

    // 3. The replies leave.
    transport.close(Duration::from_secs(1)).await;

    for loaf in loaves {
        println!("  running:  {}", loaf.await??);
    }
    println!(
        "  finished {}, cut off {}, not run {}",
        stopped.finished, stopped.cut_off, stopped.not_run
    );
    assert_eq!(
        (stopped.finished, stopped.cut_off, stopped.not_run),
        (3, 0, 0)
    );
    Ok(())
}

/// The limit comes first: one loaf is being baked, and one waits for the oven, which has room for one.
async fn out_of_time() -> Result<(), Box<dyn Error>> {
    let (server, transport, client) = open(1).await?;
    println!("\nA small oven, two loaves that take a minute, and a tenth of a second to close:");
    let minute = Duration::from_secs(60);
    let running = start_baking(&client, "rye", minute);
    accepted(&server, 1).await?;
    let waiting = start_baking(&client, "spelt", minute);
    accepted(&server, 2).await?;

    server.stop().await;
    let stopped = server.wait_at_most(Duration::from_millis(100)).await;
    transport.close(Duration::from_secs(1)).await;

    let (running, waiting) = (rpc_error(running.await?)?, rpc_error(waiting.await?)?);
    println!("  running:  {running}");
    println!("  waiting:  {waiting}");
    println!(
        "  finished {}, cut off {}, not run {}",
        stopped.finished, stopped.cut_off, stopped.not_run
    );
    assert_eq!(running.kind(), ErrorKind::PeerLost);
    assert!(running.may_have_run());
    assert_eq!(waiting.kind(), ErrorKind::Unavailable);
    assert!(!waiting.may_have_run());
    assert_eq!(
        (stopped.finished, stopped.cut_off, stopped.not_run),
        (0, 1, 1)
    );
    Ok(())
}

/// A server that bakes so many loaves at once, its transport, and a client with a transport of its own, as if elsewhere.
async fn open(at_once: usize) -> Result<(Server, Transport, BakeryClient), Box<dyn Error>> {
    let transport = rpc_zmq::connect("zmq://127.0.0.1:0").await?;
    let server = Server::builder(transport.clone())
        .target(Target::new().server("corner"))
        .endpoint(BakeryDispatcher::new(Oven))
        .concurrency(at_once)
        .start()
        .await?;
    let address = transport.local_addr().ok_or("it listens nowhere")?;
    let client = BakeryClient::new(rpc_zmq::connect(&format!("zmq://{address}")).await?);
    // by its name, so that a refusal is shown, and no other server waited for
    let client = client.prepare(|call| call.server("corner"));
    Ok((server, transport, client))
}

fn start_baking(client: &BakeryClient, name: &str, time: Duration) -> Baking {
    tokio::spawn(client.bake(&Context::new(), name, time))
}

/// Waits until the server has accepted so many requests.
async fn accepted(server: &Server, requests: u64) -> Result<(), Box<dyn Error>> {
    let accepted = async {
        while server.stats().accepted < requests {
            sleep(Duration::from_millis(5)).await;
        }
    };
    Ok(timeout(Duration::from_secs(10), accepted).await?)
}

/// The error that is expected.
fn rpc_error(result: Result<String, CallError<Never>>) -> Result<RpcError, Box<dyn Error>> {
    match result {
        Err(CallError::Rpc(error)) => Ok(error),
        Ok(loaf) => Err(format!("{loaf} should not have been baked").into()),
        Err(CallError::Method(never)) => match never {},
    }
}
