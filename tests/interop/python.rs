//! Python programs, in processes of their own that end with the test.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Where the Python is that has what the peers need.
const VARIABLE: &str = "RPC_TEST_PYTHON";

fn interpreter() -> OsString {
    std::env::var_os(VARIABLE).unwrap_or_else(|| {
        panic!(
            "{VARIABLE} is not set: `cargo xtask test` installs what the Python peers need, and sets it"
        )
    })
}

pub(crate) fn vectors() -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../docs/wire-vectors.json"
    ))
}

/// A program that runs. It is killed when this is dropped, and sees the end of its input when the test process is killed.
pub(crate) struct Python {
    child: Child,
    input: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Python {
    pub(crate) fn start(program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(interpreter());
        command
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/python"))
            .arg("-B") // nothing is written into the source tree
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().expect("the Python that was installed");
        let output = child.stdout.take().expect("piped");
        Self {
            input: child.stdin.take(),
            lines: BufReader::new(output).lines(),
            child,
        }
    }

    /// The next line that it writes.
    pub(crate) async fn line(&mut self) -> String {
        let line = self.lines.next_line().await.expect("text");
        line.expect("it ended; what it wrote to standard error is above")
    }

    /// Lets it end, and waits for that.
    pub(crate) async fn end(mut self) {
        self.input = None;
        self.succeed().await;
    }

    /// Waits for its end.
    pub(crate) async fn succeed(mut self) {
        let status = self.child.wait().await.expect("a child of this process");
        assert!(
            status.success(),
            "it ended with {status}; what it wrote is above"
        );
    }

    /// Ends it at once, in whatever it does.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.expect("a child of this process");
    }
}

/// A server in Python.
pub(crate) struct Node {
    pub(crate) process: Python,
    /// `host:port`
    pub(crate) address: String,
}

impl Node {
    pub(crate) async fn serve(name: &str, options: &[&str]) -> Self {
        let vectors = vectors();
        let mut arguments = vec![name, "--garbage", vectors.to_str().expect("a path of text")];
        arguments.extend(options);
        let mut process = Python::start("serve.py", &arguments);
        let address = process.line().await;
        let address = address.strip_prefix("tcp://").expect("an address of TCP");
        Self {
            address: address.to_owned(),
            process,
        }
    }
}
