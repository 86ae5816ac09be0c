//! The tasks in which requests run. One that has nothing to do keeps ready for a while: to make a task costs more than many a
//! handler does.

use super::Service;
use super::handler::{self, Job};
use crate::lock;
use crate::sync::Mutex;
use crate::wake::wake;
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
pub(super) struct Runners(Vec<Arc<Desk>>);

impl Runners {
    /// Where one of them waits.
    pub(super) fn ready(&mut self) -> Option<Arc<Desk>> {
        self.0.pop()
    }

    /// Keeps a task ready, unless enough are.
    pub(super) fn keep(&mut self, desk: &Arc<Desk>) -> bool {
        let has_room = self.0.len() < READY;
        if has_room {
            self.0.push(Arc::clone(desk));
        }
        has_room
    }
}

/// What becomes of a request that is handed over.
pub(super) enum Handed {
    /// A task has it, and is to be woken if it waits.
    Over(Option<Waker>),
    /// Nobody is there to take it.
    Back(Work),
}

/// Hands over a request to a task that keeps ready, the one at this desk or another one.
pub(super) fn hand_over(mut work: Work, mut desk: Option<Arc<Desk>>) -> Handed {
    while let Some(ready) = desk {
        match ready.give(work) {
            Handed::Over(waker) => return Handed::Over(waker),
            Handed::Back(back) => work = back,
        }
        desk = work.0.gate.ready();
    }
    Handed::Back(work)
}

impl Drop for Runners {
    fn drop(&mut self) {
        for desk in mem::take(&mut self.0) {
            let left = mem::replace(&mut *lock(&desk.0), Left::End);
            wake(left.waker());
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
    /// Whoever leaves something wakes the task, or has it woken.
    Awaited(Waker),
    Work(Work),
    End,
    /// The task is gone, with its runtime.
    Gone,
}

impl Desk {
    fn give(&self, work: Work) -> Handed {
        let mut left = lock(&self.0);
        if matches!(*left, Left::Gone) {
            return Handed::Back(work);
        }
        Handed::Over(mem::replace(&mut *left, Left::Work(work)).waker())
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
    fn waker(self) -> Option<Waker> {
        match self {
            Self::Awaited(waker) => Some(waker),
            _ => None,
        }
    }
}

/// The task's end of a desk. What was left there is for another task.
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
        if let Left::Work(work) = left {
            handler::hand_on(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::gate::{Entered, tests::job};
    use super::super::limits::{Limits, MethodLimits};
    use super::super::{Access, ServerBuilder, Service, handler};
    use super::READY;
    use crate::{Context, ErrorKind, Server, Target, rpc_api, transport};
    use futures_util::future::join_all;
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::runtime::{Handle, Runtime};
    use tokio::task::yield_now;

    #[rpc_api(version = "1.0", crate = "crate")]
    trait Echo {
        async fn echo(&self, ctx: &Context, number: usize) -> usize;

        /// Waits for ever if the number is 0.
        async fn hold(&self, ctx: &Context, number: usize) -> usize;
    }

    struct Yielding;

    impl Echo for Yielding {
        async fn echo(&self, _: &Context, number: usize) -> usize {
            yield_now().await;
            number
        }

        async fn hold(&self, _: &Context, number: usize) -> usize {
            if number == 0 {
                std::future::pending::<()>().await;
            }
            number
        }
    }

    fn runtime() -> Runtime {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().unwrap()
    }

    /// Waits until a server has accepted so many requests, and their tasks had their turn.
    async fn accepted(server: &Server, most: u64) {
        let come = async {
            while server.stats().accepted < most {
                yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), come)
            .await
            .unwrap();
        for _ in 0..10 {
            yield_now().await;
        }
    }

    /// A request runs for ever in one runtime, and two more of the method wait, which came in another. Then the first is dropped. Gives
    /// what became of the others.
    fn gone(
        name: &str,
        limit: impl FnOnce(ServerBuilder) -> ServerBuilder,
        keeps_ready: bool,
    ) -> [Result<usize, ErrorKind>; 2] {
        let client = || EchoClient::new(transport::memory(name));
        let serving = runtime();
        let transport = transport::memory(name);
        let builder = Server::builder(transport.clone())
            .target(Target::new().server("s"))
            .endpoint(EchoDispatcher::new(Yielding));
        let server = serving.block_on(limit(builder).start()).unwrap();
        let first = runtime();
        first.block_on(async {
            let client = client();
            tokio::spawn(async move { client.hold(&Context::new(), 0).await });
            accepted(&server, 1).await;
        });
        let second = runtime();
        let calls = second.block_on(async {
            if keeps_ready {
                client().echo(&Context::new(), 1).await.unwrap();
            }
            let before = server.stats().accepted;
            let calls = [1, 2].map(|number| {
                let client = client();
                tokio::spawn(async move { client.hold(&Context::new(), number).await })
            });
            accepted(&server, before + 2).await;
            calls
        });
        drop(first);
        second.block_on(async {
            let limit = Duration::from_secs(10);
            let ended = tokio::time::timeout(limit, join_all(calls)).await;
            let ended = ended.expect("those that wait are run or answered");
            let mut ended = ended.into_iter().map(|call| {
                let answer = call.unwrap();
                answer.map_err(|error| error.rpc().unwrap().kind())
            });
            let ended = [ended.next().unwrap(), ended.next().unwrap()];
            // the place is free
            assert_eq!(client().hold(&Context::new(), 3).await.unwrap(), 3);
            ended
        })
    }

    #[test]
    fn requests_that_wait_are_answered_when_the_runtime_of_all_that_run_is_gone() {
        let ended = gone("runners: one place", |server| server.concurrency(1), false);
        assert_eq!(ended, [Err(ErrorKind::Unavailable); 2]);
    }

    #[test]
    fn requests_that_wait_are_run_by_a_task_of_another_runtime_that_keeps_ready() {
        let limit = |server: ServerBuilder| server.method_concurrency("hold", 1);
        let ended = gone("runners: one of a method", limit, true);
        assert_eq!(ended, [Ok(1), Ok(2)]);
    }

    #[test]
    fn a_task_that_never_began_gives_its_place_back() {
        let limits = Limits {
            concurrency: 1,
            queue: 1,
            methods: MethodLimits::default(),
        };
        let service = Service::new(Target::new(), Vec::new(), Access::default(), &limits);
        let service = Arc::new(service.unwrap());
        let Entered::Runs(first, None) = service.gate.enter(job()) else {
            panic!("there is a place");
        };
        assert!(matches!(service.gate.enter(job()), Entered::Waits(_)));
        drop(handler::run(Arc::clone(&service), first));
        assert_eq!((service.gate.running(), service.stats().not_run), (0, 1));
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
