//! What is logged of directories.

use std::fmt::{self, Write};
use std::sync::{LazyLock, Mutex};
use tracing::Level;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// An event: its name, how loud it is, and its fields as text.
pub(crate) type Told = (&'static str, Level, String);

static TOLD: Mutex<Vec<Told>> = Mutex::new(Vec::new());

struct Notes;

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

impl<S: tracing::Subscriber> Layer<S> for Notes {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if metadata.name().starts_with("rpc.directory.") {
            let mut text = Text(String::new());
            event.record(&mut text);
            let told = (metadata.name(), *metadata.level(), text.0);
            TOLD.lock().unwrap().push(told);
        }
    }
}

/// From now on, what is logged is noted.
pub(crate) fn listen() {
    static LISTENING: LazyLock<()> = LazyLock::new(|| {
        let subscriber = tracing_subscriber::registry().with(Notes);
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
    LazyLock::force(&LISTENING);
}

/// What was logged with these words in its fields.
pub(crate) fn told(words: &[&str]) -> Vec<Told> {
    let told = TOLD.lock().unwrap();
    let has_all = |(_, _, text): &&Told| words.iter().all(|word| text.contains(word));
    told.iter().filter(has_all).cloned().collect()
}

/// Names, and how loud.
pub(crate) fn names_of(told: &[Told]) -> Vec<(&'static str, Level)> {
    told.iter()
        .map(|(name, level, _)| (*name, *level))
        .collect()
}
