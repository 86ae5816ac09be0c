//! A DNS server that gives no answers, or not all, for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed};
use tokio::net::UdpSocket;
use tokio::task::AbortHandle;

/// What its clients are told.
#[derive(Clone, Copy)]
pub(crate) enum Says {
    /// What the server behind it says.
    Truth = 0,
    /// SERVFAIL.
    Failure = 2,
    /// NXDOMAIN.
    NoName = 3,
    /// The truth, but nothing at all when asked for addresses of IPv6.
    NothingOfV6 = 100,
}

/// Whether it asks for addresses of IPv6.
fn is_for_v6(question: &[u8]) -> bool {
    const AAAA: &[u8] = &[0, 28];
    let mut at = 12;
    while question[at] != 0 {
        at += 1 + usize::from(question[at]);
    }
    question[at + 1..].starts_with(AAAA)
}

/// It stands before a DNS server.
pub(crate) struct Failing {
    pub(crate) port: u16,
    says: Arc<AtomicU8>,
    asked: Arc<AtomicUsize>,
    task: AbortHandle,
}

impl Failing {
    pub(crate) async fn before(port: u16) -> Self {
        let near = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let own = near.local_addr().unwrap().port();
        let far = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        far.connect(("127.0.0.1", port)).await.unwrap();
        let (says, asked) = (Arc::new(AtomicU8::new(0)), Arc::<AtomicUsize>::default());
        let (code, count) = (Arc::clone(&says), Arc::clone(&asked));
        let task = tokio::spawn(async move {
            let mut packet = [0; 4096];
            loop {
                let (len, client) = near.recv_from(&mut packet).await.unwrap();
                count.fetch_add(1, Relaxed);
                let len = match code.load(Relaxed) {
                    100 if is_for_v6(&packet[..len]) => continue,
                    0 | 100 => {
                        far.send(&packet[..len]).await.unwrap();
                        // it is down perhaps
                        let Ok(len) = far.recv(&mut packet).await else {
                            continue;
                        };
                        len
                    }
                    code => {
                        // the question, as an answer that has only a code
                        packet[2] |= 0x80;
                        packet[3] = code;
                        len
                    }
                };
                near.send_to(&packet[..len], client).await.unwrap();
            }
        });
        Self {
            port: own,
            says,
            asked,
            task: task.abort_handle(),
        }
    }

    pub(crate) fn says(&self, what: Says) {
        self.says.store(what as u8, Relaxed);
    }

    /// How many questions there were.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Relaxed)
    }
}

impl Drop for Failing {
    fn drop(&mut self) {
        self.task.abort();
    }
}
