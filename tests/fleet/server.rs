//! A server's process: it serves until it is told to stop, and ends when all that it has accepted has run.

use super::api::{Build, new, old};
use super::log::Log;
use rpc_core::{Server, Target};
use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use tokio::sync::oneshot;

pub(crate) async fn run(
    build: Build,
    name: &str,
    address: &str,
    log: &Path,
) -> Result<(), Box<dyn Error>> {
    let mut told = told_to_stop()?;
    let log = Log::open(log)?;
    let transport = rpc_zmq::connect(&format!("zmq://{address}")).await?;
    let server = Server::builder(transport.clone()).target(Target::new().server(name));
    let server = match build {
        Build::Old => server.endpoint(old::FleetDispatcher::new(old::Node(log))),
        Build::New => server.endpoint(new::FleetDispatcher::new(new::Node(log))),
    };
    let server = server.start().await?;
    let listens = transport.local_addr().ok_or("it listens nowhere")?;
    writeln!(io::stdout(), "{listens}")?;

    tokio::select! {
        () = told.signal() => {}
        _ = parent_is_gone() => {}
    }
    server.stop().await;
    server.wait().await;
    Ok(())
}

/// Resolves when standard input is closed: the system does that even when the process which started this one is killed.
fn parent_is_gone() -> oneshot::Receiver<()> {
    let (sender, gone) = oneshot::channel();
    // a thread of its own: the runtime would wait for a read that it does itself
    std::thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        let _ = sender.send(());
    });
    gone
}

#[cfg(unix)]
struct Told(tokio::signal::unix::Signal);

#[cfg(unix)]
fn told_to_stop() -> io::Result<Told> {
    use tokio::signal::unix::{SignalKind, signal};
    signal(SignalKind::terminate()).map(Told)
}

#[cfg(unix)]
impl Told {
    async fn signal(&mut self) {
        self.0.recv().await;
    }
}

/// Elsewhere there is no such signal, and the end of standard input has to do.
#[cfg(not(unix))]
struct Told;

#[cfg(not(unix))]
fn told_to_stop() -> io::Result<Told> {
    Ok(Told)
}

#[cfg(not(unix))]
impl Told {
    async fn signal(&mut self) {
        std::future::pending().await
    }
}
