//! The files of what was released: of nova's compute API, through the releases of ten years, and of APIs that break.

#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing has failed")]

mod broken;
mod compute4;
mod releases;

/// Nova's compute API, as it is now.
#[allow(
    dead_code,
    unreachable_pub,
    reason = "shared with the example, as are the next three"
)]
#[path = "../../examples/rolling_upgrade/api.rs"]
mod api;
#[allow(unreachable_pub)]
#[path = "../../examples/rolling_upgrade/node.rs"]
mod node;
#[allow(dead_code, unreachable_pub)]
#[path = "../../examples/rolling_upgrade/releases/mod.rs"]
mod older;
#[allow(unreachable_pub)]
#[path = "../../examples/rolling_upgrade/types.rs"]
mod types;
