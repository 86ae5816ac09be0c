//! A proxy that can be told to pass nothing on.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

pub(crate) struct Stalling {
    pub(crate) port: u16,
    stalled: watch::Sender<bool>,
    task: AbortHandle,
}

impl Stalling {
    pub(crate) async fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let (stalled, state) = watch::channel(false);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                let state = state.clone();
                connections.spawn(async move {
                    let far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                    let ((near_read, near_write), far) = (near.into_split(), far.into_split());
                    tokio::join!(
                        pass(near_read, far.1, state.clone()),
                        pass(far.0, near_write, state)
                    );
                });
            }
        });
        Self {
            port: own,
            stalled,
            task: task.abort_handle(),
        }
    }

    pub(crate) fn stall(&self, stalled: bool) {
        self.stalled.send_replace(stalled);
    }
}

impl Drop for Stalling {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut stalled: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; 4096];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let passes = stalled.wait_for(|stalled| !*stalled).await.is_ok();
        if !passes || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
