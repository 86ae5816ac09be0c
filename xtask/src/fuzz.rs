//! `cargo xtask fuzz`: bytes that chance makes up, for the targets in `tests/fuzz`.

use std::ffi::OsString;
use std::process::Command;
use std::time::Duration;

use crate::run::{CARGO_LIMIT, Outcome, capture, through};
use crate::step::step;
use crate::workspace::root;

/// How long each target is tried, unless the command line says otherwise.
const SECONDS: u64 = 60;

/// No input takes longer, in seconds.
const HANGS: &str = "-timeout=20";

/// What to fuzz: one target or all, for so many seconds each.
#[derive(Debug, PartialEq)]
struct Wanted {
    target: Option<String>,
    seconds: u64,
}

impl Wanted {
    fn parse(args: &[OsString]) -> Outcome<Self> {
        let mut wanted = Self {
            target: None,
            seconds: SECONDS,
        };
        let words: Vec<_> = args.iter().map(|word| word.to_string_lossy()).collect();
        let numbers = match &words[..] {
            [] => return Ok(wanted),
            [one] if one.parse::<u64>().is_ok() => one,
            [target] => {
                wanted.target = Some(target.to_string());
                return Ok(wanted);
            }
            [target, seconds] => {
                wanted.target = Some(target.to_string());
                seconds
            }
            _ => {
                return Err(
                    "`fuzz` takes a target and a number of seconds, or one of them".to_owned(),
                );
            }
        };
        wanted.seconds = numbers
            .parse()
            .map_err(|_| format!("`{numbers}` is no number of seconds"))?;
        Ok(wanted)
    }
}

/// Fuzzes; what is found is kept in `fuzz/artifacts`.
pub(crate) fn run(args: &[OsString]) -> Outcome {
    let wanted = Wanted::parse(args)?;
    let version = capture(&mut cargo_fuzz("--version"), CARGO_LIMIT);
    version.map_err(|problem| {
        format!(
            "{problem}; fuzzing needs `rustup toolchain install nightly`, `cargo install --locked cargo-fuzz` and a C++ compiler"
        )
    })?;
    let listed = capture(&mut cargo_fuzz("list"), CARGO_LIMIT)?;
    let listed = String::from_utf8_lossy(&listed);
    let targets: Vec<&str> = match &wanted.target {
        None => listed.lines().collect(),
        Some(target) => vec![target],
    };
    if let Some(unknown) = targets
        .iter()
        .find(|name| !listed.lines().any(|known| known == **name))
    {
        let known: Vec<&str> = listed.lines().collect();
        return Err(format!(
            "there is no target `{unknown}`; there are {}",
            known.join(", ")
        ));
    }
    for target in targets {
        step(target, || fuzz(target, wanted.seconds))?;
    }
    Ok(())
}

fn fuzz(target: &str, seconds: u64) -> Outcome {
    // what is new goes into the first folder; what is kept is in the second
    let made_up = root().join("target/fuzz/corpus").join(target);
    std::fs::create_dir_all(&made_up)
        .map_err(|error| format!("cannot make {}: {error}", made_up.display()))?;
    let mut command = cargo_fuzz("run");
    command
        .arg("--target-dir")
        .arg(root().join("target/fuzz"))
        .arg(target)
        .arg(&made_up)
        .arg(root().join("fuzz/corpus").join(target))
        .args(["--", HANGS])
        .arg(format!("-max_total_time={seconds}"));
    through(&mut command, CARGO_LIMIT + Duration::from_secs(seconds)).map_err(|problem| {
        format!(
            "{problem}; put the input that it names into fuzz/corpus/{target}, where `cargo test` tries it, under a name that says what it is"
        )
    })
}

/// `cargo fuzz` with the nightly compiler, whichever one runs this program.
fn cargo_fuzz(command: &str) -> Command {
    let mut rustup = Command::new("rustup");
    rustup
        .current_dir(root())
        .args(["run", "nightly", "cargo", "fuzz", command]);
    rustup
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Outcome<(Option<String>, u64)> {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        Wanted::parse(&words).map(|wanted| (wanted.target, wanted.seconds))
    }

    #[test]
    fn a_target_and_a_time_may_be_given_or_left_out() {
        let zmtp = || Some("zmtp".to_owned());
        assert_eq!(parse(&[]), Ok((None, SECONDS)));
        assert_eq!(parse(&["5"]), Ok((None, 5)));
        assert_eq!(parse(&["zmtp"]), Ok((zmtp(), SECONDS)));
        assert_eq!(parse(&["zmtp", "5"]), Ok((zmtp(), 5)));
        assert!(parse(&["zmtp", "long"]).is_err());
        assert!(parse(&["zmtp", "5", "6"]).is_err());
    }
}
