//! Every way in which a call fails: the method's own error, and the kinds of `RpcError`, each provoked for real.
//!
//! What a caller wants to know of an error is whether the method may have run, and whether it is worth another try.
//!
//! `cargo run --example errors`

use rpc_core::{CallError, Context, ErrorKind, RpcError, Server, Target, rpc_api, transport};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::fmt::Debug;
use std::time::Duration;
use tokio::time::sleep;

/// A kitchen, as its server has it.
#[rpc_api(version = "1.1")]
pub trait Kitchen {
    /// Cooks so many of a dish, and returns the order's number.
    async fn cook(&self, ctx: &Context, dish: &str, count: u32) -> Result<u64, KitchenError>;

    /// Lets something simmer for so long.
    async fn simmer(&self, ctx: &Context, time: Duration);

    /// Sets something on fire.
    async fn flambe(&self, ctx: &Context);

    /// What there is.
    #[rpc(since = "1.1")]
    async fn menu(&self, ctx: &Context) -> Vec<String>;
}

/// Why the kitchen does not cook.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KitchenError {
    /// There is no more of this.
    SoldOut(String),
}

mod other {
    //! The same kitchen, as a client sees it that does not fit: a newer one in some methods, a wrong one in others.

    use rpc_core::{Context, Never, rpc_api};

    /// A kitchen that is not the one that is there.
    #[rpc_api(version = "1.2", topic = "kitchen")]
    pub trait Other {
        /// Takes the count as a text, where the server takes a number.
        async fn cook(&self, ctx: &Context, dish: &str, count: &str) -> Result<u64, Never>;

        /// Expects nothing, where the server answers something.
        #[rpc(since = "1.1")]
        async fn menu(&self, ctx: &Context) -> u64;

        /// No server ever had this.
        async fn launder(&self, ctx: &Context);

        /// The server is too old for this.
        #[rpc(since = "1.2")]
        async fn grill(&self, ctx: &Context);
    }
}

struct Cook;

const BURNT: &str = "the sauce has caught fire";

impl Kitchen for Cook {
    async fn cook(&self, _: &Context, dish: &str, _: u32) -> Result<u64, KitchenError> {
        Err(KitchenError::SoldOut(dish.to_owned()))
    }

    async fn simmer(&self, _: &Context, time: Duration) {
        sleep(time).await;
    }

    async fn flambe(&self, _: &Context) {
        panic!("{BURNT}");
    }

    async fn menu(&self, _: &Context) -> Vec<String> {
        vec!["soup".into()]
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    silence_expected_panic();
    let transport = transport::memory("errors");
    let server = |name: &str| {
        Server::builder(transport.clone())
            .target(Target::new().server(name))
            .endpoint(KitchenDispatcher::new(Cook))
    };
    let large = server("large").start().await?;
    let small = server("small").concurrency(1).queue(0).start().await?;

    let client = KitchenClient::new(transport.clone()).prepare(|call| call.server("large"));
    let in_small = client.prepare(|call| call.server("small"));
    let other = other::OtherClient::new(transport.clone());
    let other = other.prepare(|call| call.server("large"));
    let ctx = Context::new();
    let (soon, long) = (Duration::from_millis(100), Duration::from_secs(60));

    println!("The method's own error:");
    let answer = client.cook(&ctx, "soup", 2).await;
    let Err(CallError::Method(error)) = answer else {
        return Err(format!("there should be no soup: {answer:?}").into());
    };
    println!("  {error:?}");
    assert_eq!(error, KitchenError::SoldOut("soup".into()));

    println!("\nEverything else:");
    println!("  kind                may have run  retryable  message");

    // surely not run

    let capped = client.prepare(|call| call.version_cap("1.0"));
    show(ErrorKind::VersionCap, capped.menu(&ctx).await)?;

    let nobody = client.prepare(|call| call.server("huge").timeout(soon));
    show(ErrorKind::Undeliverable, nobody.menu(&ctx).await)?;

    let anybody = other.prepare(|call| call.target(Target::topic("kitchen")));
    show(ErrorKind::UnsupportedVersion, anybody.grill(&ctx).await)?;

    show(ErrorKind::NoSuchMethod, other.launder(&ctx).await)?;
    show(
        ErrorKind::DecodeArguments,
        other.cook(&ctx, "soup", "two").await,
    )?;

    let (first, second) = tokio::join!(in_small.simmer(&ctx, soon), in_small.simmer(&ctx, soon));
    show(ErrorKind::Overloaded, first.and(second))?;

    small.stop().await;
    show(ErrorKind::Unavailable, in_small.menu(&ctx).await)?;

    // may have run, or did

    let hasty = client.prepare(|call| call.timeout(soon));
    show(ErrorKind::Timeout, hasty.simmer(&ctx, long).await)?;

    show(ErrorKind::Remote, client.flambe(&ctx).await)?;
    show(ErrorKind::DecodeReply, other.menu(&ctx).await)?;

    let (lost, _) = tokio::join!(client.simmer(&ctx, long), large.wait_at_most(soon));
    show(ErrorKind::PeerLost, lost)?;
    Ok(())
}

/// Checks that a call failed as it should, and shows how.
fn show<T: Debug, E: Debug>(
    expected: ErrorKind,
    result: Result<T, CallError<E>>,
) -> Result<(), Box<dyn Error>> {
    let error: RpcError = match result {
        Err(CallError::Rpc(error)) => error,
        other => return Err(format!("{expected:?} was expected, not {other:?}").into()),
    };
    let yes = |is: bool| if is { "yes" } else { "no" };
    println!(
        "  {:<18}  {:<12}  {:<9}  {}",
        error.kind().name(),
        yes(error.may_have_run()),
        yes(error.is_retryable()),
        error.message(),
    );
    assert_eq!(error.kind(), expected);
    Ok(())
}

/// The panic of `flambe` is part of the show: only others are written to standard error.
fn silence_expected_panic() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if info.payload_as_str() != Some(BURNT) {
            default(info);
        }
    }));
}
