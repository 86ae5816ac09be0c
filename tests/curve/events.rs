//! What is logged.

use std::fmt::{self, Write};
use std::sync::LazyLock;
use std::time::Duration;
use tokio::sync::watch;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// Every event from now on: its name, and how loud it is and its fields as text.
pub(crate) struct Events(watch::Receiver<Vec<(&'static str, String)>>, usize);

struct Notes(watch::Sender<Vec<(&'static str, String)>>);

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

impl<S: tracing::Subscriber> Layer<S> for Notes {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let name = event.metadata().name();
        let is_kept = ["rpc.link.refused", "rpc.client.dropped"].contains(&name);
        if is_kept || name.starts_with("rpc.keys.") {
            let mut text = Text(format!("{} ", event.metadata().level()));
            event.record(&mut text);
            self.0.send_modify(|notes| notes.push((name, text.0)));
        }
    }
}

pub(crate) fn events() -> Events {
    static NOTES: LazyLock<watch::Receiver<Vec<(&'static str, String)>>> = LazyLock::new(|| {
        let (notes, events) = watch::channel(Vec::new());
        let subscriber = tracing_subscriber::registry().with(Notes(notes));
        tracing::subscriber::set_global_default(subscriber).unwrap();
        events
    });
    let events = NOTES.clone();
    let seen = events.borrow().len();
    Events(events, seen)
}

impl Events {
    /// How often there was an event with both texts.
    pub(crate) fn count(&self, name: &str, about: &str, text: &str) -> usize {
        let Self(events, _) = self;
        let events = events.borrow();
        let meant = events.iter().filter(|(event, fields)| {
            *event == name && fields.contains(about) && fields.contains(text)
        });
        meant.count()
    }

    /// Waits for an event whose fields hold both texts. What came before it is not looked at again.
    pub(crate) async fn wait_for(&mut self, name: &str, about: &str, text: &str) {
        let Self(events, seen) = self;
        let is_meant = |(event, fields): &(&str, String)| {
            *event == name && fields.contains(about) && fields.contains(text)
        };
        let limit = Duration::from_secs(20);
        let mut at = 0;
        let found = events.wait_for(|events| {
            let found = events[*seen..].iter().position(is_meant);
            at = found.unwrap_or_default();
            found.is_some()
        });
        let found = tokio::time::timeout(limit, found).await;
        drop(
            found
                .unwrap_or_else(|_| panic!("no {name} with {text}"))
                .unwrap(),
        );
        *seen += at + 1;
    }
}
