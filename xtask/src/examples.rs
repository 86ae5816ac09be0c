//! `cargo xtask examples`: every example is built and runs to its end, in time.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::run::{CARGO_LIMIT, Outcome, capture, cargo, wait};
use crate::say;
use crate::step::{seconds, step};
use crate::workspace::{metadata, root, target_folder};

const PACKAGE: &str = "rpc-examples";

/// The time that one example has.
const LIMIT: Duration = Duration::from_secs(60);

/// The most of a failed example's output that is shown: its end.
const SHOWN: u64 = 64 * 1024;

/// Builds all examples, then runs each; an error names those that failed.
pub(crate) fn run() -> Outcome {
    let metadata = step("find the examples", metadata)?;
    let names = example_names(&metadata)?;
    let programs = step("build the examples", build)?;
    let logs = log_folder(&metadata)?;
    step("run the examples", || run_all(&names, &programs, &logs))
}

fn run_all(names: &[String], programs: &BTreeMap<String, PathBuf>, logs: &Path) -> Outcome {
    let mut failed = Vec::new();
    for name in names {
        if !report(name, &run_one(name, programs, logs)) {
            failed.push(name.as_str());
        }
    }
    match failed.first() {
        None => Ok(()),
        Some(first) => Err(format!(
            "{} of {} examples failed: {}; their output is above; \
             run one with `cargo run --package {PACKAGE} --example {first}`",
            failed.len(),
            names.len(),
            failed.join(", ")
        )),
    }
}

/// The names of the package's example targets, in the order of the alphabet.
fn example_names(metadata: &Value) -> Outcome<Vec<String>> {
    let package = items(&metadata["packages"])
        .find(|package| package["name"] == PACKAGE)
        .ok_or_else(|| {
            format!(
                "the workspace has no package {PACKAGE}; add it to `members` in the root Cargo.toml"
            )
        })?;
    let mut names: Vec<String> = items(&package["targets"])
        .filter(|target| is_example(target))
        .filter_map(|target| target["name"].as_str().map(str::to_owned))
        .collect();
    if names.is_empty() {
        return Err(format!(
            "the package {PACKAGE} has no examples; look at the [[example]] sections of its Cargo.toml"
        ));
    }
    names.sort();
    Ok(names)
}

/// Builds every example; gives the program of each by name.
fn build() -> Outcome<BTreeMap<String, PathBuf>> {
    let output = capture(
        &mut cargo([
            "build",
            "--package",
            PACKAGE,
            "--examples",
            "--message-format",
            "json-render-diagnostics",
        ]),
        CARGO_LIMIT,
    )?;
    Ok(programs(&output))
}

/// The examples' programs, from the messages of a build: one JSON object a line.
fn programs(messages: &[u8]) -> BTreeMap<String, PathBuf> {
    messages
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact")
        .filter(|message| is_example(&message["target"]))
        .filter_map(|message| {
            let name = message["target"]["name"].as_str()?;
            let program = message["executable"].as_str()?;
            Some((name.to_owned(), PathBuf::from(program)))
        })
        .collect()
}

fn is_example(target: &Value) -> bool {
    items(&target["kind"]).any(|kind| kind == "example")
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The folder for what the examples write, under the build's own.
fn log_folder(metadata: &Value) -> Outcome<PathBuf> {
    let folder = target_folder(metadata).join("xtask").join("examples");
    fs::create_dir_all(&folder).map_err(|error| {
        format!(
            "cannot create {}: {error}; make it writable",
            folder.display()
        )
    })?;
    Ok(folder)
}

/// Says how an example ended; true if well.
fn report(name: &str, outcome: &Outcome<Duration>) -> bool {
    match outcome {
        Ok(time) => say::line(&format!("example {name}: ok ({})", seconds(*time))),
        Err(problem) => say::line(&format!("example {name}: failed: {problem}")),
    }
    outcome.is_ok()
}

/// Runs one example and gives its time. Its output goes to a file, so that nothing it leaves behind is waited for.
fn run_one(name: &str, programs: &BTreeMap<String, PathBuf>, logs: &Path) -> Outcome<Duration> {
    let program = programs.get(name).ok_or_else(|| {
        "it was not built; does it have `required-features` that are off?".to_owned()
    })?;
    let log = logs.join(format!("{name}.log"));
    let start = Instant::now();
    let problem = match run_to_file(program, &log) {
        Ok(Some(status)) if status.success() => return Ok(start.elapsed()),
        Ok(Some(status)) => format!("{status}, after {}", seconds(start.elapsed())),
        Ok(None) => format!("still running after {}, stopped", seconds(LIMIT)),
        Err(error) => format!("cannot run {}: {error}", program.display()),
    };
    show_end(name, &log);
    Err(problem)
}

fn run_to_file(program: &Path, log: &Path) -> io::Result<Option<ExitStatus>> {
    let output = File::create(log)?;
    let mut child = Command::new(program)
        .current_dir(root())
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()?;
    wait(&mut child, Instant::now() + LIMIT)
}

/// Shows the last part of what an example wrote.
fn show_end(name: &str, log: &Path) {
    say::line(&format!("---- output of example {name}"));
    match end_of(log) {
        Ok(text) => say::raw(&text),
        Err(error) => say::line(&format!("cannot read {}: {error}", log.display())),
    }
    say::line(&format!("---- end of the output of example {name}"));
}

fn end_of(log: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(SHOWN)))?;
    let mut text = Vec::new();
    file.take(SHOWN).read_to_end(&mut text)?;
    if text.last().is_some_and(|byte| *byte != b'\n') {
        text.push(b'\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_examples_are_the_example_targets_of_the_package_and_no_others() {
        let metadata = json!({ "packages": [
            { "name": "other", "targets": [{ "name": "no", "kind": ["example"] }] },
            { "name": PACKAGE, "targets": [
                { "name": "rpc_examples", "kind": ["lib"] },
                { "name": "hello", "kind": ["example"] },
                { "name": "fanout", "kind": ["example"] },
            ] },
        ] });
        assert_eq!(
            example_names(&metadata),
            Ok(vec!["fanout".to_owned(), "hello".to_owned()])
        );
    }

    #[test]
    fn no_examples_is_an_error_that_says_where_to_look() {
        for metadata in [
            json!({ "packages": [{ "name": PACKAGE, "targets": [] }] }),
            json!({ "packages": [] }),
            json!(null),
        ] {
            let problem = example_names(&metadata).expect_err("there are no examples");
            assert!(problem.contains("Cargo.toml"), "{problem}");
        }
    }

    #[test]
    fn programs_are_read_from_the_artifacts_of_examples() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"hello","kind":["example"]},"executable":"/t/hello"}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"rpc_core","kind":["lib"]},"executable":null}"#,
            "\nnot json\n\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        let found = programs(messages.as_bytes());
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            [("hello".to_owned(), PathBuf::from("/t/hello"))]
        );
    }
}
