//! The API as it was at older releases: what the servers run that are not upgraded yet. The newest is in `api.rs`.

pub mod train;
pub mod victoria;
pub mod zed;
