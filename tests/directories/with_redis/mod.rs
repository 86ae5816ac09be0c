//! Nodes that register themselves in Redis.

mod down;
mod layout;
mod nodes;
