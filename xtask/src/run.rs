//! Child processes: each has a time limit, and none is waited for after it.

use std::env;
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::workspace::root;

/// What a command comes to; the error says what went wrong and what to do about it.
pub(crate) type Outcome<T = ()> = Result<T, String>;

/// The limit for one run of cargo: a build of everything on a slow machine fits well.
pub(crate) const CARGO_LIMIT: Duration = Duration::from_secs(40 * 60);

/// How often a child is asked whether it has ended.
const POLL: Duration = Duration::from_millis(20);

/// How long output is read on after the child has ended, when a process that it left behind holds the pipe open.
const AFTER_END: Duration = Duration::from_secs(5);

/// The most of one line that is handled in one piece.
const PIECE: u64 = 64 * 1024;

/// `cargo` with `args`, the same one that runs this program, in the workspace's root.
pub(crate) fn cargo<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(args);
    command
}

/// Runs to the end with this program's own output; an error unless it succeeded.
pub(crate) fn through(command: &mut Command, limit: Duration) -> Outcome {
    let mut child = spawn(command.stdin(Stdio::null()))?;
    let ended = wait(&mut child, Instant::now() + limit).map_err(|error| lost(command, &error))?;
    succeeded(command, ended, limit)
}

/// Runs to the end and gives what it wrote to standard output; an error unless it succeeded.
pub(crate) fn capture(command: &mut Command, limit: Duration) -> Outcome<Vec<u8>> {
    let mut output = Vec::new();
    let ended = lines(command, limit, |piece| output.extend_from_slice(piece))?;
    succeeded(command, ended, limit)?;
    Ok(output)
}

/// Runs and hands on standard output line by line, as it comes. `None`: stopped at its limit.
pub(crate) fn lines(
    command: &mut Command,
    limit: Duration,
    mut take: impl FnMut(&[u8]),
) -> Outcome<Option<ExitStatus>> {
    let deadline = Instant::now() + limit;
    let mut child = spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()))?;
    let (sender, pieces) = sync_channel(64);
    if let Some(stdout) = child.stdout.take() {
        thread::spawn(move || read_lines(stdout, &sender));
    }

    let mut stop_reading = deadline;
    while Instant::now() < stop_reading {
        match pieces.recv_timeout(POLL) {
            Ok(piece) => take(&piece),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                if stop_reading == deadline && matches!(child.try_wait(), Ok(Some(_))) {
                    stop_reading = deadline.min(Instant::now() + AFTER_END);
                }
            }
        }
    }
    wait(&mut child, deadline).map_err(|error| lost(command, &error))
}

/// Waits for the end of `child`, and ends it at the deadline. `None`: it had to be ended.
pub(crate) fn wait(child: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(POLL);
    }
}

/// The command as one would type it.
pub(crate) fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_stem().unwrap_or(program.as_os_str());
    let mut name = program.to_string_lossy().into_owned();
    for arg in command.get_args() {
        name.push(' ');
        name.push_str(&arg.to_string_lossy());
    }
    name
}

/// What to say of a command that was ended at its limit.
pub(crate) fn too_long(command: &Command, limit: Duration) -> String {
    format!(
        "`{}` was still running after {} minutes and was stopped; programs that it had started may still run",
        name(command),
        limit.as_secs() / 60
    )
}

fn succeeded(command: &Command, ended: Option<ExitStatus>, limit: Duration) -> Outcome {
    match ended {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(format!(
            "`{}` failed ({status}); its output is above",
            name(command)
        )),
        None => Err(too_long(command, limit)),
    }
}

fn spawn(command: &mut Command) -> Outcome<Child> {
    command.spawn().map_err(|error| {
        format!(
            "cannot start `{}`: {error}; check that it is installed and on the PATH",
            name(command)
        )
    })
}

fn lost(command: &Command, error: &io::Error) -> String {
    format!(
        "cannot tell how `{}` ended: {error}; run it again",
        name(command)
    )
}

/// Sends lines, newline included, until the end of `source` or of the receiver.
fn read_lines(source: impl Read, to: &SyncSender<Vec<u8>>) {
    let mut source = BufReader::new(source);
    loop {
        let mut piece = Vec::new();
        match source.by_ref().take(PIECE).read_until(b'\n', &mut piece) {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                if to.send(piece).is_err() {
                    return;
                }
            }
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn output_is_handed_on_line_by_line_and_the_last_line_needs_no_newline() {
        let mut seen = Vec::new();
        let ended = lines(&mut shell("printf 'a\\nb'"), CARGO_LIMIT, |line| {
            seen.push(line.to_vec());
        });
        assert_eq!(seen, [b"a\n".to_vec(), b"b".to_vec()]);
        assert!(
            matches!(ended, Ok(Some(status)) if status.success()),
            "{ended:?}"
        );
    }

    #[test]
    fn a_process_that_outlives_its_limit_is_stopped() {
        let start = Instant::now();
        let ended = lines(
            &mut shell("exec sleep 60"),
            Duration::from_millis(200),
            |_| {},
        );
        assert_eq!(ended, Ok(None));
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_process_that_writes_without_end_is_stopped_at_its_limit() {
        let start = Instant::now();
        let ended = lines(&mut shell("exec yes"), Duration::from_millis(200), |_| {});
        assert_eq!(ended, Ok(None));
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_process_left_behind_with_the_pipe_open_is_not_waited_for() {
        let start = Instant::now();
        let ended = lines(
            &mut shell("sleep 30 2>/dev/null & exit 3"),
            CARGO_LIMIT,
            |_| {},
        );
        assert!(
            matches!(ended, Ok(Some(status)) if status.code() == Some(3)),
            "{ended:?}"
        );
        assert!(start.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_failure_names_the_command_and_its_exit_status() {
        let problem = capture(&mut shell("exit 3"), CARGO_LIMIT).expect_err("it failed");
        assert!(
            problem.contains("`sh -c exit 3`") && problem.contains('3'),
            "{problem}"
        );
    }

    #[test]
    fn a_program_that_does_not_exist_is_named() {
        let problem = through(&mut Command::new("no-such-program"), CARGO_LIMIT)
            .expect_err("it cannot start");
        assert!(problem.contains("`no-such-program`"), "{problem}");
    }
}
