//! The two halves as one transport.

use super::frame::{Credit, Window};
use super::link::InFlight;
use super::request::Opened;
use super::stream::{Batch, End, StreamQueue};
use super::{Inbound, Outbound, WINDOW_BYTES, WINDOW_REQUESTS};
use crate::server::Service;
use crate::transport::{
    BoxFuture, Driver, ItemStream, Items, Message, OpenError, ParseUrlError, Response, Transport,
    TransportCounters, TransportStats, TransportUrl,
};
use crate::{ErrorKind, Fanout, FanoutError, RpcError, StartError};
use std::sync::{Arc, Once};
use std::task::{Context, Poll};
use std::time::Duration;

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

    /// Ends every task, when everything has been written, or else after `limit`. Links are closed afterwards.
    fn close(&self, limit: Duration) -> BoxFuture<()>;
}

/// A transport over links.
pub struct Exchange<L> {
    outbound: Arc<Outbound>,
    inbound: Arc<Inbound>,
    links: Arc<L>,
    dialled: Once,
    counters: Arc<TransportCounters>,
}

impl<L: Links> Exchange<L> {
    /// Makes a transport of links. The URL may set the window of its node: `window` (requests) and `window_bytes`.
    ///
    /// # Errors
    ///
    /// When one of these is no number, or zero.
    pub fn open(url: &TransportUrl, links: L) -> Result<Transport, OpenError> {
        let positive = |key, default| match url.number(key)? {
            Some(0) => Err(ParseUrlError::new(format!("`{key}` is at least 1"))),
            Some(number) => Ok(number),
            None => Ok(default),
        };
        let window = Window {
            requests: positive("window", WINDOW_REQUESTS)?,
            bytes: positive("window_bytes", WINDOW_BYTES)?,
        };
        let counters = Arc::new(TransportCounters::default());
        Ok(Transport::from_driver(Self {
            outbound: Arc::new(Outbound::new(Arc::clone(&counters))),
            inbound: Arc::new(Inbound::new(window, Arc::clone(&counters))),
            links: Arc::new(links),
            dialled: Once::new(),
            counters,
        }))
    }

    fn outbound(&self) -> Arc<Outbound> {
        self.dialled.call_once(|| self.links.dial(&self.outbound));
        Arc::clone(&self.outbound)
    }
}

impl<L: Links> Driver for Exchange<L> {
    fn call(&self, message: Message) -> BoxFuture<Result<Response, RpcError>> {
        let outbound = self.outbound();
        Box::pin(async move {
            match outbound.request(message).await? {
                Opened::Answered(response) => Ok(response),
                Opened::Accepted { .. } => Err(RpcError::new(
                    ErrorKind::DecodeReply,
                    "the server accepted the call without a reply",
                )),
            }
        })
    }

    fn cast(&self, message: Message) -> BoxFuture<Result<(), RpcError>> {
        let outbound = self.outbound();
        Box::pin(async move {
            outbound.request(message).await?.settle();
            Ok(())
        })
    }

    fn fanout(&self, message: Message) -> BoxFuture<Result<Fanout, FanoutError>> {
        super::fanout(self.outbound(), message.parts, message.args.into_bytes())
    }

    fn multicall(&self, message: Message) -> BoxFuture<Result<ItemStream, RpcError>> {
        let outbound = self.outbound();
        Box::pin(async move {
            match outbound.request(message).await? {
                Opened::Accepted {
                    in_flight,
                    stream: Some(stream),
                } => Ok(ItemStream(Box::new(LinkItems { in_flight, stream }))),
                _ => Err(RpcError::new(
                    ErrorKind::DecodeReply,
                    "the server answered a multicall with a single reply",
                )),
            }
        })
    }

    fn listen(
        &self,
        service: Arc<Service>,
        listen: Option<String>,
    ) -> BoxFuture<Result<(), StartError>> {
        let (links, inbound) = (Arc::clone(&self.links), Arc::clone(&self.inbound));
        Box::pin(async move {
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

    fn close(&self, limit: Duration) -> BoxFuture<()> {
        let (links, outbound, inbound) = (
            Arc::clone(&self.links),
            Arc::clone(&self.outbound),
            Arc::clone(&self.inbound),
        );
        Box::pin(async move {
            let flushed = async {
                while !(outbound.is_flushed() && inbound.is_flushed()) {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            let started = tokio::time::Instant::now();
            let _ = tokio::time::timeout(limit, flushed).await;
            outbound.close("the transport was closed");
            inbound.close();
            links.close(limit.saturating_sub(started.elapsed())).await;
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
    in_flight: InFlight,
    stream: Arc<StreamQueue>,
}

impl Items for LinkItems {
    fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<Result<Batch, End>> {
        self.stream.poll_next(cx)
    }

    fn consumed(&mut self, items: u64, bytes: u64) {
        self.in_flight.allow(Credit { items, bytes });
    }

    fn arrived(&self) -> u64 {
        self.stream.arrived()
    }
}
