//! What a client sends, as a bare node sees it.

use crate::pack::{Unpack, pack};
use crate::raw::{ACCEPT, CALL, CAST, Frame, REPLY, RawNode, Service, within};
use rpc_core::{ApiInfo, CallError, CallOptions, Client, ErrorKind, RpcError, Transport};
use serde_json::Value;
use std::fmt;

/// A message, as it was on the wire.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sent {
    pub(crate) kind: u8,
    pub(crate) topic: String,
    pub(crate) server: String,
    pub(crate) version: (u8, u8),
    pub(crate) method: String,
    pub(crate) args: Value,
}

impl Sent {
    fn read(frame: &Frame) -> Self {
        let header = Unpack(&frame.header).value();
        let text = |at: usize| header[at].as_str().unwrap().to_owned();
        let part = |at: usize| u8::try_from(header[4][at].as_u64().unwrap()).unwrap();
        Self {
            kind: frame.kind,
            topic: text(1),
            server: text(2),
            version: (part(0), part(1)),
            method: text(6),
            args: Unpack(&frame.body).value(),
        }
    }
}

/// Where it went: `cast rebuild_instance 5.0 to src`, and the topic if that is not the usual one.
impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            CALL => "call",
            CAST => "cast",
            other => panic!("kind {other}"),
        };
        let ((major, minor), topic) = (self.version, &self.topic);
        write!(
            f,
            "{kind} {} {major}.{minor} to {} on {topic}",
            self.method, self.server
        )
    }
}

/// The cap of a client, as rows of a table say it: `none`, or a version or release.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CapAt<'a>(pub(crate) &'a str);

impl CapAt<'_> {
    /// For `prepare`.
    pub(crate) fn on(self, call: CallOptions) -> CallOptions {
        match self.0 {
            "none" => call,
            cap => call.version_cap(cap),
        }
    }
}

/// What comes of sending. An error that is no refusal before sending fails the test.
pub(crate) trait Refusal {
    fn refusal(self) -> Option<String>;
}

impl<T> Refusal for Result<T, RpcError> {
    fn refusal(self) -> Option<String> {
        let error = self.err()?;
        assert_eq!(error.kind(), ErrorKind::VersionCap, "{error}");
        Some(error.message().to_owned())
    }
}

impl<T, E: fmt::Debug> Refusal for Result<T, CallError<E>> {
    fn refusal(self) -> Option<String> {
        match self.err()? {
            CallError::Rpc(error) => Err::<T, _>(error).refusal(),
            CallError::Method(error) => panic!("{error:?}"),
        }
    }
}

/// A bare node, and the transport of a client that has it in its list.
pub(crate) struct Wire {
    node: RawNode,
    pub(crate) transport: Transport,
}

impl Wire {
    /// A node that announces servers.
    pub(crate) async fn to(api: &'static ApiInfo, services: &[Service<'_>]) -> Self {
        let mut node = RawNode::bind().await;
        let transport = rpc_zmq::connect(&format!("zmq://{}", node.address))
            .await
            .unwrap();
        // whoever asks what the servers speak waits for the announcement; this client's cap is nobody else's
        let asking = Client::new(transport.clone(), api);
        let asking = tokio::spawn(asking.negotiate().into_future());
        node.announce_services(1, services).await;
        within(asking).await.unwrap().unwrap();
        Self { node, transport }
    }

    /// The message that is sent, or why none is.
    pub(crate) async fn sees<F>(&mut self, sending: F) -> Result<Sent, String>
    where
        F: Future<Output: Refusal + Send> + Send + 'static,
    {
        self.answers(sending, &Value::Null).await.0
    }

    /// The same, with what comes of it when a call is answered with this value.
    pub(crate) async fn answers<F>(
        &mut self,
        sending: F,
        answer: &Value,
    ) -> (Result<Sent, String>, Option<F::Output>)
    where
        F: Future<Output: Refusal + Send> + Send + 'static,
    {
        let mut sending = tokio::spawn(sending);
        let frame = tokio::select! {
            frame = self.node.receive() => frame,
            outcome = &mut sending => {
                let refusal = outcome.unwrap().refusal();
                return (Err(refusal.expect("what was not sent has failed")), None);
            }
        };
        match frame.kind {
            CALL => self.node.answer(REPLY, frame.id, &[], &pack(answer)).await,
            _ => self.node.answer(ACCEPT, frame.id, &[], &[]).await,
        }
        let outcome = within(sending).await.unwrap();
        (Ok(Sent::read(&frame)), Some(outcome))
    }
}
