//! Home of the examples.
