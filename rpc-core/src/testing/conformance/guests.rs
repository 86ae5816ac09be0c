//! One service as it was, as it is, and in its next major.

use crate::testing::world::World;
use rpc_core::{CallError, ErrorKind, Target};
use std::time::Duration;

/// The API as it was, and as it is.
pub(crate) mod old {
    use rpc_core::{Context, rpc_api};

    #[rpc_api(version = "2.2", topic = "guests")]
    pub(crate) trait Guests {
        async fn start(&self, ctx: &Context, id: u32) -> String;
        #[rpc(cast)]
        async fn forget(&self, ctx: &Context);
    }

    pub(crate) struct Old;

    impl Guests for Old {
        async fn start(&self, _: &Context, id: u32) -> String {
            format!("old {id}")
        }
        async fn forget(&self, _: &Context) {}
    }

    pub(crate) fn endpoint() -> GuestsDispatcher<Old> {
        GuestsDispatcher::new(Old)
    }
}

pub(crate) mod new {
    use rpc_core::{Context, rpc_api};

    /// Starts guests.
    #[rpc_api(
        version = "2.5",
        topic = "guests",
        aliases(autumn = "2.2", spring = "2.4")
    )]
    pub(crate) trait Guests {
        /// Starts one.
        async fn start(
            &self,
            ctx: &Context,
            id: u32,
            #[rpc(since = "2.3")] clean: Option<bool>,
            #[rpc(since = "2.4", default = 10)] limit: u32,
            #[rpc(since = "2.5", lossy)] hint: Option<u8>,
        ) -> String;
        #[rpc(cast)]
        async fn forget(&self, ctx: &Context);
        #[rpc(since = "2.4")]
        async fn stop(&self, ctx: &Context);
    }

    pub(crate) struct New(pub(crate) tokio::sync::mpsc::UnboundedSender<()>);

    impl Guests for New {
        async fn start(
            &self,
            _: &Context,
            id: u32,
            clean: Option<bool>,
            limit: u32,
            hint: Option<u8>,
        ) -> String {
            format!("new {id} {clean:?} {limit} {hint:?}")
        }
        async fn forget(&self, _: &Context) {}
        async fn stop(&self, _: &Context) {
            let _ = self.0.send(());
        }
    }

    pub(crate) fn endpoint() -> GuestsDispatcher<New> {
        GuestsDispatcher::new(New(tokio::sync::mpsc::unbounded_channel().0))
    }
}

/// The next major, which speaks the end of the one before as well.
pub(crate) mod next {
    use rpc_core::{Context, rpc_api};

    #[rpc_api(version = "3.1", also = "2.5", topic = "guests")]
    pub(crate) trait Guests {
        async fn start(
            &self,
            ctx: &Context,
            #[rpc(was(name = "id", until = "3.0"))] guest: u32,
            #[rpc(since = "2.3")] clean: Option<bool>,
            #[rpc(since = "2.4", default = 10)] limit: u32,
            #[rpc(since = "2.5", lossy)] hint: Option<u8>,
            #[rpc(since = "3.1")] zone: Option<String>,
        ) -> String;
        #[rpc(cast)]
        async fn forget(&self, ctx: &Context);
        #[rpc(since = "2.4", until = "3.0")]
        async fn stop(&self, ctx: &Context);
    }

    pub(crate) struct Next;

    impl Guests for Next {
        async fn start(
            &self,
            _: &Context,
            guest: u32,
            clean: Option<bool>,
            limit: u32,
            _hint: Option<u8>,
            zone: Option<String>,
        ) -> String {
            format!("next {guest} {clean:?} {limit} {zone:?}")
        }
        async fn forget(&self, _: &Context) {}
        async fn stop(&self, _: &Context) {}
    }

    pub(crate) fn endpoint() -> GuestsDispatcher<Next> {
        GuestsDispatcher::new(Next)
    }
}

pub(crate) fn guests(server: &str) -> Target {
    Target::topic("guests").server(server)
}

impl World {
    pub(crate) async fn guests(
        &mut self,
        name: &str,
        endpoint: impl rpc_core::Endpoint,
    ) -> rpc_core::Server {
        let transport = self.node("").await;
        let server = rpc_core::Server::builder(transport.clone())
            .target(guests(name))
            .endpoint(endpoint)
            .start()
            .await
            .unwrap();
        self.list(&transport);
        server
    }

    pub(crate) async fn new_client(&self) -> new::GuestsClient {
        new::GuestsClient::new(self.client_transport().await)
            .prepare(|call| call.timeout(Duration::from_secs(5)))
    }

    pub(crate) async fn next_client(&self) -> next::GuestsClient {
        next::GuestsClient::new(self.client_transport().await)
            .prepare(|call| call.timeout(Duration::from_secs(5)))
    }
}

pub(crate) fn refusal<T, E: std::fmt::Debug>(
    result: Result<T, CallError<E>>,
) -> (ErrorKind, String) {
    match result {
        Err(CallError::Rpc(error)) => (error.kind(), error.message().to_owned()),
        Err(CallError::Method(error)) => panic!("{error:?}"),
        Ok(_) => panic!("it was sent"),
    }
}
