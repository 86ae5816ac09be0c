//! Home of the workspace's integration tests.
