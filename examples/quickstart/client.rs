//! The client: every way to send a message, and what comes back.

use crate::api::{HostAgentClient, Process, Trouble};
use crate::{Agent, Journal, Result};
use futures_util::{StreamExt, TryStreamExt};
use rpc_core::{CallError, Context, ErrorKind, version};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// What was seen, counted as it came.
#[derive(Default)]
struct Seen {
    calls: u64,
    items: u64,
    typed_errors: u64,
    refused_unsent: u64,
    asked_again: u64,
}

/// Shows everything once.
pub async fn run(agents: &mut Vec<Agent>) -> Result<()> {
    let addresses: Vec<&str> = agents.iter().map(|agent| agent.address.as_str()).collect();
    let transport = rpc_zmq::connect(&format!("zmq://{}", addresses.join(","))).await?;
    let client = HostAgentClient::new(transport.clone())
        .prepare(|call| call.timeout(Duration::from_secs(5)));
    let ctx = Context::new().with("user", "quickstart");
    let mut seen = Seen::default();
    let started = agents.len();

    by_name(&client, &ctx, agents, &mut seen).await?;
    in_turn(&client, &ctx, started, &mut seen).await?;
    largest_processes(&client, &ctx, &mut seen).await?;
    files(&client, &ctx, &mut seen).await?;
    notes(&client, &ctx, started, &mut seen).await?;
    capped(&client, &ctx, &mut seen).await?;
    without_one(&client, &ctx, agents, &mut seen).await?;

    transport.close(Duration::from_secs(1)).await;
    println!(
        "\nSeen: {started} agents, {} of them alive at the end; {} calls answered, {} asked again; {} items streamed; \
         {} typed errors; {} message refused before it was sent.",
        agents.len(),
        seen.calls,
        seen.asked_again,
        seen.items,
        seen.typed_errors,
        seen.refused_unsent,
    );
    Ok(())
}

/// A call to each agent by its name.
async fn by_name(
    client: &HostAgentClient,
    ctx: &Context,
    agents: &[Agent],
    seen: &mut Seen,
) -> Result<()> {
    println!("Three agents, each a process of its own:");
    for agent in agents {
        let one = client.prepare(|call| call.server(agent.name));
        let uptime = one.uptime(ctx).await?;
        seen.calls += 1;
        println!(
            "  {}  {:<16} process {:<8} its machine is up {}",
            agent.name,
            agent.address,
            agent.process.id().unwrap_or_default(),
            hours(uptime),
        );
    }
    Ok(())
}

/// Calls to whoever's turn it is.
async fn in_turn(
    client: &HostAgentClient,
    ctx: &Context,
    agents: usize,
    seen: &mut Seen,
) -> Result<()> {
    println!("\nSix calls, to whoever's turn it is:");
    let mut answered = BTreeMap::new();
    for _ in 0..6 {
        let load = client.load(ctx).await?;
        seen.calls += 1;
        println!(
            "  {} says that the load is {:.2}, {:.2}, {:.2}",
            load.agent, load.one, load.five, load.fifteen
        );
        *answered.entry(load.agent).or_insert(0) += 1;
    }
    assert_eq!(answered.len(), agents, "everybody has a turn");
    assert!(answered.values().all(|turns| *turns == 2), "{answered:?}");
    Ok(())
}

/// A multicall: one reply for each process.
async fn largest_processes(client: &HostAgentClient, ctx: &Context, seen: &mut Seen) -> Result<()> {
    let mut processes: Vec<Process> = client
        .processes(ctx)
        .map_ok(|(_number, process)| process)
        .try_collect()
        .await?;
    seen.items += processes.len() as u64;
    processes.sort_by_key(|process| Reverse(process.memory));

    println!("\n{} processes, one by one; the largest:", processes.len());
    for process in processes.iter().take(5) {
        println!(
            "  {:>8}  {:>9.1} MiB  {}",
            process.pid,
            mebibytes(process.memory),
            process.name
        );
    }
    let own = std::process::id();
    assert!(processes.iter().any(|process| process.pid == own));
    Ok(())
}

/// Lines of a file, and the typed error of one that is not there.
async fn files(client: &HostAgentClient, ctx: &Context, seen: &mut Seen) -> Result<()> {
    println!("\nThe last two lines of {}:", Journal::NAME);
    let mut lines = client.tail(ctx, Journal::NAME, 2);
    while let Some(line) = lines.next().await {
        let (number, text) = line?;
        seen.items += 1;
        println!("  {number}: {text}");
    }

    for file in ["missing.log", "../secrets"] {
        match client.tail(ctx, file, 2).try_next().await {
            Err(CallError::Method(
                trouble @ (Trouble::NoSuchFile(_) | Trouble::NotAFileName(_)),
            )) => {
                seen.typed_errors += 1;
                println!("  {file}: {trouble:?}: {trouble}");
            }
            other => return Err(format!("{file}: {other:?}").into()),
        }
    }
    Ok(())
}

/// A cast to one agent, and a cast to all.
async fn notes(
    client: &HostAgentClient,
    ctx: &Context,
    agents: usize,
    seen: &mut Seen,
) -> Result<()> {
    println!("\nNotes:");
    let one = client.prepare(|call| call.server("node-2"));
    one.note(ctx, "disk 3 is slow").await?;
    println!("  node-2 knows {:?}", notes_when(&one, ctx, 1, seen).await?);

    let fanout = client.forget(ctx).await?;
    assert_eq!(fanout.accepted.len(), agents);
    println!("  to be forgotten by {}", fanout.accepted.join(", "));
    println!("  node-2 knows {:?}", notes_when(&one, ctx, 0, seen).await?);
    Ok(())
}

/// The notes of an agent, once there are as many. A cast that is accepted has not run yet, so it may take a moment.
async fn notes_when(
    client: &HostAgentClient,
    ctx: &Context,
    count: usize,
    seen: &mut Seen,
) -> Result<Vec<String>> {
    let asking = async {
        loop {
            let notes = client.notes(ctx).await?;
            if notes.len() == count {
                return Ok(notes);
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    let notes = timeout(Duration::from_secs(5), asking).await?;
    seen.calls += u64::from(notes.is_ok());
    notes
}

/// While a fleet is upgraded, a cap keeps clients to what the oldest agent understands.
async fn capped(client: &HostAgentClient, ctx: &Context, seen: &mut Seen) -> Result<()> {
    println!("\nA client that is capped at version 1.0:");
    let transport = client.rpc().transport();
    let capped = client.prepare(|call| call.version_cap(version!("1.0")));
    let load = capped.load(ctx).await?;
    seen.calls += 1;
    println!("  `load` came with 1.0: {} answered", load.agent);

    let sent = transport.stats().requests_sent;
    match capped.notes(ctx).await {
        Err(CallError::Rpc(error)) if error.kind() == ErrorKind::VersionCap => {
            assert_eq!(transport.stats().requests_sent, sent, "nothing was sent");
            seen.refused_unsent += 1;
            println!("  {error}");
        }
        other => return Err(format!("the cap does not hold: {other:?}").into()),
    }
    Ok(())
}

/// One agent is killed between two calls, and the calls go on.
async fn without_one(
    client: &HostAgentClient,
    ctx: &Context,
    agents: &mut Vec<Agent>,
    seen: &mut Seen,
) -> Result<()> {
    println!("\nTwelve calls; node-2 is killed after the fourth:");
    let mut answered = BTreeMap::new();
    for number in 0..12 {
        if number == 4 {
            agents.remove(1).kill().await?;
        }
        let load = loop {
            match client.load(ctx).await {
                Ok(load) => break load,
                // It was sent, so it may have run, and nothing but the caller knows whether it may run again. This may.
                Err(CallError::Rpc(error)) if error.kind() == ErrorKind::PeerLost => {
                    seen.asked_again += 1;
                }
                Err(error) => return Err(error.into()),
            }
        };
        seen.calls += 1;
        let turns: &mut [u32; 2] = answered.entry(load.agent).or_default();
        turns[usize::from(number >= 4)] += 1;
    }
    for (agent, [before, after]) in &answered {
        println!("  {agent} answered {before} before and {after} after");
    }
    let after: u32 = answered.values().map(|[_, after]| after).sum();
    assert_eq!(after, 8, "all were answered");
    assert_eq!(answered.get("node-2").map(|[_, after]| *after), Some(0));
    Ok(())
}

fn hours(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    format!("{} h {:02} min", minutes / 60, minutes % 60)
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
