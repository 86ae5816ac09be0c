//! tonic, with messages of Protocol Buffers.

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use rpc_benches::load::{self, Act, Scale};
use rpc_benches::process::Serving;
use rpc_benches::side::{Sample, Side, Work};
use rpc_benches::{Outcome, because};
use std::pin::Pin;
use std::time::Instant;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

include!(concat!(env!("OUT_DIR"), "/bench.Load.rs"));

use load_client::LoadClient;
use load_server::{Load, LoadServer};

pub(crate) const TONIC: Side = Side {
    name: "tonic",
    what: "tonic 0.14 with Protocol Buffers over HTTP/2: deadlines by header, streams; no versions of methods, no casts, one server",
    can: |work| work != Work::Cast,
    serve: || Box::pin(serve()),
    run: |work, scale, port, server| Box::pin(run(work, scale, port, server)),
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
    Ok(Serving::new(port, async move {
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

async fn run(work: Work, scale: &Scale, port: u16, server: u32) -> Outcome<Sample> {
    let endpoint = Channel::from_shared(format!("http://127.0.0.1:{port}"))
        .map_err(because("no address"))?
        .tcp_nodelay(true);
    let channel = endpoint
        .connect()
        .await
        .map_err(because("tonic's server can't be reached"))?;
    let client = LoadClient::new(channel)
        .max_decoding_message_size(LARGEST)
        .max_encoding_message_size(LARGEST);
    let echo = |body| Echo {
        client: client.clone(),
        body,
    };
    Ok(match work {
        Work::Sequential => {
            let times =
                load::sequential(scale.warm_up, scale.calls, echo(load::small_body())).await?;
            vec![Some(load::median_micros(times)?)]
        }
        Work::InFlight => {
            let echo = echo(load::small_body());
            load::together(scale.span / 4, server, &echo).await?;
            load::together(scale.span, server, &echo).await?.sample()
        }
        Work::StreamReady => vec![Some(stream_ready(client.clone(), scale.items).await?)],
        Work::StreamPaced => {
            let delay = stream_paced(client.clone(), scale.paced_items).await?;
            vec![Some(delay), Some(delay)]
        }
        Work::Large => {
            let warm_up = scale.warm_up / 50;
            let times =
                load::sequential(warm_up, scale.large_calls, echo(load::large_body())).await?;
            vec![Some(load::mebibytes_per_second(&times))]
        }
        Work::Cast => return Err("tonic has no casts".into()),
    })
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

async fn stream_ready(mut client: LoadClient<Channel>, count: u64) -> Outcome<f64> {
    load::in_task(async move {
        let started = Instant::now();
        let items = client.ready(Number { number: count }).await;
        let mut items = items.map_err(because("no stream"))?.into_inner();
        let mut arrived = 0;
        while let Some(item) = items.next().await {
            let item = item.map_err(because("the stream failed"))?;
            if item.number != arrived {
                return Err(format!("{} arrived as number {arrived}", item.number));
            }
            arrived += 1;
        }
        if arrived != count {
            return Err(format!("{arrived} items of {count} arrived"));
        }
        Ok(count as f64 / started.elapsed().as_secs_f64())
    })
    .await
}

async fn stream_paced(mut client: LoadClient<Channel>, count: u64) -> Outcome<f64> {
    load::in_task(async move {
        let items = client.paced(Number { number: count }).await;
        let mut items = items.map_err(because("no stream"))?.into_inner();
        let mut delays = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(because("the stream failed"))?;
            delays.push(load::stamp().saturating_sub(item.number));
        }
        load::median_micros(delays)
    })
    .await
}
