//! What an API is, as data: the constant that `#[rpc_api]` emits.

use crate::Version;
use std::time::Duration;

/// The description of an API: its name, version and methods.
///
/// `#[rpc_api]` on a trait `Compute` emits it as `compute_api::API`. Dispatch, logs and introspection are driven by it.
#[derive(Debug)]
#[non_exhaustive]
pub struct ApiInfo {
    name: &'static str,
    version: Version,
    topic: Option<&'static str>,
    namespace: Option<&'static str>,
    docs: &'static str,
    methods: &'static [MethodInfo],
}

impl ApiInfo {
    /// An API without methods.
    #[must_use]
    pub const fn new(name: &'static str, version: Version) -> Self {
        Self {
            name,
            version,
            topic: None,
            namespace: None,
            docs: "",
            methods: &[],
        }
    }

    /// The topic that clients and servers use unless told another.
    #[must_use]
    pub const fn with_topic(mut self, topic: &'static str) -> Self {
        self.topic = Some(topic);
        self
    }

    /// The namespace, which tells APIs on one topic apart.
    #[must_use]
    pub const fn with_namespace(mut self, namespace: &'static str) -> Self {
        self.namespace = Some(namespace);
        self
    }

    /// The doc comment of the trait.
    #[must_use]
    pub const fn with_docs(mut self, docs: &'static str) -> Self {
        self.docs = docs;
        self
    }

    /// The methods, in the order of the trait.
    #[must_use]
    pub const fn with_methods(mut self, methods: &'static [MethodInfo]) -> Self {
        self.methods = methods;
        self
    }

    /// The trait's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The newest version that this API speaks.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The topic that clients and servers use unless told another.
    #[must_use]
    pub const fn topic(&self) -> Option<&'static str> {
        self.topic
    }

    /// The namespace. `None` is a namespace of its own.
    #[must_use]
    pub const fn namespace(&self) -> Option<&'static str> {
        self.namespace
    }

    /// The doc comment of the trait.
    #[must_use]
    pub const fn docs(&self) -> &'static str {
        self.docs
    }

    /// The methods, in the order of the trait.
    #[must_use]
    pub const fn methods(&self) -> &'static [MethodInfo] {
        self.methods
    }
}

/// The description of one method.
#[derive(Debug)]
#[non_exhaustive]
pub struct MethodInfo {
    name: &'static str,
    kind: MethodKind,
    since: Version,
    args: &'static [ArgInfo],
    timeout: Option<Duration>,
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
            args: &[],
            timeout: None,
            docs: "",
        }
    }

    /// The arguments, without the context.
    #[must_use]
    pub const fn with_args(mut self, args: &'static [ArgInfo]) -> Self {
        self.args = args;
        self
    }

    /// How long a caller waits unless it says otherwise.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
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

    /// The arguments, without the context.
    #[must_use]
    pub const fn args(&self) -> &'static [ArgInfo] {
        self.args
    }

    /// How long a caller waits unless it says otherwise.
    #[must_use]
    pub const fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// The doc comment.
    #[must_use]
    pub const fn docs(&self) -> &'static str {
        self.docs
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
}

/// The description of one argument.
#[derive(Debug)]
#[non_exhaustive]
pub struct ArgInfo {
    name: &'static str,
    type_name: &'static str,
}

impl ArgInfo {
    /// An argument that every message of the method holds.
    #[must_use]
    pub const fn new(name: &'static str, type_name: &'static str) -> Self {
        Self { name, type_name }
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
}
