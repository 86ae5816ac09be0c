//! Home of the workspace's integration tests.

/// The README's code is compiled, and run where it can be.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
