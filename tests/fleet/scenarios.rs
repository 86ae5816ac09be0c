//! The orders in which a fleet is upgraded, and one in which its servers die.

use super::Result;
use super::api::Build::{New, Old};
use super::fleet::{CLIENTS, Fleet, Numbers, SERVERS};
use std::time::{Duration, Instant};

/// One thing that an operator does at a time.
#[derive(Clone, Copy)]
enum Step {
    Server(usize),
    Client(usize),
}

fn servers() -> impl Iterator<Item = Step> {
    (0..SERVERS).map(Step::Server)
}

fn clients() -> impl Iterator<Item = Step> {
    (0..CLIENTS).map(Step::Client)
}

pub(crate) async fn servers_first(time: Duration) -> Result<Numbers> {
    let numbers = upgrade(servers().chain(clients()).collect(), time).await?;
    // new clients never see an old server
    match numbers.refused.is_empty() {
        true => Ok(numbers),
        false => Err(format!("something was refused: {numbers}")),
    }
}

pub(crate) async fn clients_first(time: Duration) -> Result<Numbers> {
    with_refusals(upgrade(clients().chain(servers()).collect(), time).await?)
}

pub(crate) async fn mixed(time: Duration) -> Result<Numbers> {
    let mut steps: Vec<(usize, Step)> =
        servers().enumerate().chain(clients().enumerate()).collect();
    // stable: of each pair the server comes first
    steps.sort_by_key(|(turn, _)| *turn);
    let steps = steps.into_iter().map(|(_, step)| step).collect();
    with_refusals(upgrade(steps, time).await?)
}

pub(crate) async fn killed(time: Duration) -> Result<Numbers> {
    let mut fleet = Fleet::start([Old, New, New], [Old, New, Old, New], true).await?;
    let went = kill_on(&mut fleet, Instant::now() + time).await;
    with_refusals(fleet.finish(went).await?)
}

/// Upgrades a fleet step by step, takes it back in the opposite order, and so on until the time is over.
async fn upgrade(steps: Vec<Step>, time: Duration) -> Result<Numbers> {
    let until = Instant::now() + time;
    let mut fleet = Fleet::start([Old; SERVERS], [Old; CLIENTS], false).await?;
    let went = to_and_fro(&mut fleet, &steps, until).await;
    fleet.finish(went).await
}

async fn to_and_fro(fleet: &mut Fleet, steps: &[Step], until: Instant) -> Result {
    loop {
        for step in steps {
            take(fleet, *step).await?;
        }
        for step in steps.iter().rev() {
            // once at least, the whole fleet was upgraded
            if Instant::now() >= until {
                return Ok(());
            }
            take(fleet, *step).await?;
        }
    }
}

async fn take(fleet: &mut Fleet, step: Step) -> Result {
    match step {
        Step::Server(at) => fleet.replace_server(at).await,
        Step::Client(at) => fleet.replace_client(at).await,
    }
}

async fn kill_on(fleet: &mut Fleet, until: Instant) -> Result {
    // after the first, all servers are new; after that each is alone once, and each is there once with its neighbour
    let rounds: [&[usize]; 6] = [&[0], &[1], &[2, 0], &[2], &[0, 1], &[1, 2]];
    for victims in rounds.into_iter().cycle() {
        fleet.kill_servers(victims).await?;
        if Instant::now() >= until {
            break;
        }
    }
    Ok(())
}

fn with_refusals(numbers: Numbers) -> Result<Numbers> {
    match numbers.refused.is_empty() {
        true => Err(format!(
            "nothing was refused, so nothing is proven of that: {numbers}"
        )),
        false => Ok(numbers),
    }
}
