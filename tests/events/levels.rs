//! How loudly something is logged.

use crate::{Steel, VaultClient};
use rpc_core::Context;
use std::sync::{Arc, Mutex};
use tracing::Level;
use tracing_subscriber::layer::{Context as LayerContext, Layer, SubscriberExt};

/// The loudest event.
#[derive(Clone, Default)]
struct Loudest(Arc<Mutex<Option<Level>>>);

impl<S: tracing::Subscriber> Layer<S> for Loudest {
    fn on_event(&self, event: &tracing::Event<'_>, _: LayerContext<'_, S>) {
        if event.metadata().target().starts_with("rpc_") {
            let level = *event.metadata().level();
            let mut loudest = self.0.lock().expect("not poisoned");
            // a louder level is a lower one
            *loudest = Some(loudest.map_or(level, |before| before.min(level)));
        }
    }
}

impl Loudest {
    fn take(&self) -> Option<Level> {
        self.0.lock().expect("not poisoned").take()
    }
}

// on one thread, so that all of it goes to the subscriber of this thread
#[tokio::test]
async fn an_error_that_a_method_returns_is_no_error_of_the_server() {
    let loudest = Loudest::default();
    let _subscriber =
        tracing::subscriber::set_default(tracing_subscriber::registry().with(loudest.clone()));
    let (client, ctx) = (VaultClient::local(Steel), Context::new());
    // the link is made, and that is told
    client.open(&ctx, "first").await.unwrap_err();
    loudest.take();

    let error = client.open(&ctx, "wrong").await.unwrap_err();
    assert_eq!(error.method().unwrap(), "wrong");
    assert_eq!(loudest.take(), Some(Level::DEBUG));
    client.panic(&ctx).await.unwrap_err();
    assert_eq!(loudest.take(), Some(Level::ERROR));
}
