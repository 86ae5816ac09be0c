//! API versions and the rule of which serves which.

use std::fmt;
use std::str::FromStr;

/// The version of an API, of one of its methods, or of a message.
///
/// `major.minor`, with an optional revision. The rule is oslo.messaging's: a server at `2.5` serves messages of `2.0` to
/// `2.5`, and none of another major; see [`serves`](Version::serves).
///
/// ```
/// use rpc_core::{Version, version};
///
/// let server = version!("2.5"); // a typo in the literal does not compile
/// assert!(server.serves(version!("2.3")));
/// assert!(!server.serves(version!("2.6")));
/// assert!(!server.serves(version!("1.0")));
/// assert_eq!("2.5".parse(), Ok(server));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    major: u16,
    minor: u16,
    revision: u16,
}

impl Version {
    /// `major.minor`.
    #[must_use]
    pub const fn new(major: u16, minor: u16) -> Self {
        Self {
            major,
            minor,
            revision: 0,
        }
    }

    /// The same version with a revision: `1.2` becomes `1.2.7`.
    #[must_use]
    pub const fn with_revision(self, revision: u16) -> Self {
        Self { revision, ..self }
    }

    /// The part that changes when old messages are no longer understood.
    #[must_use]
    pub const fn major(self) -> u16 {
        self.major
    }

    /// The part that changes when something is added.
    #[must_use]
    pub const fn minor(self) -> u16 {
        self.minor
    }

    /// The optional third part, 0 when it is absent.
    #[must_use]
    pub const fn revision(self) -> u16 {
        self.revision
    }

    /// Whether an implementation of this version understands a message of version `asked`: the same major, and no newer
    /// minor. The revision counts only between equal minors.
    ///
    /// The same rule decides whether a version cap (`self`) lets a message (`asked`) through. It is
    /// `version_is_compatible` of oslo.messaging's `_utils.py`.
    #[must_use]
    pub const fn serves(self, asked: Self) -> bool {
        self.major == asked.major
            && (asked.minor < self.minor
                || (asked.minor == self.minor && asked.revision <= self.revision))
    }

    /// `<`, in a `const`.
    pub(crate) const fn is_below(self, other: Self) -> bool {
        self.major < other.major
            || (self.major == other.major
                && (self.minor < other.minor
                    || (self.minor == other.minor && self.revision < other.revision)))
    }

    /// Parses a version in a `const`; this is what [`version!`](crate::version!) calls.
    ///
    /// # Panics
    ///
    /// When `text` is no version. In a `const` that is a compile error.
    #[must_use]
    pub const fn literal(text: &str) -> Self {
        match parse(text) {
            Some(version) => version,
            None => panic!("not a version: write \"major.minor\", like \"2.5\""),
        }
    }
}

/// A [`Version`] from a literal, checked when it is compiled.
///
/// ```
/// assert_eq!(rpc_core::version!("2.5"), rpc_core::Version::new(2, 5));
/// ```
///
/// ```compile_fail
/// let version = rpc_core::version!("2"); // no minor
/// ```
#[macro_export]
macro_rules! version {
    ($text:literal) => {{
        // a constant of its own, so that `cargo check` sees a mistake
        const VERSION: $crate::Version = $crate::Version::literal($text);
        VERSION
    }};
}

const fn parse(text: &str) -> Option<Version> {
    let bytes = text.as_bytes();
    let mut parts = [0u16; 3];
    let (mut part, mut digits, mut at) = (0, 0, 0);
    while at < bytes.len() {
        match bytes[at] {
            digit @ b'0'..=b'9' => {
                // u32 holds any u16 * 10 + 9, so this can't overflow before it is checked
                let value = parts[part] as u32 * 10 + (digit - b'0') as u32;
                if value > u16::MAX as u32 {
                    return None;
                }
                #[allow(clippy::cast_possible_truncation, reason = "checked above")]
                {
                    parts[part] = value as u16;
                }
                digits += 1;
            }
            b'.' if digits > 0 && part < 2 => {
                part += 1;
                digits = 0;
            }
            _ => return None,
        }
        at += 1;
    }
    if part == 0 || digits == 0 {
        return None;
    }
    Some(Version::new(parts[0], parts[1]).with_revision(parts[2]))
}

impl FromStr for Version {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| ParseVersionError {
            text: crate::text::shown(text),
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        if self.revision > 0 {
            write!(f, ".{}", self.revision)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text is no version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseVersionError {
    text: String,
}

impl fmt::Display for ParseVersionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "\"{}\" is not a version: write \"major.minor\", like \"2.5\", each part at most 65535",
            self.text
        )
    }
}

impl std::error::Error for ParseVersionError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn v(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn serves_what_oslo_calls_compatible() {
        for (implemented, asked, expected) in [
            ("1.0", "1.0", true),
            ("1.1", "1.0", true),
            ("1.0", "1.1", false),
            ("2.0", "1.0", false),
            ("1.0", "2.0", false),
            ("1.2", "1.2.0", true),
            ("1.2", "1.2.1", false),
            ("1.2.1", "1.2", true),
            ("1.3", "1.2.9", true),
            ("01.2", "1.02", true),
        ] {
            assert_eq!(
                v(implemented).serves(v(asked)),
                expected,
                "{implemented} {asked}"
            );
        }
    }

    #[test]
    fn malformed_versions_are_errors() {
        for text in [
            "", "5", "5.", ".5", "5.a", "5.5.a", "5.5.", "1.2.3.4", " 1.2", "1.65536", "-1.2",
            "1..2",
        ] {
            assert!(text.parse::<Version>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_to_the_same(major: u16, minor: u16, revision: u16) {
            let version = Version::new(major, minor).with_revision(revision);
            prop_assert_eq!(version.to_string().parse(), Ok(version));
        }

        #[test]
        fn serving_is_transitive(a: [u8; 3], b: [u8; 3], c: [u8; 3]) {
            let make = |[major, minor, revision]: [u8; 3]| {
                Version::new((major % 2).into(), (minor % 3).into()).with_revision((revision % 3).into())
            };
            let (a, b, c) = (make(a), make(b), make(c));
            prop_assert!(a.serves(a));
            prop_assert!(!(a.serves(b) && b.serves(c)) || a.serves(c));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<Version>();
        }
    }
}
