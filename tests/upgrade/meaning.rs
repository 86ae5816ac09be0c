//! What a message means to the server that implements the newest version.

use crate::node::Node;
use crate::pack::pack;
use crate::raw::{ACCEPT, CALL, Frame, REPLY, RawPeer, Service, within};
use crate::wire::Sent;
use rpc_core::{Endpoint, Server, Target};
use serde_json::Value;
use tokio::sync::mpsc;

/// A server, and a bare client of it.
pub(crate) struct Meaning<'a> {
    peer: RawPeer,
    service: Service<'a>,
    told: mpsc::UnboundedReceiver<String>,
    server: Server,
    last_id: u64,
}

/// What became of a message.
#[derive(Debug, PartialEq)]
pub(crate) struct Ran {
    /// The method and its arguments, as the service saw them.
    pub(crate) as_what: String,
    /// The answer's bytes.
    pub(crate) answer: Vec<u8>,
}

impl<'a> Meaning<'a> {
    /// Serves an API by a node.
    pub(crate) async fn to<E: Endpoint>(
        service: Service<'a>,
        endpoint: impl FnOnce(Node) -> E,
    ) -> Self {
        let (tell, told) = mpsc::unbounded_channel();
        let node = Node::new(move |text| drop(tell.send(text)));
        let transport = rpc_zmq::connect("zmq://127.0.0.1:0").await.unwrap();
        let server = Server::builder(transport.clone())
            .target(Target::topic(service.topic).server(service.server))
            .endpoint(endpoint(node))
            .start()
            .await
            .unwrap();
        Self {
            peer: RawPeer::connect(&transport.local_addr().unwrap()).await,
            service,
            told,
            server,
            last_id: 0,
        }
    }

    /// The end of each major version that the server speaks.
    pub(crate) fn versions(&self) -> &'a [(u8, u8)] {
        self.service.versions
    }

    /// What the server makes of a message, whichever server it was for; or the failure's kind and text.
    pub(crate) async fn of(
        &mut self,
        kind: u8,
        version: (u8, u8),
        method: &str,
        args: &Value,
    ) -> Result<Ran, (String, String)> {
        self.last_id += 1;
        let header = self.service.request_header(version, method);
        let request = Frame::new(kind, self.last_id, &header, &pack(args));
        self.peer.send_frame(&request).await;
        let answer = self.peer.receive().await;
        let expected = if kind == CALL { REPLY } else { ACCEPT };
        if answer.kind != expected {
            return Err(answer.failure());
        }
        let as_what = within(async {
            loop {
                if let Ok(text) = self.told.try_recv() {
                    return text;
                }
                // a cast that cannot be read is accepted all the same, and never runs
                assert_eq!(self.server.stats().undecodable, 0, "{method} {args}");
                tokio::task::yield_now().await;
            }
        });
        Ok(Ran {
            as_what: as_what.await,
            answer: answer.body,
        })
    }

    /// What the server makes of a message that a client sent.
    pub(crate) async fn of_sent(&mut self, sent: &Sent) -> Ran {
        let Sent {
            kind,
            version,
            method,
            args,
            ..
        } = sent;
        let ran = self.of(*kind, *version, method, args).await;
        ran.unwrap_or_else(|failure| panic!("{sent}: {failure:?}"))
    }
}
