//! The rounds that several sides do alike.

pub mod echo;
pub mod idle;
pub mod streams;
