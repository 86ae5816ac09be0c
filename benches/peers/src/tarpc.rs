//! tarpc over TCP, with either codec.

use bytes::Bytes;
use futures_util::StreamExt;
use rpc_benches::load::{self, Act, Scale};
use rpc_benches::process::Serving;
use rpc_benches::side::{Sample, Side, Work};
use rpc_benches::{Outcome, because};
use std::time::{Duration, Instant};
use tarpc::context;
use tarpc::serde_transport::tcp;
use tarpc::server::{BaseChannel, Channel};
use tokio_serde::formats::{Bincode, MessagePack};

/// How many requests may be in flight, at either end.
const IN_FLIGHT: usize = 4096;

pub(crate) const BINCODE: Side = Side {
    name: "tarpc-bincode",
    what: "tarpc 0.38 with bincode over TCP: deadlines, a task for each request; no versions, no streams, no casts, no windows, one server",
    can,
    serve: || Box::pin(serve_bincode()),
    run: |work, scale, port, server| Box::pin(run_bincode(work, scale, port, server)),
};

pub(crate) const MESSAGE_PACK: Side = Side {
    name: "tarpc-msgpack",
    what: "the same with MessagePack",
    can,
    serve: || Box::pin(serve_message_pack()),
    run: |work, scale, port, server| Box::pin(run_message_pack(work, scale, port, server)),
};

fn can(work: Work) -> bool {
    matches!(work, Work::Sequential | Work::InFlight | Work::Large)
}

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
            incoming.config_mut().max_frame_length(64 * 1024 * 1024);
            let port = incoming.local_addr().port();
            Ok(Serving::new(port, async move {
                while let Some(connection) = incoming.next().await {
                    let connection = connection.map_err(because("tarpc can't accept"))?;
                    let _ = connection.get_ref().set_nodelay(true);
                    let mut config = tarpc::server::Config::default();
                    config.pending_response_buffer = IN_FLIGHT;
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

        async fn $run(work: Work, scale: &Scale, port: u16, server: u32) -> Outcome<Sample> {
            let mut connecting = tcp::connect(("127.0.0.1", port), $codec::default);
            connecting.config_mut().max_frame_length(64 * 1024 * 1024);
            let transport = connecting
                .await
                .map_err(because("tarpc's server can't be reached"))?;
            transport
                .get_ref()
                .set_nodelay(true)
                .map_err(because("no connection"))?;
            let mut config = tarpc::client::Config::default();
            config.max_in_flight_requests = IN_FLIGHT;
            config.pending_request_buffer = IN_FLIGHT;
            let client = LoadClient::new(config, transport).spawn();
            sample(work, scale, client, server).await
        }
    };
}

with_codec!(Bincode, serve_bincode, run_bincode);
with_codec!(MessagePack, serve_message_pack, run_message_pack);

async fn sample(work: Work, scale: &Scale, client: LoadClient, server: u32) -> Outcome<Sample> {
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
        Work::Large => {
            let warm_up = scale.warm_up / 50;
            let times =
                load::sequential(warm_up, scale.large_calls, echo(load::large_body())).await?;
            vec![Some(load::mebibytes_per_second(&times))]
        }
        Work::Cast | Work::StreamReady | Work::StreamPaced => {
            return Err("tarpc has neither casts nor streams".into());
        }
    })
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
