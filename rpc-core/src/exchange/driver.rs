//! The two halves as one transport.

use super::frame::{Credit, Window};
use super::in_flight::OpenStream;
use super::inbound::{HELD_BYTES, LEAST_HELD, UNREAD_BYTES};
use super::request::Opened;
use super::stream::{Batch, End, StreamQueue};
use super::{Inbound, Outbound, WINDOW_BYTES, WINDOW_REQUESTS};
use crate::server::Service;
use crate::transport::{
    BoxFuture, Driver, Gathering, ItemStream, Items, Message, OpenError, ParseUrlError, Response,
    Spoken, Survey, Transport, TransportCounters, TransportStats, TransportUrl,
};
use crate::{ErrorKind, Fanout, FanoutError, RpcError, StartError, Target};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

/// What a transport over links has to do itself: make connections, and carry frames.
pub trait Links: Send + Sync + 'static {
    /// Starts to connect to the nodes that the directory lists. Called once, when the first message is sent; it returns at
    /// once, and what becomes of it is told to [`Outbound`].
    fn dial(&self, outbound: &Arc<Outbound>);

    /// Starts to listen, if it does not yet, and says where.
    fn listen(
        self: Arc<Self>,
        inbound: Arc<Inbound>,
        listen: Option<String>,
    ) -> BoxFuture<Result<(), StartError>>;

    /// Where it listens.
    fn local_addr(&self) -> Option<String>;

    /// How many bytes a frame may have. What is larger is refused before it is sent.
    fn max_frame(&self) -> usize {
        usize::MAX
    }

    /// Waits until a directory knows which servers there are now. Where none is told, that is at once.
    fn registered(&self) -> BoxFuture<()> {
        Box::pin(async {})
    }

    /// Waits until the frames that were taken are on their way, as far as the transport can tell.
    fn written(&self) -> BoxFuture<()>;

    /// Ends every task. The links have been closed before.
    fn close(&self) -> BoxFuture<()>;
}

/// How often it is looked whether everything has been written. Only closing and stopping wait for that.
const FLUSH_POLL: Duration = Duration::from_millis(1);

/// A transport over links.
pub struct Exchange<L> {
    outbound: Arc<Outbound>,
    inbound: Arc<Inbound>,
    links: Arc<L>,
    dialled: OnceLock<()>,
    closed: AtomicBool,
    counters: Arc<TransportCounters>,
}

impl<L: Links> Exchange<L> {
    /// Makes a transport of links. The URL may set the window of its node: `window` (requests) and `window_bytes`; and how many
    /// bytes may wait for a client that does not read them: `unread_bytes`; and how many all clients may make it hold: `held_bytes`.
    ///
    /// # Errors
    ///
    /// When one of these is no number, or zero, or `held_bytes` too little for a few requests.
    pub fn open(url: &TransportUrl, links: L) -> Result<Transport, OpenError> {
        let at_least = |key, least, default| match url.number(key)? {
            Some(number) if number < least => {
                Err(ParseUrlError::new(format!("`{key}` is at least {least}")))
            }
            Some(number) => Ok(number),
            None => Ok(default),
        };
        let positive = |key, default| at_least(key, 1, default);
        let window = Window {
            requests: positive("window", WINDOW_REQUESTS)?,
            bytes: positive("window_bytes", WINDOW_BYTES)?,
        };
        let unread_bytes = positive("unread_bytes", UNREAD_BYTES)?;
        let held_bytes = at_least("held_bytes", LEAST_HELD, HELD_BYTES)?;
        let counters = Arc::new(TransportCounters::default());
        Ok(Transport::from_driver(Self {
            outbound: Arc::new(
                Outbound::new(Arc::clone(&counters)).with_max_frame(links.max_frame()),
            ),
            inbound: Arc::new(
                Inbound::new(window, Arc::clone(&counters))
                    .with_unread_bytes(unread_bytes as usize)
                    .with_held_bytes(held_bytes as usize)
                    .with_max_frame(links.max_frame()),
            ),
            links: Arc::new(links),
            dialled: OnceLock::new(),
            closed: AtomicBool::new(false),
            counters,
        }))
    }

    /// The client's half, which dials when it is first used.
    fn outbound(&self) -> Arc<Outbound> {
        if !self.is_closed() {
            self.dialled.get_or_init(|| self.links.dial(&self.outbound));
        }
        Arc::clone(&self.outbound)
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

impl<L> Drop for Exchange<L> {
    fn drop(&mut self) {
        self.outbound.close("the transport was dropped");
        self.inbound.close();
    }
}

impl<L: Links> Driver for Exchange<L> {
    fn call(&self, mut message: Message) -> BoxFuture<Result<Response, RpcError>> {
        let outbound = self.outbound();
        Box::pin(async move {
            match outbound.request(&mut message).await? {
                Opened::Answered(response) => Ok(response),
                _ => Err(RpcError::new(
                    ErrorKind::DecodeReply,
                    "the server accepted the call without a reply",
                )),
            }
        })
    }

    fn cast(&self, mut message: Message) -> BoxFuture<Result<(), RpcError>> {
        let outbound = self.outbound();
        Box::pin(async move {
            // an accepted cast is not in flight any more, so nothing is cancelled here
            outbound.request(&mut message).await.map(drop)
        })
    }

    fn fanout(&self, message: Message) -> BoxFuture<Result<Fanout, FanoutError>> {
        super::fanout(self.outbound(), message.parts, message.args)
    }

    fn gather(&self, message: Message) -> Gathering {
        super::gather(self.outbound(), message)
    }

    fn multicall(&self, mut message: Message) -> BoxFuture<Result<ItemStream, RpcError>> {
        let outbound = self.outbound();
        Box::pin(async move {
            match outbound.request(&mut message).await? {
                Opened::Stream(open, items) => Ok(ItemStream(Box::new(LinkItems { open, items }))),
                _ => Err(RpcError::new(
                    ErrorKind::DecodeReply,
                    "the server answered a multicall with a single reply",
                )),
            }
        })
    }

    fn survey(&self, target: Arc<Target>, deadline: Instant) -> BoxFuture<Survey> {
        let outbound = self.outbound();
        Box::pin(async move { outbound.survey(&target, deadline).await })
    }

    fn ready(
        &self,
        target: Arc<Target>,
        sought: Spoken,
        deadline: Instant,
    ) -> BoxFuture<Result<(), RpcError>> {
        let outbound = self.outbound();
        Box::pin(async move { outbound.ready(&target, &sought, deadline).await })
    }

    fn listen(
        &self,
        service: Arc<Service>,
        listen: Option<String>,
    ) -> BoxFuture<Result<(), StartError>> {
        let (links, inbound) = (Arc::clone(&self.links), Arc::clone(&self.inbound));
        let closed = self.is_closed();
        Box::pin(async move {
            if closed {
                return Err(StartError::Listen("the transport was closed".into()));
            }
            links.listen(Arc::clone(&inbound), listen).await?;
            if inbound.add(Arc::clone(&service)) {
                Ok(())
            } else {
                Err(StartError::Target(format!(
                    "this transport already has a server for {}",
                    service.target()
                )))
            }
        })
    }

    fn unlisten(&self, service: &Arc<Service>) {
        self.inbound.remove(service);
    }

    fn announce(&self) {
        self.inbound.announce();
    }

    fn local_addr(&self) -> Option<String> {
        self.links.local_addr()
    }

    fn stats(&self) -> TransportStats {
        self.counters.read()
    }

    fn flush(&self, limit: Duration) -> BoxFuture<()> {
        let (links, outbound, inbound) = (
            Arc::clone(&self.links),
            Arc::clone(&self.outbound),
            Arc::clone(&self.inbound),
        );
        Box::pin(async move {
            let flushed = async {
                let mut idle = inbound.is_idle();
                while !(outbound.is_flushed() && inbound.is_flushed()) {
                    idle = false;
                    tokio::time::sleep(FLUSH_POLL).await;
                }
                // without a client there is nothing on its way
                if !idle {
                    links.written().await;
                }
            };
            // what is not written by then is lost with its link
            let _ = tokio::time::timeout(limit, async {
                tokio::join!(flushed, links.registered());
            })
            .await;
        })
    }

    fn close(&self, limit: Duration) -> BoxFuture<()> {
        self.closed.store(true, Ordering::Release);
        let flushed = self.flush(limit);
        let (links, outbound, inbound) = (
            Arc::clone(&self.links),
            Arc::clone(&self.outbound),
            Arc::clone(&self.inbound),
        );
        Box::pin(async move {
            flushed.await;
            outbound.close("the transport was closed");
            inbound.close();
            links.close().await;
        })
    }
}

impl<L> std::fmt::Debug for Exchange<L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchange")
            .field("outbound", &self.outbound)
            .field("inbound", &self.inbound)
            .finish_non_exhaustive()
    }
}

/// A stream over a link. Dropping it cancels the request.
struct LinkItems {
    open: OpenStream,
    items: Arc<StreamQueue>,
}

impl Items for LinkItems {
    fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<Result<Batch, End>> {
        self.items.poll_next(cx)
    }

    fn consumed(&mut self, items: u64, bytes: u64) {
        self.open.allow(Credit { items, bytes });
    }

    fn arrived(&self) -> u64 {
        self.items.arrived()
    }
}

#[cfg(test)]
mod tests {
    use crate::Transports;

    #[tokio::test]
    async fn what_would_let_nobody_in_is_no_option() {
        for (options, expected) in [
            ("window=0", "`window` is at least 1"),
            ("window_bytes=0", "`window_bytes` is at least 1"),
            ("unread_bytes=0", "`unread_bytes` is at least 1"),
            ("held_bytes=1048575", "`held_bytes` is at least 1048576"),
        ] {
            let url = format!("memory://options?{options}");
            let error = Transports::new().open(&url).await.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let transports = Transports::new();
        let least = transports.open("memory://options?held_bytes=1048576");
        assert!(least.await.is_ok());
    }
}
