//! Runs scenarios as Rust's own test programs run tests: the same arguments, the same lines.

use super::fleet::Numbers;
use super::{PATIENCE, Result, scenarios};
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How long each scenario is under load, unless `FLEET_SECONDS` says otherwise.
const SECONDS: u64 = 3;

const NAMES: [&str; 4] = [
    "a_fleet_whose_servers_are_upgraded_first_loses_nothing",
    "a_fleet_whose_clients_are_upgraded_first_loses_nothing",
    "a_fleet_that_is_upgraded_one_by_one_loses_nothing",
    "servers_that_are_killed_cost_what_was_in_flight",
];

async fn scenario(name: &str, time: Duration) -> Result<Numbers> {
    match NAMES.iter().position(|known| *known == name) {
        Some(0) => scenarios::servers_first(time).await,
        Some(1) => scenarios::clients_first(time).await,
        Some(2) => scenarios::mixed(time).await,
        _ => scenarios::killed(time).await,
    }
}

/// What is asked for on the command line.
#[derive(Default)]
struct Wanted<'a> {
    filters: Vec<&'a str>,
    skip: Vec<&'a str>,
    exact: bool,
    list: bool,
    /// Only ignored tests are asked for, and there are none.
    ignored: bool,
}

impl<'a> Wanted<'a> {
    fn parse(arguments: &[&'a str]) -> Self {
        let mut wanted = Self::default();
        let mut arguments = arguments.iter().copied();
        while let Some(argument) = arguments.next() {
            match argument {
                "--exact" => wanted.exact = true,
                "--list" => wanted.list = true,
                "--ignored" => wanted.ignored = true,
                "--skip" => wanted.skip.extend(arguments.next()),
                // their values are no filters
                "--test-threads" | "--format" | "--color" | "--logfile" | "--shuffle-seed"
                | "-Z" => {
                    arguments.next();
                }
                flag if flag.starts_with('-') => {}
                filter => wanted.filters.push(filter),
            }
        }
        wanted
    }

    fn has(&self, name: &str) -> bool {
        let fits = |filter: &&str| match self.exact {
            true => name == *filter,
            false => name.contains(*filter),
        };
        !self.ignored
            && (self.filters.is_empty() || self.filters.iter().any(fits))
            && !self.skip.iter().any(fits)
    }
}

/// A reader that went away is no reason to fail.
fn say(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

pub(crate) fn problem(text: &str) {
    let _ = writeln!(io::stderr(), "error: {text}");
}

pub(crate) async fn run(arguments: &[&str]) -> ExitCode {
    let wanted = Wanted::parse(arguments);
    let names: Vec<&str> = NAMES.into_iter().filter(|name| wanted.has(name)).collect();
    if wanted.list {
        for name in names {
            say(&format!("{name}: test\n"));
        }
        return ExitCode::SUCCESS;
    }
    let seconds = std::env::var("FLEET_SECONDS");
    let seconds = match seconds.as_deref().map(str::parse) {
        Ok(Ok(seconds)) => seconds,
        Err(_) => SECONDS,
        Ok(Err(_)) => {
            problem("FLEET_SECONDS is a number of seconds");
            return ExitCode::FAILURE;
        }
    };
    let time = Duration::from_secs(seconds);

    let began = Instant::now();
    let (mut passed, mut failed) = (0, 0);
    say(&format!("\nrunning {} tests\n", names.len()));
    for name in &names {
        say(&format!("test {name} ... "));
        // a panic in it is a failure of it, and no more
        let mut running = tokio::task::JoinSet::new();
        running.spawn({
            let name = (*name).to_owned();
            async move { scenario(&name, time).await }
        });
        let ended = match timeout(time + 6 * PATIENCE, running.join_next()).await {
            Ok(Some(Ok(ended))) => ended,
            Ok(Some(Err(panic))) => Err(panic.to_string()),
            Ok(None) => Err("it did not run".into()),
            Err(_) => Err("it hangs".into()),
        };
        // the processes of a scenario that hangs end with it
        running.shutdown().await;
        match ended {
            Ok(numbers) => {
                passed += 1;
                say(&format!("ok\n    {numbers}\n"));
            }
            Err(problems) => {
                failed += 1;
                say(&format!("FAILED\n{problems}\n\n"));
            }
        }
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    say(&format!(
        "\ntest result: {verdict}. {passed} passed; {failed} failed; 0 ignored; 0 measured; {} filtered out; finished in {:.2}s\n\n",
        NAMES.len() - names.len(),
        began.elapsed().as_secs_f64()
    ));
    match failed {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::from(101),
    }
}
