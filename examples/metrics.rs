//! How often each method was called, how that ended and how long it took: counted on both sides by one middleware each.
//!
//! A middleware is told of the method what `#[rpc_api]` knows of it, so it needs no list of them. The server's sees every end of
//! a handler, a panic and a caller that went away included.
//!
//! `cargo run --example metrics`

use rpc_core::middleware::{
    Answered, ClientMiddleware, Ended, Handler, Next, Outgoing, Received, ServerMiddleware,
    async_trait,
};
use rpc_core::{Context, RpcError, Server, Target, rpc_api, transport};
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// A mill.
#[rpc_api(version = "1.0")]
pub trait Mill {
    /// Grinds so many sacks.
    async fn grind(&self, ctx: &Context, sacks: u32) -> Result<u32, String>;

    /// Stops until there is wind.
    #[rpc(timeout = "50ms")]
    async fn rest(&self, ctx: &Context);
}

struct Windmill;

impl Mill for Windmill {
    async fn grind(&self, _: &Context, sacks: u32) -> Result<u32, String> {
        sleep(Duration::from_millis(5)).await;
        sacks.checked_mul(80).ok_or_else(|| "too many sacks".into())
    }

    async fn rest(&self, _: &Context) {
        std::future::pending().await
    }
}

/// Counts and times, by method and end.
type Table = BTreeMap<(String, String), (u32, Duration)>;

#[derive(Clone, Default)]
struct Metrics(Arc<Mutex<Table>>);

impl Metrics {
    fn note(&self, method: String, end: String, began: Instant) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, time) = notes.entry((method, end)).or_default();
        *count += 1;
        *time += began.elapsed();
    }

    fn count(&self, method: &str, end: &str) -> u32 {
        let notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes
            .get(&(method.to_owned(), end.to_owned()))
            .map_or(0, |(count, _)| *count)
    }

    fn show(&self, side: &str) {
        println!("{side}:");
        for ((method, end), (count, time)) in
            &*self.0.lock().unwrap_or_else(PoisonError::into_inner)
        {
            println!(
                "  {method:<12}  {end:<12}  {count:>3}  {:.1?} each",
                *time / *count
            );
        }
    }
}

#[async_trait]
impl ClientMiddleware for Metrics {
    async fn send(&self, message: Outgoing, next: Next<'_>) -> Result<Answered, RpcError> {
        let api = message.info().map_or("untyped", |(api, _)| api.name());
        let method = format!("{api}.{}", message.method());
        let began = Instant::now();
        let result = next.send(message).await;
        let end = match &result {
            Ok(answered) => format!("{:?}", answered.answer()),
            Err(error) => error.kind().name().to_owned(),
        };
        self.note(method, end, began);
        result
    }
}

#[async_trait]
impl ServerMiddleware for Metrics {
    async fn handle(&self, request: Received, handler: Handler<'_>) -> Result<Ended, RpcError> {
        let method = format!("{}.{}", request.api().name(), request.method().name());
        let began = Instant::now();
        let ended = handler.run(request).await?;
        self.note(method, format!("{:?}", ended.end()), began);
        Ok(ended)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client_side, server_side) = (Metrics::default(), Metrics::default());
    let transport = transport::memory("metrics");
    let server = Server::builder(transport.clone())
        .target(Target::new().server("mill"))
        .endpoint(MillDispatcher::new(Windmill))
        .middleware(server_side.clone())
        .start()
        .await?;
    let client = MillClient::new(transport.middleware(client_side.clone()));
    let ctx = Context::new();

    for sacks in [1, 2, 3, u32::MAX] {
        match client.grind(&ctx, sacks).await {
            Ok(kilograms) => println!("{sacks} sacks are {kilograms} kg of flour"),
            Err(error) => println!("{error}"),
        }
    }
    println!("{}", client.rest(&ctx).await.unwrap_err());
    server.stop().await;
    server.wait().await;

    client_side.show("At the client");
    server_side.show("At the server");
    assert_eq!(client_side.count("Mill.grind", "Value"), 3);
    assert_eq!(client_side.count("Mill.rest", "Timeout"), 1);
    assert_eq!(server_side.count("Mill.grind", "MethodError"), 1);
    assert_eq!(server_side.count("Mill.rest", "Cancelled"), 1);
    Ok(())
}
