//! Gathers: one call to every server, and what each answers.

use crate::testing::conformance::loaded::{
    Load, LoadedDispatcher, Node, Problem, all, client, load, serve,
};
use crate::testing::probe::Seen;
use crate::testing::world::{World, start};
use futures_util::{FutureExt, StreamExt};
use rpc_core::{Context, ErrorKind, Gather, Server, Target, rpc_api};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) async fn every_server_answers_once(mut world: World) {
    let _servers = [
        serve(&mut world, "a").await,
        serve(&mut world, "bb").await,
        serve(&mut world, "ccc").await,
    ];
    let client = client(&world).await;
    let ctx = Context::new();
    for _ in 0..3 {
        let answers = all(client.load(&ctx, 10)).await;
        let expected = [("a", load(10)), ("bb", load(20)), ("ccc", load(30))];
        assert_eq!(
            answers,
            expected
                .map(|(server, load)| (server.to_owned(), load))
                .into()
        );
    }
}

pub(super) async fn an_answer_is_that_of_a_call_to_this_server_alone(mut world: World) {
    let _servers = [
        serve(&mut world, "a").await,
        serve(&mut world, "failing").await,
        serve(&mut world, "panicking").await,
    ];
    // it is on the topic, and has another API
    let _probe = world.serve("probe").await;
    let client = client(&world).await;
    let answers = all(client.load(&Context::new(), 1)).await;
    let expected = [
        ("a", load(1)),
        ("failing", Err(Problem::Method("no meter".to_owned()))),
        ("panicking", Err(Problem::Rpc(ErrorKind::Remote))),
        ("probe", Err(Problem::Rpc(ErrorKind::NoSuchMethod))),
    ];
    assert_eq!(
        answers,
        expected
            .map(|(server, answer)| (server.to_owned(), answer))
            .into()
    );
}

pub(super) async fn who_does_not_answer_in_time_is_a_timeout(mut world: World) {
    let (_a, seen) = serve(&mut world, "a").await;
    let _b = serve(&mut world, "b").await;
    let client = client(&world)
        .await
        .prepare(|call| call.timeout(Duration::from_millis(300)));
    let begin = Instant::now();
    let mut gather = client.hold(&Context::new(), "b");
    let (server, answer) = gather.next().await.unwrap();
    assert_eq!((server.as_str(), answer.unwrap().as_str()), ("b", "b"));
    let (server, answer) = gather.next().await.unwrap();
    assert_eq!(server, "a");
    assert!(answer.unwrap_err().rpc().unwrap().is_timeout());
    assert!(gather.next().await.is_none());
    assert!(begin.elapsed() >= Duration::from_millis(300));
    Seen::wait(&seen.dropped, 1).await;
}

pub(super) async fn a_lost_server_is_peer_lost(mut world: World) {
    let transport = world.node("").await;
    let seen = Arc::new(Seen::default());
    let node = Node {
        name: "lost".into(),
        seen: Arc::clone(&seen),
    };
    let _lost = start(&transport, "lost", LoadedDispatcher::new(node))
        .start()
        .await
        .unwrap();
    world.list(&transport);
    let _b = serve(&mut world, "b").await;
    let client = client(&world).await;
    let gather = tokio::spawn(all(client.hold(&Context::new(), "b")));
    Seen::wait(&seen.held, 1).await;
    transport.close(Duration::ZERO).await;
    let answers = gather.await.unwrap();
    assert_eq!(answers["b"], Ok("b".to_owned()));
    assert_eq!(answers["lost"], Err(Problem::Rpc(ErrorKind::PeerLost)));
    // its address is one of a node that is not reached any more
    assert!(answers.len() <= 3);
}

pub(super) async fn a_node_that_is_not_reached_is_undeliverable(mut world: World) {
    let _a = serve(&mut world, "a").await;
    let absent = world.list_absent();
    let client = client(&world).await;
    let mut answers = all(client.load(&Context::new(), 1)).await;
    assert_eq!(answers.remove("a"), Some(load(1)));
    assert_eq!(
        answers.remove(&absent),
        Some(Err(Problem::Rpc(ErrorKind::Undeliverable)))
    );
    assert!(answers.is_empty());
}

pub(super) async fn a_named_server_is_asked_alone(mut world: World) {
    let _servers = [serve(&mut world, "a").await, serve(&mut world, "b").await];
    let client = client(&world).await;
    let one = client.prepare(|call| call.server("b"));
    let answers = all(one.load(&Context::new(), 7)).await;
    assert_eq!(answers, [("b".to_owned(), load(7))].into());
    let gone = client.prepare(|call| call.server("gone").timeout(Duration::from_millis(50)));
    let answers = all(gone.load(&Context::new(), 7)).await;
    assert_eq!(
        answers,
        [(
            "gone".to_owned(),
            Err(Problem::Rpc(ErrorKind::Undeliverable))
        )]
        .into()
    );
}

pub(super) async fn what_can_be_sent_to_nobody_is_one_item(mut world: World) {
    let _probe = world.node("").await;
    let absent = world.list_absent();
    let client = client(&world).await;
    let short = client.prepare(|call| call.timeout(Duration::from_millis(50)));
    let ctx = Context::new();
    let answers = all(short.load(&ctx, 1)).await;
    assert_eq!(answers.len(), 1);
    // where nobody is listed, it has the target's name
    for (name, answer) in answers {
        assert!(name == absent || name == "probe", "{name}");
        assert_eq!(answer, Err(Problem::Rpc(ErrorKind::Undeliverable)));
    }
    // refused before it is sent
    let capped = client.prepare(|call| call.version_cap("2.4"));
    let answers = all(capped.newest(&ctx)).await;
    assert_eq!(
        answers,
        [("probe".to_owned(), Err(Problem::Rpc(ErrorKind::VersionCap)))].into()
    );
    let zero = client.prepare(|call| call.timeout(Duration::ZERO));
    let answers = all(zero.load(&ctx, 1)).await;
    assert_eq!(
        answers,
        [(
            "probe".to_owned(),
            Err(Problem::Rpc(ErrorKind::Undeliverable))
        )]
        .into()
    );
    assert_eq!(client.rpc().transport().stats().requests_sent, 0);
}

mod older {
    use super::{Context, rpc_api};

    /// What it was like before.
    #[rpc_api(version = "2.1", topic = "probe")]
    pub(super) trait Loaded {
        #[rpc(gather)]
        async fn load(&self, ctx: &Context, times: u64) -> Result<u64, String>;
    }

    pub(super) struct Old;

    impl Loaded for Old {
        async fn load(&self, _: &Context, times: u64) -> Result<u64, String> {
            Ok(100 * times)
        }
    }
}

async fn serve_old(world: &mut World) -> Server {
    let old = older::LoadedDispatcher::new(older::Old);
    world.serve_endpoint("old", old).await.unwrap()
}

pub(super) async fn older_answers_are_made_present_ones(mut world: World) {
    let _servers = (serve(&mut world, "new").await, serve_old(&mut world).await);
    let client = client(&world).await;
    let answers = all(client.load(&Context::new(), 2)).await;
    assert_eq!(
        answers,
        [("new".to_owned(), load(6)), ("old".to_owned(), load(200))].into()
    );
}

pub(super) async fn each_server_is_asked_in_a_version_that_it_speaks(mut world: World) {
    let _servers = (serve(&mut world, "new").await, serve_old(&mut world).await);
    let client = client(&world).await;
    let ctx = Context::new();
    let answers = all(client.load(&ctx, 2).and(1)).await;
    let refused = || Err(Problem::Rpc(ErrorKind::VersionCap));
    assert_eq!(
        answers,
        [("new".to_owned(), load(7)), ("old".to_owned(), refused())].into()
    );
    let refused = Err(Problem::Rpc(ErrorKind::VersionCap));
    let answers = all(client.newest(&ctx)).await;
    assert_eq!(
        answers,
        [("new".to_owned(), Ok(true)), ("old".to_owned(), refused)].into()
    );
    let pinned = client.pin::<2, 1>();
    let answers = all(pinned.load(&ctx, 2)).await;
    assert_eq!(
        answers,
        [("new".to_owned(), load(6)), ("old".to_owned(), load(200))].into()
    );
}

pub(super) async fn a_dropped_gather_cancels_every_call(mut world: World) {
    let (_a, a) = serve(&mut world, "a").await;
    let (_b, b) = serve(&mut world, "b").await;
    let client = client(&world).await;
    let mut gather = client.hold(&Context::new(), "none");
    assert!(gather.next().now_or_never().is_none());
    tokio::select! {
        _ = gather.next() => panic!("nobody answers"),
        () = async { Seen::wait(&a.held, 1).await; Seen::wait(&b.held, 1).await } => {}
    }
    drop(gather);
    Seen::wait(&a.dropped, 1).await;
    Seen::wait(&b.dropped, 1).await;
}

pub(super) async fn a_dropped_wait_loses_no_answer(mut world: World) {
    let _servers = [serve(&mut world, "a").await, serve(&mut world, "b").await];
    let client = client(&world).await;
    for _ in 0..50 {
        let mut gather = client.load(&Context::new(), 1);
        let mut answers = 0;
        loop {
            match gather.next().now_or_never() {
                Some(Some((_, answer))) => answers += usize::from(answer.is_ok()),
                Some(None) => break,
                None => tokio::task::yield_now().await,
            }
        }
        assert_eq!(answers, 2);
    }
}

pub(super) async fn many_servers_all_answer(mut world: World) {
    let transport = world.node("window=8").await;
    let mut servers = Vec::new();
    for index in 0..300 {
        let node = Node {
            name: "x".into(),
            seen: Arc::default(),
        };
        let server = start(
            &transport,
            &format!("server-{index}"),
            LoadedDispatcher::new(node),
        );
        servers.push(server.start().await.unwrap());
    }
    world.list(&transport);
    let client = client(&world).await;
    let answers = all(client.load(&Context::new(), 3)).await;
    assert_eq!(answers.len(), 300);
    assert!(answers.values().all(|answer| *answer == load(3)));
    assert_eq!(client.rpc().transport().stats().requests_sent, 300);
}

pub(super) async fn past_its_limit_a_gather_waits_for_answers(mut world: World) {
    let transport = world.node("").await;
    let seen = Arc::new(Seen::default());
    let mut servers = Vec::new();
    for index in 0..300 {
        let node = Node {
            name: "x".into(),
            seen: Arc::clone(&seen),
        };
        let server = start(
            &transport,
            &format!("server-{index}"),
            LoadedDispatcher::new(node),
        );
        servers.push(server.start().await.unwrap());
    }
    world.list(&transport);
    let client = client(&world)
        .await
        .prepare(|call| call.timeout(Duration::from_secs(3)));
    let asking = tokio::spawn(all(client.hold(&Context::new(), "none")));
    Seen::wait(&seen.held, 256).await;
    let answers = asking.await.unwrap();
    let count = |kind| {
        answers
            .values()
            .filter(|answer| **answer == Err(Problem::Rpc(kind)))
            .count()
    };
    assert_eq!(
        (count(ErrorKind::Timeout), count(ErrorKind::Undeliverable)),
        (256, 44)
    );
    assert_eq!(seen.held.available_permits(), 0);
}

pub(super) async fn who_comes_later_is_not_asked(mut world: World) {
    let (_a, a) = serve(&mut world, "a").await;
    let client = client(&world).await;
    let limit = Duration::from_millis(500);
    let asking = client
        .prepare(|call| call.timeout(limit))
        .hold(&Context::new(), "none");
    let asking = tokio::spawn(all(asking));
    Seen::wait(&a.held, 1).await;
    let (_b, b) = serve(&mut world, "b").await;
    let answers = asking.await.unwrap();
    assert_eq!(
        answers,
        [("a".to_owned(), Err(Problem::Rpc(ErrorKind::Timeout)))].into()
    );
    assert_eq!(b.held.available_permits(), 0);
}

pub(super) async fn a_gather_is_served_as_a_call(mut world: World) {
    let _a = serve(&mut world, "a").await;
    let client = client(&world).await;
    let ctx = Context::new();
    let untyped = client.rpc().untyped().version("2.5");
    let args = serde_json::json!({ "times": 4, "and": null });
    let answer = untyped
        .call::<Result<Load, String>>(&ctx, "load", &args)
        .await;
    assert_eq!(answer.unwrap(), Load { percent: 4 });
    let described = client.rpc().describe(&ctx).await.unwrap();
    assert!(
        described.apis[0]
            .methods
            .iter()
            .all(|method| method.kind == "gather")
    );
    let target = Target::topic("probe");
    assert_eq!(client.rpc().target(), &target);
}

pub(super) async fn a_gather_that_is_changed_after_it_was_sent_is_cancelled(mut world: World) {
    let _a = serve(&mut world, "a").await;
    let client = client(&world).await;
    let mut gather = client.load(&Context::new(), 1);
    assert!(gather.next().now_or_never().is_none());
    let answers = all(gather.and(2)).await;
    assert_eq!(
        answers,
        [("probe".to_owned(), Err(Problem::Rpc(ErrorKind::Cancelled)))].into()
    );
    let unpin = |_: &Gather<bool>| {};
    unpin(&client.newest(&Context::new()));
}
