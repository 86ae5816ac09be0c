//! `cargo xtask api`: the files of what was released of this repository's own APIs are checked, or written.

use std::ffi::OsString;

use crate::counts::Counts;
use crate::run::{CARGO_LIMIT, Outcome, cargo, lines, name, too_long};
use crate::say;

/// Where there are tests of this name.
const PLACES: [&str; 7] = [
    "test",
    "--package=rpc-core",
    "--lib",
    "--package=rpc-tests",
    "--test=history",
    "--",
    "the_released_api_is_kept",
];

/// `check` or `freeze`.
pub(crate) fn run(args: &[OsString]) -> Outcome {
    let word = match args {
        [word] => word
            .to_str()
            .filter(|word| ["check", "freeze"].contains(word)),
        _ => None,
    };
    let Some(word) = word else {
        return Err("`api` takes one word: `check` or `freeze`".to_owned());
    };
    let mut command = cargo(PLACES);
    command.env("RPC_HISTORY", word);
    let mut counts = Counts::default();
    let ended = lines(&mut command, CARGO_LIMIT, |line| {
        say::raw(line);
        if let Some(more) = Counts::from_line(&String::from_utf8_lossy(line)) {
            counts.add(more);
        }
    })?;
    match ended {
        Some(status) if !status.success() => Err(format!(
            "`{}` failed ({status}); what is wrong, and what to write, is above",
            name(&command)
        )),
        Some(_) if counts.passed == 0 => Err(
            "no test ran; look for `the_released_api_is_kept`, and teach xtask/src/api.rs where it is".to_owned(),
        ),
        Some(_) => Ok(()),
        None => Err(too_long(&command, CARGO_LIMIT)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_other_word_than_two_is_refused() {
        for words in [&["thaw"][..], &[], &["check", "freeze"]] {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            assert_eq!(
                run(&words),
                Err("`api` takes one word: `check` or `freeze`".to_owned())
            );
        }
    }
}
