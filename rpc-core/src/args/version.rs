//! Which version a message is sent in: the lowest that says all of it.
//!
//! An argument that is newer than its method raises the version unless it is at its default, and so does a value that came
//! later. Old names, old types, removed arguments and `lossy` ones could be sent in a lower version, but that says less: they lower it only where a
//! cap demands it.

use super::Packed;
use crate::{ApiInfo, ErrorKind, MethodKind, RpcError, Version};
use std::fmt;

/// The highest version that may be sent, and who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cap {
    pub(crate) version: Version,
    pub(crate) origin: CapOrigin,
}

/// Where a cap comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CapOrigin {
    /// `version_cap`, as configured.
    Configured,
    /// The type of the client.
    Pin,
    /// What the servers of the topic were found to speak.
    Negotiated,
    /// What the server that it goes to announced: one that is called by its name, or one of a fanout.
    Server,
    /// What the newest of the servers announced, any of which may be called.
    Servers,
}

impl Cap {
    /// The lower of both.
    pub(crate) fn lower(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) if other.version < one.version => Some(other),
            (Some(one), _) => Some(one),
            (None, other) => other,
        }
    }
}

impl Cap {
    /// It is of a major that an API's client does not speak.
    #[cold]
    pub(crate) fn other_major(self, api: &ApiInfo) -> RpcError {
        let spoken: Vec<String> = api.spoken().map(|end| end.to_string()).collect();
        RpcError::new(
            ErrorKind::VersionCap,
            format!(
                "this client speaks `{}` {}, {self}, which is another major",
                api.name(),
                spoken.join(" and ")
            ),
        )
    }
}

impl fmt::Display for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.origin {
            CapOrigin::Configured => "the client's cap is ",
            CapOrigin::Pin => "the client is pinned to ",
            CapOrigin::Negotiated => "the servers were found to speak ",
            CapOrigin::Server => "the server announced ",
            CapOrigin::Servers => "no server announced more than ",
        })?;
        self.version.fmt(f)
    }
}

/// The search for the version of one message.
struct Search<'a> {
    packed: &'a Packed,
    /// The lowest version that says all that was looked at.
    version: Version,
    /// The highest that may be sent.
    top: Version,
    cap: Option<Cap>,
}

impl Packed {
    /// The version that this message is sent in, at least `floor`.
    ///
    /// An error names what needs a version that may not be sent, that version, and the cap.
    pub(crate) fn version(
        &self,
        cap: Option<Cap>,
        floor: Option<Version>,
    ) -> Result<Version, RpcError> {
        let method = self.method;
        let top = self.top(cap)?;
        let mut search = Search {
            packed: self,
            version: Version::new(top.major(), 0),
            top,
            cap,
        };
        search.needs(method.since(), "it")?;
        if let Some(floor) = floor {
            if floor > top {
                let asks = format_args!("the client asks for at least version {floor}");
                return Err(search.refused(asks));
            }
            search.version = search.version.max(floor);
        }
        search.newer_arguments()?;
        if method.growth().aged {
            search.aged_arguments()?;
        }
        if let Some((version, index)) = self.newest_value() {
            let name = method.args()[index].name();
            search.needs(version, format_args!("this value of {}", Argument(name)))?;
        }
        for answer in method.answers() {
            if answer.is_one_way() && matches!(method.kind(), MethodKind::Call | MethodKind::Gather)
            {
                search.needs(answer.until(), "its answer")?;
            } else {
                search.prefers(answer.until());
            }
        }
        match method.until() {
            Some(until) if until <= search.version => {
                Err(search.refused(format_args!("it was removed in version {until}")))
            }
            _ => Ok(search.version),
        }
    }

    /// The end of the major version that the message is sent in, or the cap if that is lower.
    fn top(&self, cap: Option<Cap>) -> Result<Version, RpcError> {
        let api = self.api;
        let Some(cap) = cap else {
            let removed = |end: &Version| {
                let first = Version::new(end.major(), 0);
                self.method.until().is_some_and(|until| until <= first)
            };
            // what the newest major has no more is sent in the one before
            return Ok(api
                .spoken()
                .find(|end| !removed(end))
                .unwrap_or(api.version()));
        };
        match api.spoken().find(|end| end.major() == cap.version.major()) {
            Some(end) => Ok(end.min(cap.version)),
            None => Err(cap.other_major(api)),
        }
    }
}

impl Search<'_> {
    /// The message makes no sense below this version.
    fn needs(&mut self, version: Version, what: impl fmt::Display) -> Result<(), RpcError> {
        if version <= self.version {
            return Ok(());
        }
        if version > self.top {
            return Err(self.refused(format_args!("{what} needs version {version}")));
        }
        self.version = version;
        Ok(())
    }

    /// Below this version less could be said.
    fn prefers(&mut self, version: Version) {
        let exists = self
            .packed
            .method
            .until()
            .is_none_or(|until| version < until);
        if version <= self.top && version > self.version && exists {
            self.version = version;
        }
    }

    fn newer_arguments(&mut self) -> Result<(), RpcError> {
        let growth = self.packed.method.growth();
        let set = self.packed.set() & growth.later;
        if set == 0 {
            return Ok(());
        }
        if let Some(last) = growth.last_of(set).filter(|last| *last <= self.top) {
            self.version = last.max(self.version);
            return Ok(());
        }
        for (index, info) in self.packed.method.args().iter().enumerate() {
            let Some(since) = info.since().filter(|_| set & 1 << index != 0) else {
                continue;
            };
            // what is known there anyway; and what was removed does not count: its value is that of old servers
            if since <= self.version || info.until().is_some() {
                continue;
            }
            if info.is_lossy() {
                self.prefers(since);
            } else {
                self.needs(since, Argument(info.name()))?;
            }
        }
        Ok(())
    }

    fn aged_arguments(&mut self) -> Result<(), RpcError> {
        let packed = self.packed;
        for (index, info) in packed.method.args().iter().enumerate() {
            for until in info
                .until()
                .into_iter()
                .chain(info.names().iter().map(|(until, _)| *until))
            {
                self.prefers(until);
            }
            for (form, (until, _)) in info.types().iter().enumerate() {
                match packed.unsayable(index, form) {
                    None => self.prefers(*until),
                    Some(reason) => {
                        self.needs(*until, format_args!("{} ({reason})", Argument(info.name())))?;
                    }
                }
            }
        }
        Ok(())
    }

    #[cold]
    fn refused(&self, why: impl fmt::Display) -> RpcError {
        let limit = match self.cap {
            Some(cap) => cap.to_string(),
            None => format!(
                "this client knows `{}` up to {}",
                self.packed.api.name(),
                self.top
            ),
        };
        RpcError::new(ErrorKind::VersionCap, format!("{why}, {limit}"))
    }
}

/// An argument, as errors name it.
struct Argument(&'static str);

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "argument `{}`", self.0)
    }
}
