//! What cargo knows of this workspace.

use std::env;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::run::{CARGO_LIMIT, Outcome, capture, cargo};

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    let here = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.parent().map_or(here.clone(), Path::to_path_buf)
}

/// What `cargo metadata` says.
pub(crate) fn metadata() -> Outcome<Value> {
    let output = capture(
        &mut cargo(["metadata", "--no-deps", "--format-version", "1"]),
        CARGO_LIMIT,
    )?;
    serde_json::from_slice(&output).map_err(|error| {
        format!("`cargo metadata` wrote something that is no JSON: {error}; run it by hand")
    })
}

/// Where builds go, and what else may be thrown away.
pub(crate) fn target_folder(metadata: &Value) -> PathBuf {
    metadata["target_directory"]
        .as_str()
        .map_or_else(|| root().join("target"), PathBuf::from)
}
