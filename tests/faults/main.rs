//! What comes of a single frame that is lost, repeated, delayed or overtaken, and of a link that is cut.

#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing has failed")]

mod answers;
mod links;
mod probe;
mod requests;
mod streams;
