//! What is logged: fixed names, and never what was said.

mod levels;

use rpc_core::{Context, Server, Target, rpc_api, transport};
use std::fmt;
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context as LayerContext, Layer, SubscriberExt};

const SECRET: &str = "hunter2";

/// Is told secrets.
#[rpc_api(version = "1.0")]
trait Vault {
    async fn open(&self, ctx: &Context, password: &str) -> Result<String, String>;
    async fn panic(&self, ctx: &Context);
    #[rpc(cast)]
    async fn keep(&self, ctx: &Context, number: u32);
}

struct Steel;

impl Vault for Steel {
    async fn open(&self, _: &Context, password: &str) -> Result<String, String> {
        Err(password.to_owned())
    }

    async fn panic(&self, _: &Context) {
        panic!("the vault is on fire");
    }

    async fn keep(&self, _: &Context, _number: u32) {}
}

mod wrong {
    use super::{Context, rpc_api};

    /// The vault, as somebody calls it who is wrong.
    #[rpc_api(version = "1.0", topic = "vault")]
    pub(super) trait Wrong {
        #[rpc(cast)]
        async fn keep(&self, ctx: &Context, number: &str);
    }
}

/// Notes every event: its name, and its fields as text.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<(&'static str, String)>>>);

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push_str(&format!("{}={value:?} ", field.name()));
    }
}

impl<S: tracing::Subscriber> Layer<S> for Notes {
    fn on_event(&self, event: &tracing::Event<'_>, _: LayerContext<'_, S>) {
        if !event.metadata().target().starts_with("rpc_") {
            return;
        }
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0
            .lock()
            .expect("not poisoned")
            .push((event.metadata().name(), text.0));
    }
}

#[tokio::test]
async fn events_have_fixed_names_and_hold_no_values() {
    let notes = Notes::default();
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(notes.clone()))
        .unwrap();
    let transport = transport::memory("events");
    let server = Server::builder(transport.clone())
        .target(Target::new().server("steel"))
        .endpoint(VaultDispatcher::new(Steel))
        .start()
        .await
        .unwrap();
    let client = VaultClient::new(transport.clone());
    let ctx = Context::new().with("token", SECRET);
    assert_eq!(
        client
            .open(&ctx, SECRET)
            .await
            .unwrap_err()
            .method()
            .unwrap(),
        SECRET
    );
    client.panic(&ctx).await.unwrap_err();
    client.keep(&ctx, 7).await.unwrap();
    wrong::WrongClient::new(transport)
        .keep(&ctx, SECRET)
        .await
        .unwrap();
    assert!(!format!("{ctx:?}").contains(SECRET));
    server.stop().await;
    server.wait().await;

    let notes = notes.0.lock().unwrap();
    for (name, text) in notes.iter() {
        assert!(name.starts_with("rpc."), "{name}: {text}");
        assert!(!text.contains(SECRET), "{name}: {text}");
    }
    for expected in [
        "rpc.server.started",
        "rpc.link.up",
        "rpc.frame.received",
        "rpc.request.answered",
        "rpc.request.finished",
        "rpc.request.undecodable",
        "rpc.handler.panicked",
        "rpc.handler.backtrace",
        "rpc.server.stopping",
    ] {
        assert!(
            notes.iter().any(|(name, _)| *name == expected),
            "no {expected}"
        );
    }
    // what belongs together has one id on both sides
    let ids = |name: &str| -> Vec<&str> {
        let events = notes.iter().filter(|(event, _)| *event == name);
        let ids = events.filter_map(|(_, text)| text.split_once("request_id=")?.1.get(..40));
        ids.collect()
    };
    let sent = ids("rpc.request.sent");
    assert_eq!(sent.len(), 4);
    assert!(sent.iter().all(|id| id.starts_with("req-")), "{sent:?}");
    for event in [
        "rpc.request.answered",
        "rpc.request.finished",
        "rpc.handler.panicked",
    ] {
        let ids = ids(event);
        assert!(!ids.is_empty(), "{event}");
        assert!(ids.iter().all(|id| sent.contains(id)), "{event}: {ids:?}");
    }
    let (_, backtrace) = notes
        .iter()
        .find(|(name, _)| *name == "rpc.handler.backtrace")
        .unwrap();
    assert!(
        backtrace.contains("events::"),
        "it leads to the handler: {backtrace}"
    );
    let (_, undecodable) = notes
        .iter()
        .find(|(name, _)| *name == "rpc.request.undecodable")
        .unwrap();
    assert!(undecodable.contains("number"), "{undecodable}");
}
