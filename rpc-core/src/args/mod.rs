//! The arguments of one message: a map by name, written and read one by one.
//!
//! No type per method is generated for them. What is generic is one value at a time; the rest is compiled once.
//!
//! A message of version v holds exactly the arguments that exist at v, under their names and in their types at v. The client
//! packs what its user gave ([`Packed`]), finds the version that the message needs ([`version`]), and puts together what that
//! version holds. The server reads it by the same rules ([`Frame`]), and fills in the defaults of what is newer.

mod default;
mod frame;
mod pack;
#[cfg(test)]
mod properties;
mod sealed;
#[cfg(test)]
mod tests;
mod version;

pub use default::{DefaultBytes, none};
pub(crate) use frame::{ArgumentError, Trial};
pub use frame::{Frame, OwnedArg, Slot};
pub(crate) use pack::Packed;
pub(crate) use sealed::{Args, sealed};
pub(crate) use version::{Cap, CapOrigin};
