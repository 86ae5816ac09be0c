//! What an argument is, as data: in the newest version, and what it was before.

use crate::Version;
use std::fmt;

/// The description of one argument.
#[non_exhaustive]
pub struct ArgInfo {
    name: &'static str,
    type_name: &'static str,
    since: Option<Version>,
    until: Option<Version>,
    default: Option<fn() -> &'static [u8]>,
    lossy: bool,
    names: &'static [(Version, &'static str)],
    types: &'static [(Version, &'static str)],
    values: &'static [(Version, &'static str)],
}

impl ArgInfo {
    /// An argument that every message of the method holds.
    #[must_use]
    pub const fn new(name: &'static str, type_name: &'static str) -> Self {
        Self {
            name,
            type_name,
            since: None,
            until: None,
            default: None,
            lossy: false,
            names: &[],
            types: &[],
            values: &[],
        }
    }

    /// The version that it came with, later than the method.
    #[must_use]
    pub const fn with_since(mut self, since: Version) -> Self {
        self.since = Some(since);
        self
    }

    /// The version from which on it does not exist any more.
    #[must_use]
    pub const fn with_until(mut self, until: Version) -> Self {
        self.until = Some(until);
        self
    }

    /// What gives the encoded default, of an argument that came later than the method.
    #[must_use]
    pub const fn with_default(mut self, default: fn() -> &'static [u8]) -> Self {
        self.default = Some(default);
        self
    }

    /// To servers that do not know it, it is left out whatever its value.
    #[must_use]
    pub const fn with_lossy(mut self) -> Self {
        self.lossy = true;
        self
    }

    /// What it was called below a version, the lowest first.
    #[must_use]
    pub const fn with_names(mut self, names: &'static [(Version, &'static str)]) -> Self {
        self.names = names;
        self
    }

    /// What its type was below a version, the lowest first.
    #[must_use]
    pub const fn with_types(mut self, types: &'static [(Version, &'static str)]) -> Self {
        self.types = types;
        self
    }

    /// Values that came with a version, the lowest first.
    #[must_use]
    pub const fn with_values(mut self, values: &'static [(Version, &'static str)]) -> Self {
        self.values = values;
        self
    }

    /// The name on the wire.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The type as it is written in the trait.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        self.type_name
    }

    /// The version that it came with, if that is later than the method's.
    #[must_use]
    pub const fn since(&self) -> Option<Version> {
        self.since
    }

    /// The version from which on it does not exist any more.
    #[must_use]
    pub const fn until(&self) -> Option<Version> {
        self.until
    }

    /// What a server takes for it in a message that is older than it, encoded.
    #[must_use]
    pub fn default_bytes(&self) -> Option<&'static [u8]> {
        self.default.map(|default| default())
    }

    /// Whether it is left out whatever its value, to servers that do not know it.
    #[must_use]
    pub const fn is_lossy(&self) -> bool {
        self.lossy
    }

    /// What it was called below a version, the lowest first.
    #[must_use]
    pub const fn names(&self) -> &'static [(Version, &'static str)] {
        self.names
    }

    /// What its type was below a version, the lowest first.
    #[must_use]
    pub const fn types(&self) -> &'static [(Version, &'static str)] {
        self.types
    }

    /// Values that came with a version, as patterns, the lowest first.
    #[must_use]
    pub const fn values(&self) -> &'static [(Version, &'static str)] {
        self.values
    }

    /// Whether a message of this version holds it.
    #[must_use]
    pub fn is_in(&self, version: Version) -> bool {
        self.since.is_none_or(|since| since <= version)
            && self.until.is_none_or(|until| version < until)
    }

    /// Its name in a message of this version.
    #[must_use]
    pub fn name_in(&self, version: Version) -> &'static str {
        older(self.names, version).map_or(self.name, |at| self.names[at].1)
    }

    /// The type of its value in a message of this version.
    #[must_use]
    pub fn type_in(&self, version: Version) -> &'static str {
        self.form_in(version)
            .map_or(self.type_name, |form| self.types[form].1)
    }

    /// Which of its older types a message of this version holds.
    pub(crate) fn form_in(&self, version: Version) -> Option<usize> {
        older(self.types, version)
    }

    /// Whether it was removed, or had another name or type.
    pub(super) const fn is_aged(&self) -> bool {
        self.until.is_some() || !self.names.is_empty() || !self.types.is_empty()
    }
}

/// The entry of a history that holds for a version.
fn older(history: &[(Version, &str)], version: Version) -> Option<usize> {
    history.iter().position(|(until, _)| version < *until)
}

impl fmt::Debug for ArgInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArgInfo")
            .field("name", &self.name)
            .field("type_name", &self.type_name)
            .field("since", &self.since)
            .field("until", &self.until)
            .field("lossy", &self.lossy)
            .finish_non_exhaustive()
    }
}
