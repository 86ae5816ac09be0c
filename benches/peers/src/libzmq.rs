//! libzmq, as its programs use it: one thread of the program and one of the library at each end, no runtime in between.

use rpc_benches::load::{self, Scale, TASKS};
use rpc_benches::process::Serving;
use rpc_benches::side::{Sample, Side, Work};
use rpc_benches::{Outcome, because};
use std::time::{Duration, Instant};

pub(crate) const LIBZMQ: Side = Side {
    name: "libzmq",
    what: "libzmq 4.3 (C++), a blocking thread at each end that echoes where it receives: no codec, no deadlines, no limits, no task for a request, and 64 in flight by one thread",
    can: |work| matches!(work, Work::Sequential | Work::InFlight | Work::Large),
    serve: || Box::pin(async { serve() }),
    run: |work, scale, port, _| {
        let scale = (scale.warm_up, scale.calls, scale.large_calls, scale.span);
        Box::pin(async move {
            tokio::task::spawn_blocking(move || run(work, scale, port))
                .await
                .map_err(because("a thread broke off"))?
        })
    },
};

fn socket(kind: zmq::SocketType) -> Outcome<zmq::Socket> {
    let socket = zmq::Context::new()
        .socket(kind)
        .map_err(because("no socket"))?;
    socket.set_sndhwm(0).map_err(because("no option"))?;
    socket.set_rcvhwm(0).map_err(because("no option"))?;
    socket.set_linger(0).map_err(because("no option"))?;
    Ok(socket)
}

fn serve() -> Outcome<Serving> {
    let socket = socket(zmq::ROUTER)?;
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
    Ok(Serving::new(port, std::future::pending()))
}

fn run(
    work: Work,
    (warm_up, calls, large_calls, span): (u64, u64, u64, Duration),
    port: u16,
) -> Outcome<Sample> {
    let socket = socket(zmq::DEALER)?;
    socket
        .connect(&format!("tcp://127.0.0.1:{port}"))
        .map_err(because("libzmq's server can't be reached"))?;
    Ok(match work {
        Work::Sequential => {
            let times = one_by_one(&socket, warm_up, calls, &load::small_body())?;
            vec![Some(load::median_micros(times)?)]
        }
        Work::InFlight => {
            let body = load::small_body();
            for _ in 0..TASKS {
                send(&socket, &body)?;
            }
            let (started, mut count) = (Instant::now(), 0_u64);
            while started.elapsed() < span {
                receive(&socket, &body)?;
                send(&socket, &body)?;
                count += 1;
            }
            let rate = count as f64 / started.elapsed().as_secs_f64();
            vec![Some(rate), None, None, None]
        }
        Work::Large => {
            let times = one_by_one(&socket, warm_up / 50, large_calls, &load::large_body())?;
            vec![Some(load::mebibytes_per_second(&times))]
        }
        _ => return Err("this side does not do that".into()),
    })
}

fn one_by_one(
    socket: &zmq::Socket,
    warm_up: u64,
    count: u64,
    body: &bytes::Bytes,
) -> Outcome<Vec<u64>> {
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

fn send(socket: &zmq::Socket, body: &bytes::Bytes) -> Outcome {
    socket
        .send(&body[..], 0)
        .map_err(because("libzmq can't send"))
}

fn receive(socket: &zmq::Socket, sent: &bytes::Bytes) -> Outcome {
    let received = socket
        .recv_bytes(0)
        .map_err(because("libzmq can't receive"))?;
    load::same(sent, &received.into())
}
