//! What a method is, as data.

use super::ArgInfo;
use crate::Version;
use std::time::Duration;

/// The description of one method.
#[derive(Debug)]
#[non_exhaustive]
pub struct MethodInfo {
    name: &'static str,
    kind: MethodKind,
    since: Version,
    until: Option<Version>,
    args: &'static [ArgInfo],
    growth: Growth,
    answer: &'static str,
    answers: &'static [OldAnswer],
    timeout: Option<Duration>,
    monitor: Option<Duration>,
    during_drain: bool,
    no_cancel: bool,
    blocking: bool,
    docs: &'static str,
}

impl MethodInfo {
    /// A method without arguments.
    #[must_use]
    pub const fn new(name: &'static str, kind: MethodKind, since: Version) -> Self {
        Self {
            name,
            kind,
            since,
            until: None,
            args: &[],
            growth: Growth::of(&[]),
            answer: "()",
            answers: &[],
            timeout: None,
            monitor: None,
            during_drain: false,
            no_cancel: false,
            blocking: false,
            docs: "",
        }
    }

    /// The version from which on it does not exist any more.
    #[must_use]
    pub const fn with_until(mut self, until: Version) -> Self {
        self.until = Some(until);
        self
    }

    /// The arguments, without the context.
    #[must_use]
    pub const fn with_args(mut self, args: &'static [ArgInfo]) -> Self {
        self.args = args;
        self.growth = Growth::of(args);
        self
    }

    /// The type of what it answers.
    #[must_use]
    pub const fn with_answer(mut self, answer: &'static str) -> Self {
        self.answer = answer;
        self
    }

    /// What the value of its answer was in older versions, the oldest first.
    #[must_use]
    pub const fn with_answers(mut self, answers: &'static [OldAnswer]) -> Self {
        self.answers = answers;
        self
    }

    /// How long a caller waits unless it says otherwise.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How long a caller waits without a heartbeat of the server, unless it says otherwise.
    #[must_use]
    pub const fn with_monitor(mut self, monitor: Duration) -> Self {
        self.monitor = Some(monitor);
        self
    }

    /// A server that is stopping still takes it in.
    #[must_use]
    pub const fn with_during_drain(mut self) -> Self {
        self.during_drain = true;
        self
    }

    /// Once it runs, it runs to its end, although its caller is gone.
    #[must_use]
    pub const fn with_no_cancel(mut self) -> Self {
        self.no_cancel = true;
        self
    }

    /// It may block its thread.
    #[must_use]
    pub const fn with_blocking(mut self) -> Self {
        self.blocking = true;
        self
    }

    /// The doc comment.
    #[must_use]
    pub const fn with_docs(mut self, docs: &'static str) -> Self {
        self.docs = docs;
        self
    }

    /// The name on the wire.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// How it is answered.
    #[must_use]
    pub const fn kind(&self) -> MethodKind {
        self.kind
    }

    /// The version of the API that it came with.
    #[must_use]
    pub const fn since(&self) -> Version {
        self.since
    }

    /// The version from which on it does not exist any more.
    #[must_use]
    pub const fn until(&self) -> Option<Version> {
        self.until
    }

    /// Every argument that some version has, without the context: those of the newest in the order of the trait, then those that
    /// were removed.
    #[must_use]
    pub const fn args(&self) -> &'static [ArgInfo] {
        self.args
    }

    /// The type of what it answers, as it is written in the trait; of a multicall, the type of an item.
    #[must_use]
    pub const fn answer(&self) -> &'static str {
        self.answer
    }

    /// What the value of its answer was in older versions, the oldest first.
    #[must_use]
    pub const fn answers(&self) -> &'static [OldAnswer] {
        self.answers
    }

    /// How long a caller waits unless it says otherwise.
    #[must_use]
    pub const fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// How long a caller waits without a heartbeat of the server, unless it says otherwise.
    #[must_use]
    pub const fn monitor(&self) -> Option<Duration> {
        self.monitor
    }

    /// Whether a server that is stopping still takes it in.
    #[must_use]
    pub const fn is_during_drain(&self) -> bool {
        self.during_drain
    }

    /// Whether it runs to its end once it runs, although its caller is gone.
    #[must_use]
    pub const fn is_no_cancel(&self) -> bool {
        self.no_cancel
    }

    /// Whether it may block its thread.
    #[must_use]
    pub const fn is_blocking(&self) -> bool {
        self.blocking
    }

    /// The doc comment.
    #[must_use]
    pub const fn docs(&self) -> &'static str {
        self.docs
    }

    /// How its messages differ from version to version.
    pub(crate) const fn growth(&self) -> &Growth {
        &self.growth
    }

    /// Whether a message of this version can be one of this method. One that is older than the method is understood: a peer may
    /// say the version of something else that it needs.
    pub(crate) fn is_in(&self, version: Version) -> bool {
        self.until.is_none_or(|until| version < until)
    }
}

/// How the messages of a method differ from version to version: worked out once, by the compiler, so that the common cases are
/// told apart at a glance.
#[derive(Debug)]
pub(crate) struct Growth {
    /// One bit for each argument that came later than the method.
    pub(crate) later: u64,
    /// One bit for each argument, whenever it came.
    pub(crate) all: u64,
    /// The versions with which the first and the last of those came.
    first: Version,
    last: Version,
    /// The bit of one that came with the last.
    newest: u64,
    /// Whether an argument was removed, or had another name or type.
    pub(crate) aged: bool,
}

impl Growth {
    const fn of(args: &[ArgInfo]) -> Self {
        let mut growth = Self {
            later: 0,
            all: 0,
            first: Version::new(u16::MAX, u16::MAX),
            last: Version::new(0, 0),
            newest: 0,
            aged: false,
        };
        let mut at = 0;
        while at < args.len() && at < 64 {
            growth.all |= 1 << at;
            growth.aged |= args[at].is_aged();
            if let Some(since) = args[at].since() {
                growth.later |= 1 << at;
                if since.is_below(growth.first) {
                    growth.first = since;
                }
                if growth.last.is_below(since) {
                    growth.last = since;
                    growth.newest = 1 << at;
                }
            }
            at += 1;
        }
        growth
    }

    /// Whether messages of all versions hold the same arguments, in the same form.
    pub(crate) const fn is_none(&self) -> bool {
        self.later == 0 && !self.aged
    }

    /// The version with which all arguments had come, if one of these came with it.
    pub(crate) fn last_of(&self, arguments: u64) -> Option<Version> {
        (arguments & self.newest != 0 && !self.aged).then_some(self.last)
    }

    /// The arguments that a message of this version holds, where that can be seen at a glance: none of those that came later, or
    /// all of them.
    pub(crate) fn held_in(&self, version: Version) -> Option<u64> {
        if self.aged {
            None
        } else if version >= self.last {
            Some(self.all)
        } else if version < self.first {
            Some(self.all & !self.later)
        } else {
            None
        }
    }
}

/// How a method is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MethodKind {
    /// One reply.
    Call,
    /// No reply: only whether the message was accepted.
    Cast,
    /// A cast to every server of the topic.
    Fanout,
    /// A stream of replies from one server.
    Multicall,
    /// One reply from every server of the topic.
    Gather,
}

impl MethodKind {
    /// The word in an API's attribute.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Cast => "cast",
            Self::Fanout => "fanout",
            Self::Multicall => "multicall",
            Self::Gather => "gather",
        }
    }
}

/// What the value of a method's answer was, in older versions.
#[derive(Debug)]
#[non_exhaustive]
pub struct OldAnswer {
    until: Version,
    type_name: &'static str,
    one_way: bool,
}

impl OldAnswer {
    /// Below `until`, the value was of this type.
    #[must_use]
    pub const fn new(until: Version, type_name: &'static str) -> Self {
        Self {
            until,
            type_name,
            one_way: false,
        }
    }

    /// A client cannot make the new value of it.
    #[must_use]
    pub const fn one_way(mut self) -> Self {
        self.one_way = true;
        self
    }

    /// The version from which on it is another type.
    #[must_use]
    pub const fn until(&self) -> Version {
        self.until
    }

    /// The type as it is written in the trait.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        self.type_name
    }

    /// Whether a client cannot make the new value of it, and so needs a server that is newer.
    #[must_use]
    pub const fn is_one_way(&self) -> bool {
        self.one_way
    }
}
