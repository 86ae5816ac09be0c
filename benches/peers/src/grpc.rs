//! tonic, with messages of Protocol Buffers.

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use rpc_benches::load::{self, Act};
use rpc_benches::process::Serving;
use rpc_benches::side::{IN_FLIGHT, Job, LARGE, SEQUENTIAL, Sample, Side, Work};
use rpc_benches::work::{echo, idle, streams};
use rpc_benches::{Outcome, because};
use std::pin::Pin;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};

include!(concat!(env!("OUT_DIR"), "/bench.Load.rs"));

use load_client::LoadClient;
use load_server::{Load, LoadServer};

pub(crate) const TONIC: Side = Side {
    name: "tonic",
    what: "tonic: Protocol Buffers over HTTP/2, a task for each request, flow control and cancellation of streams",
    lacks: "deadlines (none are set), heartbeats (none are set), casts and their acceptance, versions of methods and arguments, calls of servers by name or topic",
    packages: &["tonic", "prost"],
    does: &[
        SEQUENTIAL,
        IN_FLIGHT,
        LARGE,
        Work::StreamReady,
        Work::StreamPaced,
        Work::Idle,
    ],
    serve: |_| Box::pin(serve()),
    run: |job| Box::pin(run(job)),
};

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Blob {
    #[prost(bytes = "bytes", tag = "1")]
    body: Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Number {
    #[prost(uint64, tag = "1")]
    number: u64,
}

struct Idle;

type Numbers = Pin<Box<dyn Stream<Item = Result<Number, Status>> + Send>>;

#[tonic::async_trait]
impl Load for Idle {
    type ReadyStream = Numbers;
    type PacedStream = Numbers;

    async fn echo(&self, request: Request<Blob>) -> Result<Response<Blob>, Status> {
        Ok(Response::new(request.into_inner()))
    }

    async fn ready(&self, request: Request<Number>) -> Result<Response<Numbers>, Status> {
        let numbers = 0..request.into_inner().number;
        let items = futures_util::stream::iter(numbers.map(|number| Ok(Number { number })));
        Ok(Response::new(Box::pin(items)))
    }

    async fn paced(&self, request: Request<Number>) -> Result<Response<Numbers>, Status> {
        let items = load::paced(request.into_inner().number).map(|number| Ok(Number { number }));
        Ok(Response::new(Box::pin(items)))
    }
}

/// The largest message, at either end.
const LARGEST: usize = 64 * 1024 * 1024;

async fn serve() -> Outcome<Serving> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .map_err(because("tonic can't listen"))?;
    let port = listener.local_addr().map_err(because("no address"))?.port();
    Ok(Serving::new([port], async move {
        let service = LoadServer::new(Idle)
            .max_decoding_message_size(LARGEST)
            .max_encoding_message_size(LARGEST);
        let incoming = TcpListenerStream::new(listener).map(|stream| {
            let stream = stream?;
            stream.set_nodelay(true)?;
            Ok::<_, std::io::Error>(stream)
        });
        tonic::transport::Server::builder()
            .max_concurrent_streams(4096)
            .add_service(service)
            .serve_with_incoming(incoming)
            .await
            .map_err(because("tonic can't serve"))
    }))
}

async fn run(job: Job) -> Outcome<Sample> {
    let client = connect(job.port()).await?;
    match job.work {
        Work::Echo(echoes) => {
            let echo = |body| Echo {
                client: client.clone(),
                body,
            };
            echo::round(echoes, &job, echo).await
        }
        Work::StreamReady => {
            let count = job.scale.items;
            let items = items(client, count, |mut client, count| async move {
                client.ready(count).await
            });
            Ok(vec![Some(streams::ready(count, items).await?)])
        }
        Work::StreamPaced => {
            let count = job.scale.paced_items;
            let items = items(client, count, |mut client, count| async move {
                client.paced(count).await
            });
            let delay = streams::paced(count, items).await?;
            Ok(vec![Some(delay), Some(delay)])
        }
        Work::Idle => {
            idle::round(&job, || async {
                let (client, body) = (connect(job.port()).await?, load::small_body());
                let echo = Echo { client, body };
                echo.act().await?;
                Ok(echo)
            })
            .await
        }
        Work::Cast | Work::Many => job.not_done(),
    }
}

async fn connect(port: u16) -> Outcome<LoadClient<Channel>> {
    let channel = Channel::from_shared(format!("http://127.0.0.1:{port}"))
        .map_err(because("no address"))?
        .tcp_nodelay(true)
        .connect()
        .await
        .map_err(because("tonic's server can't be reached"))?;
    Ok(LoadClient::new(channel)
        .max_decoding_message_size(LARGEST)
        .max_encoding_message_size(LARGEST))
}

/// The numbers of a stream, once it is open.
async fn items<F>(
    client: LoadClient<Channel>,
    count: u64,
    open: impl FnOnce(LoadClient<Channel>, Number) -> F,
) -> Outcome<impl Stream<Item = Outcome<u64>> + Send>
where
    F: Future<Output = Result<Response<Streaming<Number>>, Status>>,
{
    let opened = open(client, Number { number: count }).await;
    let items = opened.map_err(because("no stream"))?.into_inner();
    Ok(items.map(|item| {
        item.map(|item| item.number)
            .map_err(because("the stream failed"))
    }))
}

#[derive(Clone)]
struct Echo {
    client: LoadClient<Channel>,
    body: Bytes,
}

impl Act for Echo {
    async fn act(&self) -> Outcome {
        let mut client = self.client.clone();
        let sent = Blob {
            body: self.body.clone(),
        };
        let received = client.echo(sent).await.map_err(because("a call failed"))?;
        load::same(&self.body, &received.into_inner().body)
    }
}
