//! Nova's compute API from 4.0 to 5.0: its types have changed more than any.

#[allow(
    dead_code,
    reason = "shared with the tests of upgrades, as is the next"
)]
#[path = "../upgrade/compute4/api.rs"]
pub(crate) mod api;
#[allow(dead_code)]
#[path = "../upgrade/compute4/types.rs"]
mod types;
