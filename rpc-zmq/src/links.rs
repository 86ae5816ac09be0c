//! Links over ZeroMQ: which connections there are. What happens on one is the engine's affair.

use crate::address::Address;
use crate::backoff::Backoff;
use crate::directory::{Dialled, Dialler, Directory, Registrar};
use crate::engine::{Close, Closing, Connection, Ended, Engine, NoLink, ToNode};
use crate::security::Security;
use crate::tasks::Tasks;
use rpc_core::StartError;
use rpc_core::exchange::{ClientLink, Inbound, Links, NodeId, Outbound};
use rpc_core::transport::BoxFuture;
use std::pin::pin;
use std::sync::{Arc, Mutex, Once, OnceLock, PoisonError};
use std::time::Duration;
use tokio::time::sleep;

/// How long a node may take to announce itself once it is connected to.
const ANNOUNCEMENT: Duration = Duration::from_secs(5);

/// How long the links may take to end once they are closed.
const CLOSING: Duration = Duration::from_secs(2);

/// The links of one transport.
pub(crate) struct ZmqLinks {
    directory: Directory,
    engine: Engine,
    security: Security,
    close: Close,
    closing: Closing,
    /// Those of the links, and the one that listens.
    tasks: Arc<Tasks>,
    /// Those that ask the directory, and tell it about this node.
    asking: Tasks,
    /// Who tells the directory about this node, once it listens.
    registrar: OnceLock<Arc<Registrar>>,
    /// The list of keys is followed.
    following: Once,
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
            tasks: Arc::default(),
            asking: Tasks::default(),
            registrar: OnceLock::new(),
            following: Once::new(),
            listening: tokio::sync::Mutex::default(),
            bound: Mutex::default(),
        }
    }

    /// Tells the directory about this node, if it wants to know.
    fn register(&self, inbound: &Arc<Inbound>) {
        if let Some(registrar) = self.directory.registrar(inbound) {
            let registrar = self.registrar.get_or_init(|| registrar);
            self.asking.spawn(Arc::clone(registrar).run());
        }
    }

    /// Follows the list of keys, and tells of each change in it.
    fn follow_keys(&self, changed: impl Fn() + Send + Sync + 'static) {
        let Some(keyring) = self.security.keyring.clone() else {
            return;
        };
        let mut changes = keyring.changes();
        self.asking.spawn(async move {
            while changes.changed().await.is_ok() {
                changed();
            }
        });
        // for both halves of the transport
        self.following
            .call_once(|| self.asking.spawn(async move { keyring.follow().await }));
    }
}

impl Links for ZmqLinks {
    fn dial(&self, outbound: &Arc<Outbound>) {
        let told = Arc::clone(outbound);
        self.follow_keys(move || told.rights_changed());
        let idle = self.directory.idle;
        let dialler = Dialler::new(outbound, &self.engine, &self.closing, idle, &self.tasks);
        if let Some(task) = self.directory.follow(&dialler) {
            self.asking.spawn(task);
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
                    self.directory.check_advertised(&wanted)?;
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
                    self.register(&inbound);
                    self.tasks
                        .spawn(listener.serve(inbound, self.closing.clone()));
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

    fn registered(&self) -> BoxFuture<()> {
        let registrar = self.registrar.get().map(Arc::clone);
        Box::pin(async move {
            if let Some(registrar) = registrar {
                registrar.caught_up().await;
            }
        })
    }

    fn written(&self) -> BoxFuture<()> {
        let engine = self.engine.clone();
        Box::pin(async move { engine.written().await })
    }

    fn close(&self) -> BoxFuture<()> {
        self.close.close();
        let asked = self.asking.shutdown();
        // links that are closed end by themselves, once the peer has what was written
        let ended = self.tasks.end(CLOSING);
        let registrar = self.registrar.get().map(Arc::clone);
        Box::pin(async move {
            asked.await;
            let left = async {
                if let Some(registrar) = registrar {
                    registrar.leave().await;
                }
            };
            tokio::join!(left, ended);
        })
    }
}

/// Dials a node again and again while the directory lists it, and carries frames while there is a connection.
pub(crate) async fn keep_linked(dialler: Arc<Dialler>, dialled: Arc<Dialled>) {
    let (outbound, node) = (&dialler.outbound, dialled.node);
    let closing = dialler.closing();
    let mut backoff = Backoff::new();
    loop {
        let mut rests = false;
        let connected = tokio::select! {
            // boxed: what a handshake takes is not kept while the link is up
            connected = Box::pin(dialler.connect(&dialled.address)) => connected,
            () = closing.wait() => return,
        };
        match connected {
            Ok(connection) => {
                let mut up = Up {
                    outbound,
                    node,
                    link: outbound.link_up(node, connection.rights()),
                    reason: "the transport was closed".into(),
                    rests: false,
                };
                dialled.connected();
                let ended = carry(&mut up, connection, dialler.look()).await;
                up.reason = ended.reason().to_owned();
                if up.link.was_announced() {
                    backoff.reset();
                }
                rests = up.rests;
                if !rests {
                    dialler.lost(&dialled, up.link.was_announced());
                }
                drop(up);
                ended.linger().await;
            }
            Err(no_link) => {
                dialler.lost(&dialled, false);
                match no_link {
                    NoLink::Unreached(reason) => outbound.dial_failed(node, &reason),
                    NoLink::Refused(reason) => outbound.refused(node, &reason),
                }
            }
        }
        let again = tokio::select! {
            again = dialler.pause(&dialled, &mut backoff, rests) => again,
            () = closing.wait() => return,
        };
        if !again {
            return;
        }
    }
}

/// A link that is up, however its task ends.
struct Up<'a> {
    outbound: &'a Arc<Outbound>,
    node: NodeId,
    link: Arc<ClientLink>,
    reason: String,
    /// It was closed since it was of no use.
    rests: bool,
}

impl Drop for Up<'_> {
    fn drop(&mut self) {
        if !self.rests {
            self.outbound.link_down(self.node, &self.link, &self.reason);
        }
    }
}

/// Carries frames until the connection is lost, or the link is given up. Now and then it is looked whether it is of use.
async fn carry(up: &mut Up<'_>, connection: Connection, look: Option<Duration>) -> Ended {
    let end = ToNode {
        outbound: Arc::clone(up.outbound),
        node: up.node,
        link: Arc::clone(&up.link),
    };
    let mut carried = pin!(connection.carry(Arc::new(end)));
    let mut announcement = pin!(sleep(ANNOUNCEMENT));
    loop {
        tokio::select! {
            ended = &mut carried => return ended,
            () = &mut announcement, if !announcement.is_elapsed() => if !up.link.was_announced() {
                return Ended::Dropped("the node did not say in time what it serves".into());
            },
            // it ends by itself once its link is closed
            () = sleep(look.unwrap_or_default()), if look.is_some() => {
                up.rests |= up.outbound.rest(up.node, &up.link);
            }
        }
    }
}
