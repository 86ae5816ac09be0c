//! For tests: what breaks on purpose, so that it can be seen that nothing else does. Behind the feature `testing`.

pub mod lossy;
