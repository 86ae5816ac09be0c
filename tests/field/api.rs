//! What a node serves, and the log of what it ran: eight bytes for each request that began, whatever became of it.

use futures_util::{StreamExt, stream};
use rpc_core::{Context, Stream, rpc_api};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Failed(pub(crate) u64);

#[rpc_api(version = "1.0", topic = "field")]
pub(crate) trait Field {
    /// Answers with the id after so many milliseconds; an id that is divisible by 16 fails.
    async fn ask(&self, ctx: &Context, id: u64, ms: u32) -> Result<u64, Failed>;

    #[rpc(cast)]
    async fn tell(&self, ctx: &Context, id: u64, ms: u32);

    #[rpc(cast, fanout)]
    async fn tell_all(&self, ctx: &Context, id: u64);

    /// So many items.
    #[rpc(multicall)]
    fn list(&self, ctx: &Context, id: u64, items: u32) -> impl Stream<Item = u32> + Send;

    /// One item, and then nothing, until it is cancelled.
    #[rpc(multicall)]
    fn watch(&self, ctx: &Context, id: u64) -> impl Stream<Item = u32> + Send;
}

/// Stands in the log with the id of what was watched, when that has ended.
pub(crate) const ENDED: u64 = 1 << 63;

pub(crate) struct Worker(Arc<File>);

impl Worker {
    pub(crate) fn open(log: &Path) -> Self {
        let log = File::options().append(true).open(log);
        Self(Arc::new(log.expect("whoever started this made it")))
    }

    async fn run(&self, id: u64, ms: u32) {
        write(&self.0, id);
        if ms > 0 {
            tokio::time::sleep(Duration::from_millis(ms.into())).await;
        }
    }
}

/// One write, so that a killed process leaves no half of it.
fn write(mut log: &File, id: u64) {
    let written = log.write(&id.to_le_bytes());
    assert_eq!(written.expect("the log can be written"), 8);
}

pub(crate) fn read(log: &Path) -> Vec<u64> {
    let bytes = std::fs::read(log).expect("it was made before the node started");
    let (ids, rest) = bytes.as_chunks::<8>();
    assert!(rest.is_empty(), "{} ends within an id", log.display());
    ids.iter().map(|id| u64::from_le_bytes(*id)).collect()
}

/// Writes down that what held it has ended.
struct Ends(Arc<File>, u64);

impl Drop for Ends {
    fn drop(&mut self) {
        write(&self.0, self.1 | ENDED);
    }
}

impl Field for Worker {
    async fn ask(&self, _: &Context, id: u64, ms: u32) -> Result<u64, Failed> {
        self.run(id, ms).await;
        match id.is_multiple_of(16) {
            true => Err(Failed(id)),
            false => Ok(id),
        }
    }

    async fn tell(&self, _: &Context, id: u64, ms: u32) {
        self.run(id, ms).await;
    }

    async fn tell_all(&self, _: &Context, id: u64) {
        self.run(id, 0).await;
    }

    fn list(&self, _: &Context, id: u64, items: u32) -> impl Stream<Item = u32> + Send {
        write(&self.0, id);
        stream::iter(0..items)
    }

    fn watch(&self, _: &Context, id: u64) -> impl Stream<Item = u32> + Send {
        write(&self.0, id);
        let ends = Ends(Arc::clone(&self.0), id);
        stream::iter([0]).chain(stream::pending()).map(move |item| {
            let _held_by_the_stream = &ends;
            item
        })
    }
}
