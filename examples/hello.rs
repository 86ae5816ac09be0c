//! A service and a client in one process: the smallest program there is.
//!
//! `cargo run --example hello`

use rpc_core::{Context, Server, Target, rpc_api, transport};

/// Greets people.
#[rpc_api(version = "1.0")]
pub trait Greeter {
    /// Says good day to somebody.
    async fn greet(&self, ctx: &Context, name: &str) -> String;
}

struct Polite;

impl Greeter for Polite {
    async fn greet(&self, _: &Context, name: &str) -> String {
        format!("Good day, {name}.")
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let transport = transport::memory("hello");
    let server = Server::builder(transport.clone())
        .target(Target::new().server("front-desk"))
        .endpoint(GreeterDispatcher::new(Polite))
        .start()
        .await?;

    let client = GreeterClient::new(transport);
    println!("{}", client.greet(&Context::new(), "Ada").await?);

    server.stop().await;
    server.wait().await;
    Ok(())
}
