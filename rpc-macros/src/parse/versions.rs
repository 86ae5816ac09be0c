//! The versions that are written inside an API, judged by those that it speaks.

use proc_macro2::Span;
use syn::{Error, LitStr, Result};

use super::literal;
use crate::model::Version;

/// The versions that an API speaks: those of its own major and, with `also`, those of an older one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Versions {
    pub(crate) current: Version,
    pub(crate) also: Option<Version>,
}

/// A version, and where it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    pub(crate) version: Version,
    pub(crate) at: Span,
}

impl Versions {
    /// Of an API that does not say its versions so that they can be read, which is an error already. Whatever is compared
    /// with these is not another one.
    pub(crate) const UNREADABLE: Self = Self {
        current: Version::UNREADABLE,
        also: None,
    };

    pub(crate) fn are_readable(self) -> bool {
        self.current != Version::UNREADABLE
    }

    /// The first version of the API's own major.
    pub(crate) fn base(self) -> Version {
        first(self.current)
    }

    /// The first version of the oldest major that is spoken.
    pub(crate) fn oldest(self) -> Version {
        first(self.also.unwrap_or(self.current))
    }

    /// Reads the version with which something came; `word` is what says it, and may be left out.
    pub(crate) fn since(self, literal: &LitStr, word: &str) -> Result<Written> {
        let written = read(literal)?;
        if self.are_readable() && written.version < self.oldest() {
            let message = format!(
                "the API speaks nothing below {}: leave `{word}` out{}",
                self.oldest(),
                match self.are_many() {
                    true => format!(", or write a version from {}", self.ranges()),
                    false => String::new(),
                }
            );
            return Err(Error::new(written.at, message));
        }
        self.known(written, &format!("`{word}`"))
    }

    /// Reads the version from which on something is no more; `what` is what to remove when nobody speaks of it.
    pub(crate) fn until(self, literal: &LitStr, what: &str) -> Result<Written> {
        let written = read(literal)?;
        if self.are_readable() && written.version <= self.oldest() {
            let message = format!(
                "the API speaks nothing below {}: remove {what}",
                self.oldest()
            );
            return Err(Error::new(written.at, message));
        }
        self.known(written, "`until`")
    }

    /// Reads a version that the API speaks; `subject` is what it is of.
    pub(crate) fn spoken(self, literal: &LitStr, subject: &str) -> Result<Written> {
        self.known(read(literal)?, subject)
    }

    /// A version that errors can name as one that can be written here.
    pub(crate) fn example(self) -> Version {
        match self.are_readable() {
            true => self.current,
            false => Version { major: 2, minor: 1 },
        }
    }

    fn known(self, written: Written, subject: &str) -> Result<Written> {
        let (version, current) = (written.version, self.current);
        let message = match self.also {
            _ if !self.are_readable() => return Ok(written),
            _ if version.major == current.major && version > current => format!(
                "{subject} is above the API's version {current}: raise that to \"{version}\", or write an older one here"
            ),
            _ if version.major == current.major => return Ok(written),
            Some(also) if version.major == also.major && version > also => format!(
                "{subject} is above {also}, the last version of its major: write \"{}\", or raise `also` to \"{version}\"",
                self.base()
            ),
            Some(also) if version.major == also.major => return Ok(written),
            Some(_) => format!(
                "{subject} is of a major that the API does not speak: write a version from {}",
                self.ranges()
            ),
            None => format!(
                "{subject} is of another major than the API's version {current}: write {}",
                match self.are_many() {
                    true => format!("a version from {}", self.ranges()),
                    false => format!("\"{current}\""),
                }
            ),
        };
        Err(Error::new(written.at, message))
    }

    fn are_many(self) -> bool {
        self.oldest() != self.current
    }

    /// What follows "a version from".
    fn ranges(self) -> String {
        let own = format!("{} to {}", self.base(), self.current);
        match self.also {
            Some(also) => format!("{} to {also}, or from {own}", self.oldest()),
            None => own,
        }
    }
}

fn read(literal: &LitStr) -> Result<Written> {
    Ok(Written {
        version: literal::version(literal)?,
        at: literal.span(),
    })
}

fn first(version: Version) -> Version {
    Version {
        minor: 0,
        ..version
    }
}
