//! Links over ZeroMQ: which connections there are. What happens on one is the engine's affair.

use crate::address::{Address, Directory};
use crate::backoff::Backoff;
use crate::engine::{Closing, Connection, Ended, Engine, ToNode};
use crate::security::Security;
use rpc_core::StartError;
use rpc_core::exchange::{ClientLink, Inbound, Links, NodeId, Outbound};
use rpc_core::transport::BoxFuture;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How long a node may take to announce itself once it is connected to.
const ANNOUNCEMENT: Duration = Duration::from_secs(5);

/// How long the links may take to end once they are closed.
const CLOSING: Duration = Duration::from_secs(2);

/// The links of one transport.
pub(crate) struct ZmqLinks {
    directory: Directory,
    engine: Engine,
    security: Security,
    close: watch::Sender<bool>,
    closing: Closing,
    /// Every task of this transport. They end when it is dropped.
    tasks: Mutex<JoinSet<()>>,
    /// Held while a first server starts to listen, so that a second one waits.
    listening: tokio::sync::Mutex<Option<Listening>>,
    bound: Mutex<Option<String>>,
}

/// Where a transport listens: as it was asked to, and with the port that it got.
struct Listening {
    asked: String,
    bound: Address,
}

impl ZmqLinks {
    pub(crate) fn new(directory: Directory, engine: Engine, security: Security) -> Self {
        let (close, closing) = Closing::new();
        Self {
            directory,
            engine,
            security,
            close,
            closing,
            tasks: Mutex::default(),
            listening: tokio::sync::Mutex::default(),
            bound: Mutex::default(),
        }
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .spawn(task);
    }

    /// Follows the list of keys, and tells of each change in it.
    fn follow_keys(&self, changed: impl Fn() + Send + Sync + 'static) {
        let Some(keyring) = self.security.keyring.clone() else {
            return;
        };
        let mut closing = self.closing.clone();
        self.spawn(async move {
            let mut changes = keyring.changes();
            let tell = async {
                while changes.changed().await.is_ok() {
                    changed();
                }
            };
            tokio::select! {
                () = tell => {}
                () = keyring.follow() => {}
                () = closing.wait() => {}
            }
        });
    }
}

impl Links for ZmqLinks {
    fn dial(&self, outbound: &Arc<Outbound>) {
        let told = Arc::clone(outbound);
        self.follow_keys(move || told.rights_changed());
        for address in &self.directory.nodes {
            let node = outbound.add_node(&address.to_string());
            self.spawn(keep_linked(
                Arc::clone(outbound),
                node,
                address.clone(),
                self.engine.clone(),
                self.closing.clone(),
            ));
        }
    }

    fn listen(
        self: Arc<Self>,
        inbound: Arc<Inbound>,
        listen: Option<String>,
    ) -> BoxFuture<Result<(), StartError>> {
        Box::pin(async move {
            let mut listening = self.listening.lock().await;
            let wanted = self
                .directory
                .listen(listen.as_deref())
                .map_err(|error| StartError::Listen(error.to_string()));
            match (&*listening, wanted, listen) {
                // a server that does not say where is found where the transport listens
                (Some(_), _, None) => Ok(()),
                (Some(listening), _, Some(other)) if listening.asked == other => Ok(()),
                (Some(listening), _, Some(other)) => Err(StartError::Listen(format!(
                    "this transport listens on {} already, and cannot on {other} too: open another transport",
                    listening.bound
                ))),
                (None, wanted, _) => {
                    let wanted = wanted?;
                    let allowed = self.security.allows(&wanted).await;
                    allowed.map_err(StartError::Listen)?;
                    let (listener, bound) = self
                        .engine
                        .bind(&wanted)
                        .await
                        .map_err(StartError::Listen)?;
                    let name = self
                        .directory
                        .advertise
                        .as_ref()
                        .unwrap_or(&bound)
                        .to_string();
                    inbound.set_address(&name);
                    tracing::info!(name: "rpc.node.listening", address = %bound, advertised = name, "node is listening");
                    let told = Arc::clone(&inbound);
                    self.follow_keys(move || told.announce());
                    self.spawn(listener.serve(inbound, self.closing.clone()));
                    *self.bound.lock().unwrap_or_else(PoisonError::into_inner) =
                        Some(bound.to_string());
                    *listening = Some(Listening {
                        asked: wanted.to_string(),
                        bound,
                    });
                    Ok(())
                }
            }
        })
    }

    fn local_addr(&self) -> Option<String> {
        self.bound
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn max_frame(&self) -> usize {
        self.engine.max_frame()
    }

    fn written(&self) -> BoxFuture<()> {
        let engine = self.engine.clone();
        Box::pin(async move { engine.written().await })
    }

    fn close(&self) -> BoxFuture<()> {
        let mut tasks =
            std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let _ = self.close.send(true);
        Box::pin(async move {
            // links that are closed end by themselves, once the peer has what was written
            let ended = async { while tasks.join_next().await.is_some() {} };
            if tokio::time::timeout(CLOSING, ended).await.is_err() {
                tasks.shutdown().await;
            }
        })
    }
}

/// Dials a node again and again, and carries frames while there is a connection.
async fn keep_linked(
    outbound: Arc<Outbound>,
    node: NodeId,
    address: Address,
    engine: Engine,
    mut closing: Closing,
) {
    let mut backoff = Backoff::new();
    loop {
        let connected = tokio::select! {
            connected = engine.connect(&address) => connected,
            () = closing.wait() => return,
        };
        match connected {
            Ok(connection) => {
                let mut up = Up {
                    outbound: &outbound,
                    node,
                    link: outbound.link_up(node, connection.rights()),
                    reason: "the transport was closed".into(),
                };
                let ended = carry(&outbound, node, &up.link, connection).await;
                up.reason = ended.reason().to_owned();
                if up.link.was_announced() {
                    backoff.reset();
                }
                drop(up);
                ended.linger().await;
            }
            Err(reason) => outbound.dial_failed(node, &reason),
        }
        tokio::select! {
            () = tokio::time::sleep(backoff.next()) => {}
            () = closing.wait() => return,
        }
    }
}

/// A link that is up, however its task ends.
struct Up<'a> {
    outbound: &'a Outbound,
    node: NodeId,
    link: Arc<ClientLink>,
    reason: String,
}

impl Drop for Up<'_> {
    fn drop(&mut self) {
        self.outbound.link_down(self.node, &self.link, &self.reason);
    }
}

/// Carries frames until the connection is lost, or the link is given up.
async fn carry(
    outbound: &Arc<Outbound>,
    node: NodeId,
    link: &Arc<ClientLink>,
    connection: Connection,
) -> Ended {
    let end = ToNode {
        outbound: Arc::clone(outbound),
        node,
        link: Arc::clone(link),
    };
    let announced = async {
        tokio::time::sleep(ANNOUNCEMENT).await;
        if link.was_announced() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        ended = connection.carry(Arc::new(end)) => ended,
        () = announced => Ended::Dropped("the node did not say in time what it serves".into()),
    }
}
