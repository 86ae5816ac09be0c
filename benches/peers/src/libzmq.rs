//! libzmq, as its programs use it: one thread of the program and one of the library at each end, no runtime in between.

use bytes::Bytes;
use rpc_benches::load::{self, TASKS};
use rpc_benches::process::Serving;
use rpc_benches::side::{Echoes, IN_FLIGHT, Job, LARGE, SEQUENTIAL, Sample, Side, Work};
use rpc_benches::work::idle;
use rpc_benches::{Outcome, because};
use std::time::Instant;
use tokio::runtime::Handle;

pub(crate) const LIBZMQ: Side = Side {
    name: "libzmq",
    what: "libzmq (C++): one thread of the program and one of the library at each end; the client keeps 64 in flight by itself, the server answers where it receives",
    lacks: "methods, a codec, deadlines, cancellation, acceptance, limits, versions, streams with flow control, tasks; it is not called from a runtime",
    packages: &["zmq", "zeromq-src"],
    does: &[SEQUENTIAL, IN_FLIGHT, LARGE, Work::Idle],
    serve: |_| Box::pin(async { serve() }),
    run: |job| {
        Box::pin(async move {
            tokio::task::spawn_blocking(move || run(&job))
                .await
                .map_err(because("a thread broke off"))?
        })
    },
};

fn socket(context: &zmq::Context, kind: zmq::SocketType) -> Outcome<zmq::Socket> {
    let socket = context.socket(kind).map_err(because("no socket"))?;
    socket.set_sndhwm(0).map_err(because("no option"))?;
    socket.set_rcvhwm(0).map_err(because("no option"))?;
    socket.set_linger(0).map_err(because("no option"))?;
    Ok(socket)
}

fn serve() -> Outcome<Serving> {
    let socket = socket(&zmq::Context::new(), zmq::ROUTER)?;
    socket
        .bind("tcp://127.0.0.1:*")
        .map_err(because("libzmq can't listen"))?;
    let bound = socket.get_last_endpoint().map_err(because("no address"))?;
    let bound = bound.map_err(|_| "no address")?;
    let port = bound
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok());
    let port = port.ok_or("libzmq does not say where it listens")?;
    // it ends with the process
    std::thread::spawn(move || {
        while let Ok(message) = socket.recv_multipart(0) {
            if socket.send_multipart(message, 0).is_err() {
                return;
            }
        }
    });
    Ok(Serving::new([port], std::future::pending()))
}

fn run(job: &Job) -> Outcome<Sample> {
    let (context, scale) = (zmq::Context::new(), &job.scale);
    let small = load::small_body();
    match job.work {
        Work::Echo(Echoes::Sequential) => {
            let socket = connect(&context, job)?;
            let times = one_by_one(&socket, scale.warm_up, scale.calls, &small)?;
            Ok(vec![Some(load::median_micros(times)?)])
        }
        Work::Echo(Echoes::InFlight) => {
            let socket = connect(&context, job)?;
            for _ in 0..TASKS {
                send(&socket, &small)?;
            }
            load::alone(scale.span / 4, job.server, || again(&socket, &small))?;
            let done = load::alone(scale.span, job.server, || again(&socket, &small))?;
            Ok(done.sample())
        }
        Work::Echo(Echoes::Large) => {
            let (socket, warm_up) = (connect(&context, job)?, scale.warm_up / 50);
            let times = one_by_one(&socket, warm_up, scale.large_calls, &load::large_body())?;
            Ok(vec![Some(load::per_second(&times))])
        }
        Work::Idle => {
            let connected = || async {
                let socket = connect(&context, job)?;
                one_by_one(&socket, 0, 1, &small)?;
                Ok(socket)
            };
            Handle::current().block_on(idle::round(job, connected))
        }
        Work::StreamReady | Work::StreamPaced | Work::Cast | Work::Many => job.not_done(),
    }
}

fn connect(context: &zmq::Context, job: &Job) -> Outcome<zmq::Socket> {
    let socket = socket(context, zmq::DEALER)?;
    socket
        .connect(&format!("tcp://127.0.0.1:{}", job.port()))
        .map_err(because("libzmq's server can't be reached"))?;
    Ok(socket)
}

/// Takes one echo, and sends the next one.
fn again(socket: &zmq::Socket, body: &Bytes) -> Outcome {
    receive(socket, body)?;
    send(socket, body)
}

fn one_by_one(socket: &zmq::Socket, warm_up: u64, count: u64, body: &Bytes) -> Outcome<Vec<u64>> {
    let mut times = Vec::new();
    for number in 0..warm_up + count {
        let started = Instant::now();
        send(socket, body)?;
        receive(socket, body)?;
        if number >= warm_up {
            times.push(u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX));
        }
    }
    Ok(times)
}

fn send(socket: &zmq::Socket, body: &Bytes) -> Outcome {
    socket
        .send(&body[..], 0)
        .map_err(because("libzmq can't send"))
}

fn receive(socket: &zmq::Socket, sent: &Bytes) -> Outcome {
    let received = socket
        .recv_bytes(0)
        .map_err(because("libzmq can't receive"))?;
    load::same(sent, &received.into())
}
