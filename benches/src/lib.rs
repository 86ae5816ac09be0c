//! What the framework costs, beside programs that do the same work by other means.
//!
//! Client and server are processes of their own: for each round of each side, a benchmark program starts itself again as the
//! server and as the client. The sides take turns, so that whatever else the machine does falls on all of them, and it is their
//! ratios that are judged.
//!
//! | file | what it is about |
//! |---|---|
//! | `list` | the benchmarks, and their figures by name and unit |
//! | `criterion` | what has to come out |
//! | `side` | what a side is, and what it is asked for |
//! | `load` | work by one task and by many, and how it is timed |
//! | `work/` | the rounds that sides do alike: echoes, streams, idle connections, very many servers |
//! | `sides/api`, `sides/ours` | the framework's server and client |
//! | `sides/keys` | the keys of both, for the side that has them |
//! | `sides/floor` | what the floors have in common |
//! | `sides/raw` | the floor of sockets: bytes over TCP, and a table of who waits for what |
//! | `sides/zeromq` | the floor of ZeroMQ: the bare `zeromq` crate |
//! | `process`, `usage` | server and client processes; what processors and memory one used |
//! | `measure`, `spread` | rounds, and their medians |
//! | `lines`, `page` | what is printed, and what is written into a document |
//! | `program`, `options` | the command line |

#![allow(
    missing_docs,
    clippy::missing_errors_doc,
    clippy::must_use_candidate,
    reason = "it is a library for the benchmarks of this repository only"
)]

pub mod criterion;
mod lines;
pub mod list;
pub mod load;
mod measure;
mod options;
mod page;
pub mod process;
pub mod program;
pub mod side;
pub mod sides;
mod spread;
mod usage;
pub mod work;

use std::fmt;
use std::io::{self, Write};

/// What something comes to; the error is for whoever runs the benchmarks.
pub type Outcome<T = ()> = Result<T, String>;

/// One line to standard output. A reader that went away is no reason to fail.
fn say(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Makes a message of an error: what went wrong, and why.
pub fn because<E: fmt::Display>(what: &str) -> impl FnOnce(E) -> String {
    move |error| format!("{what}: {error}")
}
