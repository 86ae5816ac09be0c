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

    /// These, as they would be if the major before were still spoken.
    pub(crate) fn with_older(self) -> Self {
        let last = |major| Version {
            major,
            minor: u16::MAX,
        };
        Self {
            also: self.also.or(self.current.major.checked_sub(1).map(last)),
            ..self
        }
    }

    /// Whether nobody speaks this version any more.
    pub(crate) fn is_gone(self, version: Version) -> bool {
        self.are_readable() && version < self.oldest()
    }

    /// Reads the version with which something came; `subject` is what, and `gone` what to remove if it is older than all
    /// that is spoken.
    pub(crate) fn since(self, literal: &LitStr, subject: &str, gone: &str) -> Result<Written> {
        let written = read(literal)?;
        match self.is_gone(written.version) {
            true => Err(self.gone(written, gone)),
            false => self.known(written, subject),
        }
    }

    /// Reads the version from which on something is no more; `gone` is what to remove if nobody speaks of it.
    pub(crate) fn until(self, literal: &LitStr, gone: &str) -> Result<Written> {
        let written = read(literal)?;
        match self.is_past(written.version) {
            true => Err(self.gone(written, gone)),
            false => self.known(written, "`until`"),
        }
    }

    /// Whether nobody speaks a version below this one.
    pub(crate) fn is_past(self, until: Version) -> bool {
        self.are_readable() && until <= self.oldest()
    }

    /// Reads the version that an alias stands for.
    pub(crate) fn alias(self, literal: &LitStr, name: &str) -> Result<Written> {
        let written = read(literal)?;
        let major = written.version.major;
        let spoken = self.also.is_some_and(|also| also.major == major);
        if self.are_readable() && major < self.current.major && !spoken {
            return Err(self.gone(written, name));
        }
        self.known(written, name)
    }

    fn gone(self, Written { version, at }: Written, what: &str) -> Error {
        let unspoken = match self.is_past(version) {
            true => format!("nothing below {}", self.oldest()),
            false => format!("no {version}"),
        };
        let message = format!(
            "the API speaks {unspoken}: remove {what}{}",
            self.or_also(version)
        );
        Error::new(at, message)
    }

    /// What can be done besides, where this version is written: it may be that its major, or the one before it if that is the
    /// API's own, was only forgotten.
    pub(crate) fn or_also(self, version: Version) -> String {
        let own = self.current.major;
        let major = match version.major < own {
            true => Some(version.major),
            false => own.checked_sub(1),
        };
        match major {
            Some(major) if self.also.is_none() => format!(
                "; or, if major {major} is still spoken, add `also = \"..\"` with its last version to `#[rpc_api(..)]`"
            ),
            _ => String::new(),
        }
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
            // Between the two.
            Some(_) if version < current => format!(
                "{subject} is of a major that the API does not speak: write \"{}\", the first version after it that is spoken",
                self.base()
            ),
            _ => format!(
                "{subject} is of a later major than the API's version {current}: write a version from {}",
                self.ranges()
            ),
        };
        Err(Error::new(written.at, message))
    }

    /// What follows "a version from".
    fn ranges(self) -> String {
        let own = match self.base() == self.current {
            true => self.current.to_string(),
            false => format!("{} to {}", self.base(), self.current),
        };
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
