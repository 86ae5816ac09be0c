//! Links on which both ends prove who they are: what a key may do, and what becomes of whoever has none.
//!
//! - `keys.rs`: files of keys. `service.rs`: the service behind the links.
//! - `links.rs`: what is carried, and who is let in. `rights.rs`: what a key may do. `lists.rs`: lists that change. `exposure.rs`:
//!   where a node listens without keys.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing has failed")]

mod events;
mod exposure;
mod keys;
mod links;
mod lists;
mod rights;
mod service;
