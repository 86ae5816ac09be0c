//! Nodes that register themselves in Redis.

mod broken;
mod down;
mod layout;
mod nodes;
