//! Hosts of the tests' own: network namespaces, made with `ip` of iproute2.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::debian;
use crate::run::{Outcome, capture};
use crate::say;

/// The limit for one run of `ip`.
const LIMIT: Duration = Duration::from_secs(60);

/// Gives the program that makes them, if it can.
pub(super) fn prepare(_: &Path) -> Outcome<OsString> {
    let program = find().or_else(|()| install())?;
    let name = format!("rpc-probe-{}", std::process::id());
    let probes = [
        format!("netns add {name}"),
        format!("-n {name} link add one type veth peer name other"),
    ];
    let made = probes
        .iter()
        .try_for_each(|probe| ip(program, probe.split(' ')).map(drop));
    let _ = ip(program, ["netns", "del", &name]);
    made.map_err(|problem| {
        format!("{problem}; tests between hosts need root and a kernel that permits network namespaces and veth")
    })?;
    Ok(program.into())
}

/// It is not on everybody's PATH.
fn find() -> Result<&'static str, ()> {
    ["ip", "/usr/sbin/ip", "/sbin/ip"]
        .into_iter()
        .find(|program| ip(program, ["-V"]).is_ok())
        .ok_or(())
}

fn install() -> Outcome<&'static str> {
    let needed = "there is no `ip`, of iproute2";
    say::line(needed);
    debian::install(&["iproute2"])
        .map_err(|problem| format!("{needed}; install it, and run this again: {problem}"))?;
    find().map_err(|()| format!("{needed}, and Debian's package iproute2 did not bring it"))
}

fn ip<'a>(program: &str, words: impl IntoIterator<Item = &'a str>) -> Outcome<Vec<u8>> {
    let mut command = Command::new(program);
    capture(command.args(words).stderr(Stdio::null()), LIMIT)
}
