//! Testing a service in process, through the client that its users have.
//!
//! `InventoryClient::local(service)` is a client with a server of its own in the same process: no addresses, no ports. Arguments
//! and replies are encoded and decoded as between hosts, so a type that does not survive the way does not pass the test.
//!
//! - `cargo run --example test_a_service` runs the checks as a program
//! - `cargo test --example test_a_service` runs them as tests

use futures_util::{Stream, TryStreamExt, stream};
use rpc_core::{CallError, Context, ErrorKind, rpc_api, version};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What is on the shelves.
#[rpc_api(version = "1.1")]
pub trait Inventory {
    /// Puts so many of an item on its shelf.
    async fn put(&self, ctx: &Context, item: &str, count: u32) -> Result<(), InventoryError>;

    /// Takes so many of an item, and returns how many are left.
    async fn take(&self, ctx: &Context, item: &str, count: u32) -> Result<u32, InventoryError>;

    /// Everything there is, in the order of the alphabet.
    #[rpc(multicall, since = "1.1")]
    fn list(&self, ctx: &Context) -> impl Stream<Item = (String, u32)> + Send;
}

/// Why nothing was put or taken.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InventoryError {
    /// So few are there.
    TooFew {
        /// How many.
        there: u32,
    },
    /// No shelf holds as many.
    TooMany,
    /// Only those who say who they are may take something.
    WhoAreYou,
}

/// The service that is tested.
#[derive(Default)]
pub struct Shelves {
    items: Mutex<BTreeMap<String, u32>>,
}

impl Shelves {
    fn items(&self) -> MutexGuard<'_, BTreeMap<String, u32>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inventory for Shelves {
    async fn put(&self, _: &Context, item: &str, count: u32) -> Result<(), InventoryError> {
        let mut items = self.items();
        let there = items.entry(item.to_owned()).or_default();
        *there = there.checked_add(count).ok_or(InventoryError::TooMany)?;
        Ok(())
    }

    async fn take(&self, ctx: &Context, item: &str, count: u32) -> Result<u32, InventoryError> {
        ctx.metadata("user").ok_or(InventoryError::WhoAreYou)?;
        let mut items = self.items();
        let there = items.get(item).copied().unwrap_or(0);
        let left = there
            .checked_sub(count)
            .ok_or(InventoryError::TooFew { there })?;
        items.insert(item.to_owned(), left);
        Ok(left)
    }

    fn list(&self, _: &Context) -> impl Stream<Item = (String, u32)> + Send {
        stream::iter(self.items().clone())
    }
}

/// What a check comes to. It fails by panicking, as tests do.
type Checked = Result<(), Box<dyn Error>>;

/// A client of new, empty shelves, and a context that says who calls.
fn shelves() -> (InventoryClient, Context) {
    let client = InventoryClient::local(Shelves::default())
        // nothing here takes long, so a test that hangs is told from one that is slow
        .prepare(|call| call.timeout(Duration::from_secs(5)));
    (client, Context::new().with("user", "ada"))
}

/// What was put can be taken.
async fn takes_what_was_put() -> Checked {
    let (client, ctx) = shelves();
    client.put(&ctx, "bolt", 10).await?;
    assert_eq!(client.take(&ctx, "bolt", 3).await?, 7);
    assert_eq!(client.take(&ctx, "bolt", 7).await?, 0);
    Ok(())
}

/// The method's own errors arrive as themselves.
async fn refuses_with_typed_errors() -> Checked {
    let (client, ctx) = shelves();
    client.put(&ctx, "bolt", 2).await?;
    let too_few = client.take(&ctx, "bolt", 3).await;
    assert!(
        matches!(
            too_few,
            Err(CallError::Method(InventoryError::TooFew { there: 2 }))
        ),
        "{too_few:?}"
    );
    let too_many = client.put(&ctx, "bolt", u32::MAX).await;
    assert!(
        matches!(too_many, Err(CallError::Method(InventoryError::TooMany))),
        "{too_many:?}"
    );
    Ok(())
}

/// The context arrives, too.
async fn asks_who_calls() -> Checked {
    let (client, _) = shelves();
    let anonymous = client.take(&Context::new(), "bolt", 1).await;
    assert!(
        matches!(anonymous, Err(CallError::Method(InventoryError::WhoAreYou))),
        "{anonymous:?}"
    );
    Ok(())
}

/// Streams, with their numbers.
async fn lists_in_order() -> Checked {
    let (client, ctx) = shelves();
    for (item, count) in [("nut", 5), ("bolt", 2)] {
        client.put(&ctx, item, count).await?;
    }
    let listed: Vec<(u64, (String, u32))> = client.list(&ctx).try_collect().await?;
    assert_eq!(listed, [(0, ("bolt".into(), 2)), (1, ("nut".into(), 5))]);
    Ok(())
}

/// What a client may send is the same as between hosts.
async fn keeps_to_its_cap() -> Checked {
    let (client, ctx) = shelves();
    let capped = client.prepare(|call| call.version_cap(version!("1.0")));
    capped.put(&ctx, "bolt", 1).await?;
    let listed = capped.list(&ctx).try_next().await;
    let refused =
        matches!(&listed, Err(CallError::Rpc(error)) if error.kind() == ErrorKind::VersionCap);
    assert!(refused, "{listed:?}");
    Ok(())
}

#[tokio::main]
async fn main() -> Checked {
    takes_what_was_put().await?;
    println!("takes what was put         ok");
    refuses_with_typed_errors().await?;
    println!("refuses with typed errors  ok");
    asks_who_calls().await?;
    println!("asks who calls             ok");
    lists_in_order().await?;
    println!("lists in order             ok");
    keeps_to_its_cap().await?;
    println!("keeps to its cap           ok");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Checked;

    #[tokio::test]
    async fn takes_what_was_put() -> Checked {
        super::takes_what_was_put().await
    }

    #[tokio::test]
    async fn refuses_with_typed_errors() -> Checked {
        super::refuses_with_typed_errors().await
    }

    #[tokio::test]
    async fn asks_who_calls() -> Checked {
        super::asks_who_calls().await
    }

    #[tokio::test]
    async fn lists_in_order() -> Checked {
        super::lists_in_order().await
    }

    #[tokio::test]
    async fn keeps_to_its_cap() -> Checked {
        super::keeps_to_its_cap().await
    }
}
