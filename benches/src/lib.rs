//! What the framework costs, beside programs that do the same work by other means.
//!
//! Client and server are processes of their own: a benchmark program starts itself again as the server of each side. The sides
//! take turns, so that whatever else the machine does falls on all of them, and it is their ratios that are judged.
//!
//! | file | what it is about |
//! |---|---|
//! | `load` | the work that is asked of all sides, and how it is timed |
//! | `side` | what a side is |
//! | `sides/api`, `sides/ours` | the framework's server and client |
//! | `sides/raw` | the floor of sockets: bytes over TCP, and a table of who waits for what |
//! | `sides/zeromq` | the floor of ZeroMQ: the bare `zeromq` crate |
//! | `process` | server processes, and what processors they used |
//! | `measure` | rounds, medians, and the lines of the report |
//! | `program` | the command line |

#![allow(
    missing_docs,
    clippy::missing_errors_doc,
    clippy::must_use_candidate,
    reason = "it is a library for the benchmarks of this repository only"
)]

pub mod load;
pub mod measure;
pub mod process;
pub mod program;
pub mod side;
pub mod sides;

use std::fmt;
use std::io::{self, Write};

/// What something comes to; the error is for whoever runs the benchmarks.
pub type Outcome<T = ()> = Result<T, String>;

/// One line to standard output. A reader that went away is no reason to fail.
pub fn say(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Makes a message of an error: what went wrong, and why.
pub fn because<E: fmt::Display>(what: &str) -> impl FnOnce(E) -> String {
    move |error| format!("{what}: {error}")
}
