//! The servers that the tests of directories start.

use std::env::{split_paths, var_os};
use std::ffi::OsString;
use std::path::Path;

use super::debian;
use crate::run::Outcome;

/// Gives the path of `redis-server`.
pub(super) fn redis_server(_: &Path) -> Outcome<OsString> {
    installed("redis-server", "redis-server")
}

/// Gives the path of `dnsmasq`, a DNS server.
pub(super) fn dnsmasq(_: &Path) -> Outcome<OsString> {
    installed("dnsmasq", "dnsmasq-base")
}

/// Where a program is, which Debian has in this package.
fn installed(program: &str, package: &str) -> Outcome<OsString> {
    if let Some(found) = find(program) {
        return Ok(found);
    }
    debian::install(&[package]).map_err(|problem| format!("{program} is missing: {problem}"))?;
    find(program).ok_or_else(|| format!("{program} is missing, although {package} is installed"))
}

fn find(program: &str) -> Option<OsString> {
    let path = var_os("PATH").unwrap_or_default();
    // where Debian has what is for administrators
    let mut places = split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    let found = places.find_map(|place| Some(place.join(program)).filter(|file| file.is_file()));
    found.map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_not_installed() {
        let found = installed("sh", "no such package").expect("every Unix has one");
        assert!(Path::new(&found).ends_with("sh"), "{found:?}");
    }
}
