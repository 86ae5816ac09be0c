//! tarpc over TCP, with either codec.

use bytes::Bytes;
use futures_util::StreamExt;
use rpc_benches::load::{self, Act};
use rpc_benches::process::Serving;
use rpc_benches::side::{IN_FLIGHT, Job, LARGE, SEQUENTIAL, Sample, Side, Work};
use rpc_benches::work::{echo, idle};
use rpc_benches::{Outcome, because};
use std::time::{Duration, Instant};
use tarpc::context;
use tarpc::serde_transport::tcp;
use tarpc::server::{BaseChannel, Channel};
use tokio_serde::formats::{Bincode, MessagePack};

/// How many requests may be in flight, at either end.
const IN_FLIGHT_MOST: usize = 4096;

/// The largest frame, at either end.
const LARGEST: usize = 64 * 1024 * 1024;

pub(crate) const BINCODE: Side = Side {
    name: "tarpc-bincode",
    what: "tarpc with bincode over one TCP connection: deadlines, cancellation, a task for each request",
    lacks: "streams, casts and their acceptance, versions, names of fields on the wire, more than one server, reconnection, heartbeats",
    packages: &["tarpc", "tokio-serde"],
    does: DOES,
    serve: |_| Box::pin(serve_bincode()),
    run: |job| Box::pin(run_bincode(job)),
};

pub(crate) const MESSAGE_PACK: Side = Side {
    name: "tarpc-msgpack",
    what: "the same with MessagePack",
    lacks: "the same: it writes structs as arrays",
    packages: &["tarpc", "tokio-serde"],
    does: DOES,
    serve: |_| Box::pin(serve_message_pack()),
    run: |job| Box::pin(run_message_pack(job)),
};

const DOES: &[Work] = &[SEQUENTIAL, IN_FLIGHT, LARGE, Work::Idle];

#[tarpc::service]
trait Load {
    async fn echo(body: Bytes) -> Bytes;
}

#[derive(Clone)]
struct Idle;

impl Load for Idle {
    async fn echo(self, _: context::Context, body: Bytes) -> Bytes {
        body
    }
}

/// The same with one codec and with the other, whose types differ.
macro_rules! with_codec {
    ($codec:ident, $serve:ident, $run:ident) => {
        async fn $serve() -> Outcome<Serving> {
            let mut incoming = tcp::listen("127.0.0.1:0", $codec::default)
                .await
                .map_err(because("tarpc can't listen"))?;
            incoming.config_mut().max_frame_length(LARGEST);
            let port = incoming.local_addr().port();
            Ok(Serving::new([port], async move {
                while let Some(connection) = incoming.next().await {
                    let connection = connection.map_err(because("tarpc can't accept"))?;
                    let _ = connection.get_ref().set_nodelay(true);
                    let mut config = tarpc::server::Config::default();
                    config.pending_response_buffer = IN_FLIGHT_MOST;
                    let requests = BaseChannel::new(config, connection)
                        .execute(Idle.serve())
                        .for_each(|request| async {
                            tokio::spawn(request);
                        });
                    tokio::spawn(requests);
                }
                Err("tarpc has stopped listening".into())
            }))
        }

        async fn $run(job: Job) -> Outcome<Sample> {
            let connect = || async {
                let mut connecting = tcp::connect(("127.0.0.1", job.port()), $codec::default);
                connecting.config_mut().max_frame_length(LARGEST);
                let transport = connecting
                    .await
                    .map_err(because("tarpc's server can't be reached"))?;
                transport
                    .get_ref()
                    .set_nodelay(true)
                    .map_err(because("no connection"))?;
                let mut config = tarpc::client::Config::default();
                config.max_in_flight_requests = IN_FLIGHT_MOST;
                config.pending_request_buffer = IN_FLIGHT_MOST;
                Ok(LoadClient::new(config, transport).spawn())
            };
            round(&job, connect).await
        }
    };
}

with_codec!(Bincode, serve_bincode, run_bincode);
with_codec!(MessagePack, serve_message_pack, run_message_pack);

async fn round<F>(job: &Job, connect: impl Fn() -> F) -> Outcome<Sample>
where
    F: Future<Output = Outcome<LoadClient>>,
{
    match job.work {
        Work::Echo(echoes) => {
            let client = connect().await?;
            let echo = |body| Echo {
                client: client.clone(),
                body,
            };
            echo::round(echoes, job, echo).await
        }
        Work::Idle => {
            idle::round(job, || async {
                let (client, body) = (connect().await?, load::small_body());
                let echo = Echo { client, body };
                echo.act().await?;
                Ok(echo)
            })
            .await
        }
        Work::Cast | Work::StreamReady | Work::StreamPaced | Work::Many => job.not_done(),
    }
}

#[derive(Clone)]
struct Echo {
    client: LoadClient,
    body: Bytes,
}

impl Act for Echo {
    async fn act(&self) -> Outcome {
        let mut context = context::current();
        context.deadline = Instant::now() + Duration::from_secs(60);
        let received = self
            .client
            .echo(context, self.body.clone())
            .await
            .map_err(because("a call failed"))?;
        load::same(&self.body, &received)
    }
}
