//! The service on the Rust side.

use super::api::{FindError, Guest, Interop, Sample};
use futures_util::{StreamExt, stream};
use rpc_core::{Context, Stream};
use std::collections::{BTreeMap, HashMap};
use std::future::pending;
use std::sync::Arc;
use tokio::sync::watch;

/// What has happened, and how often.
#[derive(Debug, Clone, Default)]
struct Record(Arc<watch::Sender<HashMap<String, u32>>>);

impl Record {
    fn add(&self, what: String) {
        self.0
            .send_modify(|times| *times.entry(what).or_default() += 1);
    }

    fn times(&self, what: &str) -> u32 {
        self.0.borrow().get(what).copied().unwrap_or_default()
    }
}

/// Records that what holds it was dropped.
struct Recorded(Record, String);

impl Drop for Recorded {
    fn drop(&mut self) {
        self.0.add(std::mem::take(&mut self.1));
    }
}

#[derive(Debug, Default)]
pub(crate) struct Service(Record);

impl Interop for Service {
    async fn add(&self, _: &Context, a: i64, b: i64) -> i64 {
        a + b
    }

    async fn swap(&self, _: &Context, sample: &Sample) -> Result<Sample, Vec<String>> {
        match *sample == Sample::new() {
            true => Ok(Sample::new()),
            false => Err(vec![format!("{sample:?}")]),
        }
    }

    async fn find(&self, _: &Context, id: u64) -> Result<Guest, FindError> {
        match id {
            0 => Err(FindError::Locked),
            1..=9 => Ok(Guest {
                id,
                name: format!("guest {id}"),
            }),
            _ => Err(FindError::NotFound { id }),
        }
    }

    async fn metadata(&self, ctx: &Context) -> BTreeMap<String, String> {
        let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        ctx.all_metadata().iter().map(owned).collect()
    }

    async fn remaining(&self, ctx: &Context) -> Option<u64> {
        let micros = ctx.remaining()?.as_micros();
        Some(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    async fn wait(&self, _: &Context, name: &str) {
        self.0.add(format!("began {name}"));
        let _recorded = Recorded(self.0.clone(), format!("cancelled {name}"));
        pending::<()>().await;
    }

    async fn happened(&self, _: &Context, what: &str, times: u32) {
        let mut record = self.0.0.subscribe();
        let reached = |record: &HashMap<_, _>| record.get(what).is_some_and(|is| *is >= times);
        record.wait_for(reached).await.expect("it is kept");
    }

    async fn times(&self, _: &Context, what: &str) -> u32 {
        self.0.times(what)
    }

    async fn crash(&self, _: &Context) {
        panic!("on purpose");
    }

    async fn note(&self, _: &Context, text: &str, color: Option<u8>) {
        let color = color.map_or_else(|| "None".into(), |color| color.to_string());
        self.0.add(format!("note {text} {color}"));
    }

    async fn everyone(&self, _: &Context, text: &str) {
        self.0.add(format!("everyone {text}"));
    }

    fn count(&self, _: &Context, to: u64, _together: u64) -> impl Stream<Item = u64> + Send {
        let (record, closed) = (self.0.clone(), Recorded(self.0.clone(), "closed".into()));
        stream::iter(0..to).inspect(move |_| {
            let _held_by_the_stream = &closed;
            record.add("item".into());
        })
    }

    fn blobs(&self, _: &Context, size: u64, items: u64) -> impl Stream<Item = Vec<u8>> + Send {
        let size = usize::try_from(size).expect("a size for tests");
        stream::iter(0..items).map(move |_| vec![0; size])
    }

    fn breaks(&self, _: &Context, items: u64) -> impl Stream<Item = Result<u64, FindError>> + Send {
        stream::iter((0..items).map(Ok).chain([Err(FindError::Locked)]))
    }

    async fn newest(&self, _: &Context) -> String {
        "1.2".into()
    }
}
