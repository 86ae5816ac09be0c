//! What options may be set to: a value, or nothing.

use crate::{ApiInfo, Version, text};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A value of an option; or `None`, which takes back what was set before.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no value of this option",
    label = "a value of the option's type is expected, or `None`, which takes back what was set before"
)]
pub trait Setting<T> {
    /// The value.
    fn setting(self) -> Option<T>;
}

macro_rules! plain {
    ($($type:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl Setting<Self> for $type {
            fn setting(self) -> Option<Self> {
                Some(self)
            }
        }

        #[diagnostic::do_not_recommend]
        impl Setting<$type> for Option<$type> {
            fn setting(self) -> Self {
                self
            }
        }
    )*};
}

plain!(bool, u32, Duration);

// one `Option` for each kind of value, or `None` would not know which it is
macro_rules! names {
    ($($type:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl Setting<Arc<str>> for $type {
            fn setting(self) -> Option<Arc<str>> {
                Some(self.into())
            }
        }
    )*};
}

names!(&str, String, Arc<str>);

#[diagnostic::do_not_recommend]
impl Setting<Arc<str>> for &String {
    fn setting(self) -> Option<Arc<str>> {
        self.as_str().setting()
    }
}

#[diagnostic::do_not_recommend]
impl Setting<Arc<str>> for Option<&str> {
    fn setting(self) -> Option<Arc<str>> {
        self.map(Into::into)
    }
}

/// A [`Version`]; a text that is one, or is the name of a release; or `None`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no version",
    label = "write `version!(\"2.5\")`, a text such as `\"2.5\"`, or `None`"
)]
pub trait IntoVersion {
    /// The version that it means to an API.
    ///
    /// # Errors
    ///
    /// When a text is neither a version nor a release of the API.
    fn into_version(self, api: &ApiInfo) -> Result<Option<Version>, UnknownVersion>;
}

#[diagnostic::do_not_recommend]
impl IntoVersion for Version {
    fn into_version(self, _: &ApiInfo) -> Result<Option<Version>, UnknownVersion> {
        Ok(Some(self))
    }
}

#[diagnostic::do_not_recommend]
impl IntoVersion for Option<Version> {
    fn into_version(self, _: &ApiInfo) -> Result<Option<Version>, UnknownVersion> {
        Ok(self)
    }
}

#[diagnostic::do_not_recommend]
impl IntoVersion for &str {
    fn into_version(self, api: &ApiInfo) -> Result<Option<Version>, UnknownVersion> {
        let mut aliases = api.aliases().iter();
        if let Some((_, version)) = aliases.find(|(name, _)| *name == self) {
            return Ok(Some(*version));
        }
        let parsed = self.parse().map(Some);
        parsed.map_err(|error: crate::ParseVersionError| {
            let known: Vec<&str> = api.aliases().iter().map(|(name, _)| *name).collect();
            UnknownVersion(if known.is_empty() {
                error.to_string()
            } else {
                format!(
                    "\"{}\" is neither a version, such as \"2.5\", nor a release of `{}`: {}",
                    text::shown(self),
                    api.name(),
                    known.join(", ")
                )
            })
        })
    }
}

#[diagnostic::do_not_recommend]
impl IntoVersion for &String {
    fn into_version(self, api: &ApiInfo) -> Result<Option<Version>, UnknownVersion> {
        self.as_str().into_version(api)
    }
}

#[diagnostic::do_not_recommend]
impl IntoVersion for String {
    fn into_version(self, api: &ApiInfo) -> Result<Option<Version>, UnknownVersion> {
        self.as_str().into_version(api)
    }
}

/// A text is neither a version nor the name of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownVersion(String);

impl fmt::Display for UnknownVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UnknownVersion {}
