//! The tasks in which requests run. One that has nothing to do keeps ready for a while: to make a task costs more than many a
//! handler does.

use super::Service;
use super::handler::{self, Job};
use crate::lock;
use crate::sync::Mutex;
use std::future::poll_fn;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// How many tasks of a server keep ready.
const READY: usize = 64;

/// A request, and the server that it is for.
pub(super) type Work = (Arc<Service>, Job);

/// The tasks of a server that keep ready, the last one first. They end with the server.
#[derive(Default)]
pub(super) struct Runners(Mutex<Vec<Arc<Desk>>>);

impl Runners {
    /// Where one of them waits.
    pub(super) fn ready(&self) -> Option<Arc<Desk>> {
        lock(&self.0).pop()
    }

    /// Keeps a task ready, unless enough are.
    pub(super) fn keep(&self, desk: &Arc<Desk>) -> bool {
        let mut ready = lock(&self.0);
        let has_room = ready.len() < READY;
        if has_room {
            ready.push(Arc::clone(desk));
        }
        has_room
    }
}

impl Drop for Runners {
    fn drop(&mut self) {
        for desk in mem::take(&mut *lock(&self.0)) {
            mem::replace(&mut *lock(&desk.0), Left::End).wake();
        }
    }
}

/// Where a task that keeps ready finds its next request. It refers to no server, so that it keeps none alive.
#[derive(Default)]
pub(super) struct Desk(Mutex<Left>);

#[derive(Default)]
enum Left {
    #[default]
    Nothing,
    /// Whoever leaves something wakes the task.
    Awaited(Waker),
    Work(Work),
    End,
    /// The task is gone, with its runtime.
    Gone,
}

impl Desk {
    /// Hands over a request. It comes back if nobody is there to take it.
    pub(super) fn give(&self, work: Work) -> Option<Work> {
        let mut left = lock(&self.0);
        if matches!(*left, Left::Gone) {
            return Some(work);
        }
        let before = mem::replace(&mut *left, Left::Work(work));
        drop(left);
        before.wake();
        None
    }

    /// The next request. `None` when the server is gone. Cancel safe.
    pub(super) async fn next(&self) -> Option<Work> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    fn poll_next(&self, cx: &Context<'_>) -> Poll<Option<Work>> {
        let mut left = lock(&self.0);
        match mem::take(&mut *left) {
            Left::Work(work) => Poll::Ready(Some(work)),
            Left::End | Left::Gone => Poll::Ready(None),
            Left::Nothing | Left::Awaited(_) => {
                *left = Left::Awaited(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Left {
    fn wake(self) {
        if let Self::Awaited(waker) = self {
            waker.wake();
        }
    }
}

/// The task's end of a desk. What was left there and can't be run any more is answered.
#[derive(Default)]
pub(super) struct Seat(Arc<Desk>);

impl Seat {
    pub(super) fn desk(&self) -> &Arc<Desk> {
        &self.0
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let left = mem::replace(&mut *lock(&self.0.0), Left::Gone);
        if let Left::Work((service, job)) = left {
            handler::cut_off(&service, &job);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::READY;
    use crate::{Context, Server, Target, rpc_api, transport};
    use futures_util::future::join_all;
    use std::time::Duration;
    use tokio::runtime::Handle;
    use tokio::task::yield_now;

    #[rpc_api(version = "1.0", crate = "crate")]
    trait Echo {
        async fn echo(&self, ctx: &Context, number: usize) -> usize;
    }

    struct Yielding;

    impl Echo for Yielding {
        async fn echo(&self, _: &Context, number: usize) -> usize {
            yield_now().await;
            number
        }
    }

    fn tasks() -> usize {
        Handle::current().metrics().num_alive_tasks()
    }

    async fn tasks_become(most: usize) {
        let come = async {
            while tasks() > most {
                yield_now().await;
            }
        };
        let limit = Duration::from_secs(10);
        assert!(
            tokio::time::timeout(limit, come).await.is_ok(),
            "{} tasks are left, not {most}",
            tasks()
        );
    }

    #[test]
    fn tasks_that_are_gone_with_their_runtime_take_no_requests() {
        let runtime = || {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            builder.enable_all().build().unwrap()
        };
        let serving = runtime();
        let (transport, server) = serving.block_on(async {
            let transport = transport::memory("runners that are gone");
            let server = Server::builder(transport.clone())
                .target(Target::new().server("s"))
                .endpoint(EchoDispatcher::new(Yielding))
                .start()
                .await
                .unwrap();
            (transport, server)
        });
        for round in 0..3 {
            let calling = runtime();
            calling.block_on(async {
                let client = EchoClient::new(transport::memory("runners that are gone"));
                let ctx = Context::new();
                let answers = join_all((0..10).map(|number| client.echo(&ctx, number))).await;
                let answers = answers.into_iter().map(Result::unwrap);
                assert!(answers.eq(0..10), "round {round}");
            });
        }
        serving.block_on(async {
            server.stop().await;
            let ended = tokio::time::timeout(Duration::from_secs(10), server.wait()).await;
            assert_eq!(ended.unwrap().finished, 30);
        });
        drop(transport);
    }

    #[tokio::test]
    async fn a_server_keeps_a_bounded_number_of_tasks_ready_and_none_when_it_is_gone() {
        let transport = transport::memory("runners");
        let client = EchoClient::new(transport.clone());
        let before = tasks();
        let server = Server::builder(transport)
            .target(Target::new().server("s"))
            .endpoint(EchoDispatcher::new(Yielding))
            .start()
            .await
            .unwrap();
        let ctx = Context::new();
        for count in [1, 10 * READY, 1] {
            let answers = join_all((0..count).map(|number| client.echo(&ctx, number))).await;
            assert!(answers.into_iter().map(Result::unwrap).eq(0..count));
        }
        // and those of the transport
        tasks_become(before + READY + 4).await;
        let ready = tasks();
        assert!(ready >= before + READY, "{ready} tasks");
        for number in 0..10 {
            client.echo(&ctx, number).await.unwrap();
            assert!(tasks() <= ready);
        }
        server.stop().await;
        server.wait().await;
        drop(server);
        tasks_become(ready - READY).await;
    }
}
