//! Packages of Debian and what derives from it, installed where this program may do that: as root, in a container for instance.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::run::{Outcome, capture, through};

/// The limit for one run of apt-get.
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// Installs packages; an error if this is no Debian, or this program may not.
pub(super) fn install(packages: &[&str]) -> Outcome {
    if !is_root() {
        return Err(format!(
            "on Debian or Ubuntu, `apt-get install {}` as root installs it",
            packages.join(" ")
        ));
    }
    // what the lists of packages name may be gone from the mirrors, or there may be no lists
    if apt_get("install", packages).is_err() {
        apt_get("update", &[])?;
        apt_get("install", packages)?;
    }
    Ok(())
}

fn apt_get(what: &str, packages: &[&str]) -> Outcome {
    let mut command = Command::new("apt-get");
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["-q", "-y", what]);
    if !packages.is_empty() {
        command.arg("--no-install-recommends").args(packages);
    }
    through(&mut command, LIMIT)
}

fn is_root() -> bool {
    let mut command = Command::new("id");
    command.arg("-u").stderr(Stdio::null());
    capture(&mut command, Duration::from_secs(60)).is_ok_and(|user| user.trim_ascii() == b"0")
}
