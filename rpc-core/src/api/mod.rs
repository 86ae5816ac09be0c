//! What an API is, as data: the constant that `#[rpc_api]` emits.

mod arg;
mod method;

pub use arg::ArgInfo;
pub use method::{MethodInfo, MethodKind, OldAnswer};

use crate::Version;

/// The description of an API: its name, version and methods.
///
/// `#[rpc_api]` on a trait `Compute` emits it as `compute_api::API`. Dispatch, logs and introspection are driven by it.
#[derive(Debug)]
#[non_exhaustive]
pub struct ApiInfo {
    name: &'static str,
    version: Version,
    also: Option<Version>,
    aliases: &'static [(&'static str, Version)],
    topic: Option<&'static str>,
    namespace: Option<&'static str>,
    legacy_namespaces: &'static [Option<&'static str>],
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
            also: None,
            aliases: &[],
            topic: None,
            namespace: None,
            legacy_namespaces: &[],
            docs: "",
            methods: &[],
        }
    }

    /// The end of an older major version that is still spoken.
    #[must_use]
    pub const fn with_also(mut self, also: Version) -> Self {
        self.also = Some(also);
        self
    }

    /// Names of releases, each with the version that it came with.
    #[must_use]
    pub const fn with_aliases(mut self, aliases: &'static [(&'static str, Version)]) -> Self {
        self.aliases = aliases;
        self
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

    /// The namespaces in which it is served besides; `None` is having no namespace.
    #[must_use]
    pub const fn with_legacy_namespaces(
        mut self,
        namespaces: &'static [Option<&'static str>],
    ) -> Self {
        self.legacy_namespaces = namespaces;
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

    /// The end of an older major version that is still spoken.
    #[must_use]
    pub const fn also(&self) -> Option<Version> {
        self.also
    }

    /// Names of releases, for wherever a version can be configured, each with the version that it came with.
    #[must_use]
    pub const fn aliases(&self) -> &'static [(&'static str, Version)] {
        self.aliases
    }

    /// The end of each major version that it speaks, the newest first.
    pub fn spoken(&self) -> impl Iterator<Item = Version> {
        std::iter::once(self.version).chain(self.also)
    }

    /// Whether it understands a message of this version.
    #[must_use]
    pub fn serves(&self, asked: Version) -> bool {
        self.spoken().any(|version| version.serves(asked))
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

    /// Every namespace in which it is served: its own, and then those that it had before. Its clients use its own.
    pub fn namespaces(&self) -> impl Iterator<Item = Option<&'static str>> {
        std::iter::once(self.namespace).chain(self.legacy_namespaces.iter().copied())
    }

    /// Whether it is served in this namespace.
    #[must_use]
    pub fn is_in(&self, namespace: Option<&str>) -> bool {
        self.namespaces().any(|own| own == namespace)
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
