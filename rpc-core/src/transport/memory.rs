//! The in-process transport. It carries the same encoded frames as those between hosts, so a test on it means something.

use super::{BoxFuture, OpenError, Scheme, Transport, TransportUrl};
use crate::exchange::{ClientLink, Exchange, Inbound, Links, NodeId, Outbound, ServerLink};
use crate::server::Endpoint;
use crate::sync::Mutex;
use crate::{Client, Peer, Server, StartError, Target, lock};
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, Weak};
use tokio::task::JoinSet;

/// Opens an in-process transport: `memory("name")` is what `memory://name` opens.
///
/// Servers and clients of all transports of one name reach each other, in this process; those of different names do not.
/// Links are tasks, so messages are sent inside a Tokio runtime; while that runs, the transport works.
#[must_use]
#[expect(
    clippy::missing_panics_doc,
    reason = "the URL has no options that could be wrong"
)]
pub fn memory(name: &str) -> Transport {
    let url: TransportUrl = "memory://".parse().expect("a valid URL");
    on_bus(&url, bus(name)).expect("no options")
}

pub(super) const fn scheme() -> Scheme {
    Scheme::new(&["memory"], |url| {
        url.only_options(&["window", "window_bytes", "unread_bytes", "held_bytes"])?;
        on_bus(url, bus(url.rest()))
    })
}

/// A client of an endpoint on a bus that nobody else has.
pub(crate) fn local(endpoint: impl Endpoint) -> Client {
    let bus = Arc::new(Bus::default());
    let url: TransportUrl = "memory://".parse().expect("a valid URL");
    let transport = on_bus(&url, bus).expect("no options");
    let api = endpoint.api();
    let target = Target::new()
        .or_topic(api.topic().or(Some("local")))
        .server("local");
    // starting a server waits for nobody on this transport, so one poll does it
    let starting = Server::builder(transport.clone())
        .target(target.clone())
        .endpoint(endpoint)
        .start();
    let server = futures_util::FutureExt::now_or_never(starting)
        .expect("starting in memory does not wait")
        .unwrap_or_else(|error| panic!("{error}"));
    Client::new(transport, api)
        .prepare(|call| call.target(target))
        .keep(server)
}

/// The nodes that see each other.
#[derive(Debug, Default)]
struct Bus {
    state: Mutex<BusState>,
}

#[derive(Debug, Default)]
struct BusState {
    servers: Vec<Arc<Inbound>>,
    clients: Vec<Weak<MemoryClient>>,
}

fn bus(name: &str) -> Arc<Bus> {
    static BUSES: OnceLock<Mutex<HashMap<String, Weak<Bus>>>> = OnceLock::new();
    let mut buses = lock(BUSES.get_or_init(Mutex::default));
    buses.retain(|_, bus| bus.strong_count() > 0);
    if let Some(bus) = buses.get(name).and_then(Weak::upgrade) {
        return bus;
    }
    let bus = Arc::new(Bus::default());
    buses.insert(name.to_owned(), Arc::downgrade(&bus));
    bus
}

fn on_bus(url: &TransportUrl, bus: Arc<Bus>) -> Result<Transport, OpenError> {
    Exchange::open(
        url,
        Memory {
            bus,
            server: OnceLock::new(),
            client: OnceLock::new(),
        },
    )
}

/// One transport on a bus: perhaps a node with servers, perhaps a client of all nodes.
struct Memory {
    bus: Arc<Bus>,
    server: OnceLock<Arc<Inbound>>,
    client: OnceLock<Arc<MemoryClient>>,
}

#[derive(Debug)]
struct MemoryClient {
    outbound: Arc<Outbound>,
    links: Mutex<JoinSet<()>>,
}

impl MemoryClient {
    fn connect(&self, inbound: &Arc<Inbound>) {
        let node = self.outbound.add_node("memory");
        let client = self.outbound.link_up(node, None);
        let server = inbound.link_up(Peer::new("memory", "client"), None);
        let mut links = lock(&self.links);
        while links.try_join_next().is_some() {}
        links.spawn(carry(
            Arc::clone(&self.outbound),
            node,
            client,
            Arc::clone(inbound),
            server,
        ));
    }
}

/// Carries frames both ways until one end is closed.
async fn carry(
    outbound: Arc<Outbound>,
    node: NodeId,
    client: Arc<ClientLink>,
    inbound: Arc<Inbound>,
    server: Arc<ServerLink>,
) {
    // a link is gone at both ends, however its task ends
    struct Both<'a>(
        &'a Outbound,
        NodeId,
        &'a Arc<ClientLink>,
        &'a Inbound,
        &'a Arc<ServerLink>,
    );
    impl Drop for Both<'_> {
        fn drop(&mut self) {
            self.0.link_down(self.1, self.2, "the other end was closed");
            self.0.remove_node(self.1);
            self.3.link_down(self.4);
        }
    }
    let _both = Both(&outbound, node, &client, &inbound, &server);
    const MOST: usize = 64;
    let there = async {
        let mut batch: Vec<Bytes> = Vec::new();
        while client.next_frames(&mut batch, MOST).await {
            inbound.receive(&server, batch.drain(..));
        }
    };
    let back = async {
        let mut batch: Vec<Bytes> = Vec::new();
        while server.next_frames(&mut batch, MOST).await {
            outbound.receive(node, &client, batch.drain(..));
        }
    };
    tokio::select! {
        () = there => {}
        () = back => {}
    }
}

impl Links for Memory {
    fn dial(&self, outbound: &Arc<Outbound>) {
        let client = self.client.get_or_init(|| {
            Arc::new(MemoryClient {
                outbound: Arc::clone(outbound),
                links: Mutex::default(),
            })
        });
        let mut bus = lock(&self.bus.state);
        bus.clients.retain(|client| client.strong_count() > 0);
        bus.clients.push(Arc::downgrade(client));
        let servers = bus.servers.clone();
        drop(bus);
        for server in &servers {
            client.connect(server);
        }
    }

    fn listen(
        self: Arc<Self>,
        inbound: Arc<Inbound>,
        _: Option<String>,
    ) -> BoxFuture<Result<(), StartError>> {
        if self.server.set(Arc::clone(&inbound)).is_ok() {
            inbound.set_address("memory");
            let mut bus = lock(&self.bus.state);
            bus.servers.push(Arc::clone(&inbound));
            bus.clients.retain(|client| client.strong_count() > 0);
            let clients: Vec<_> = bus.clients.iter().filter_map(Weak::upgrade).collect();
            drop(bus);
            for client in &clients {
                client.connect(&inbound);
            }
        }
        Box::pin(std::future::ready(Ok(())))
    }

    fn local_addr(&self) -> Option<String> {
        None
    }

    fn written(&self) -> BoxFuture<()> {
        Box::pin(std::future::ready(()))
    }

    fn close(&self) -> BoxFuture<()> {
        self.leave();
        let links = self
            .client
            .get()
            .map(|client| std::mem::take(&mut *lock(&client.links)));
        Box::pin(async move {
            if let Some(mut links) = links {
                links.shutdown().await;
            }
        })
    }
}

impl Memory {
    fn leave(&self) {
        if let Some(own) = self.server.get() {
            lock(&self.bus.state)
                .servers
                .retain(|server| !Arc::ptr_eq(server, own));
            own.close();
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.leave();
    }
}
