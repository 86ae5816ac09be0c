//! What an API is, once its trait and its attributes are understood.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::{Attribute, Expr, Ident, Pat, Type};

use crate::parse;

/// One `#[rpc_api]` trait.
#[derive(Debug)]
pub(crate) struct Api {
    /// The trait's name without `r#`.
    pub(crate) name: String,
    pub(crate) docs: Option<String>,
    pub(crate) version: Version,
    /// The end of an older major that is still spoken.
    pub(crate) also: Option<Version>,
    /// Names of releases, for wherever a version can be configured.
    pub(crate) aliases: Vec<(String, Version)>,
    pub(crate) topic: String,
    pub(crate) namespace: Option<String>,
    /// Where servers are asked for it, too; `None` is having no namespace.
    pub(crate) legacy_namespaces: Vec<Option<String>>,
    pub(crate) methods: Vec<Method>,
}

/// One method of the trait.
#[derive(Debug)]
pub(crate) struct Method {
    pub(crate) ident: Ident,
    pub(crate) wire_name: WireName,
    pub(crate) kind: Kind,
    pub(crate) since: Since,
    /// The version from which on it does not exist any more.
    pub(crate) until: Option<Version>,
    pub(crate) timeout: Option<Timeout>,
    pub(crate) running: Running,
    /// The method's attributes, without ours.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) context: Context,
    pub(crate) args: Vec<Arg>,
    /// What older messages hold besides.
    pub(crate) removed: Vec<Removed>,
    /// Parameters of the client's method that are not sent.
    pub(crate) routing: Vec<Parameter>,
    /// Which server a message goes to, computed from the client's parameters.
    pub(crate) server: Option<Expr>,
    /// What the value of the answer was in older versions; the oldest first.
    pub(crate) returned: Vec<Returned>,
    /// What one answer holds: the return type as written, the stream's item of a multicall, `()` of a cast.
    pub(crate) answer: Type,
}

impl Method {
    /// `SnapshotCall`: what follows the trait's name in that of the struct on which its newer arguments are set.
    pub(crate) fn title(&self) -> String {
        let name = parse::camel_case(&self.ident.unraw().to_string());
        format!("{name}{}", self.kind.title())
    }

    /// Whether it has arguments that are set on what it returns.
    pub(crate) fn has_setters(&self) -> bool {
        self.args.iter().any(Arg::is_set)
    }
}

/// How a server runs a method, and how long a client waits without a word from it.
#[derive(Debug, Default)]
pub(crate) struct Running {
    /// Between heartbeats.
    pub(crate) monitor: Option<Timeout>,
    /// A server that is stopping still takes it in.
    pub(crate) during_drain: bool,
    /// It goes on when nobody waits any more.
    pub(crate) no_cancel: bool,
    /// It may block its thread.
    pub(crate) blocking: bool,
}

/// The context argument: not sent as an argument, so it has a name and a type only.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
}

/// An argument that travels.
#[derive(Debug)]
pub(crate) struct Arg {
    pub(crate) ident: Ident,
    /// What `name` says, or the ident without `r#`.
    pub(crate) wire_name: String,
    pub(crate) ty: Type,
    pub(crate) form: Form,
    /// What is written above it.
    pub(crate) docs: Option<String>,
    /// Of one that is newer than its method.
    pub(crate) newer: Option<Newer>,
    /// What it was called below a version; the oldest first.
    pub(crate) names: Vec<(Version, String)>,
    /// Where these names are written and, after them, the one on the wire.
    pub(crate) name_spans: Vec<Span>,
    /// What its type was below a version; the oldest first.
    pub(crate) types: Vec<(Version, Type)>,
    /// Values that came later than the argument; the oldest first.
    pub(crate) values: Vec<(Version, Pat)>,
}

impl Arg {
    /// Whether it is set on what the method returns.
    pub(crate) fn is_set(&self) -> bool {
        self.newer.as_ref().is_some_and(|newer| newer.setter)
    }
}

/// What an argument that is newer than its method has besides.
#[derive(Debug)]
pub(crate) struct Newer {
    pub(crate) since: Version,
    /// What a server fills in for older messages.
    pub(crate) default: DefaultValue,
    /// To older servers it is left out whatever its value.
    pub(crate) lossy: bool,
    /// Whether it is set on the call, and not a parameter of the client's method.
    pub(crate) setter: bool,
}

#[derive(Debug)]
pub(crate) enum DefaultValue {
    /// `None`, of an `Option`.
    None,
    /// `Default::default()`
    OfType,
    Expr(Box<Expr>),
}

/// An argument that messages held up to a version.
#[derive(Debug)]
pub(crate) struct Removed {
    pub(crate) ident: Ident,
    pub(crate) wire_name: String,
    pub(crate) ty: Type,
    pub(crate) since: Option<Version>,
    pub(crate) until: Version,
    /// What old servers get, computed from the client's parameters.
    pub(crate) value: Expr,
}

/// A parameter of the client's method alone.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
}

/// What the value of an answer was below a version.
#[derive(Debug)]
pub(crate) struct Returned {
    pub(crate) until: Version,
    pub(crate) ty: Type,
    /// The client has no way to make the new value of the old one.
    pub(crate) one_way: bool,
}

/// How an argument is passed, which decides what is encoded, and what it is decoded into.
#[derive(Debug)]
pub(crate) enum Form {
    /// `T`: decoded as `T`.
    Value,
    /// `&str`: decoded in place.
    Str,
    /// `&[u8]`: a byte string, in place.
    Bytes,
    /// `&[T]`: decoded as `Vec<T>`.
    Slice(Box<Type>),
    /// `&T`: decoded as what owns a `T`.
    Reference(Box<Type>),
    /// `&T` where `T` has references inside, such as `&Option<&str>`: decoded as `T`, which nothing owns.
    ReferenceToBorrowed(Box<Type>),
}

#[derive(Debug)]
pub(crate) struct WireName {
    pub(crate) value: String,
    /// Where it was written: the literal of `name = ".."`, or the method's ident.
    pub(crate) span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Call,
    Cast,
    Fanout,
    Multicall,
    Gather,
}

impl Kind {
    /// Whether servers run it as a call: each answers once.
    pub(crate) fn is_answered(self) -> bool {
        matches!(self, Self::Call | Self::Gather)
    }

    /// Whether what the client's method returns is a stream.
    pub(crate) fn streams(self) -> bool {
        matches!(self, Self::Multicall | Self::Gather)
    }

    /// The word in docs and errors.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Cast => "cast",
            Self::Fanout => "fanout",
            Self::Multicall => "multicall",
            Self::Gather => "gather",
        }
    }

    /// The word in the names of types.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Call => "Call",
            Self::Cast => "Cast",
            Self::Fanout => "Fanout",
            Self::Multicall => "Multicall",
            Self::Gather => "Gather",
        }
    }
}

/// A version of an API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Version {
    pub(crate) major: u16,
    pub(crate) minor: u16,
}

impl Version {
    /// Stands in for the API's version when that could not be read, so that the methods are still looked at. It never
    /// reaches an expansion: the error is already in the [`Ctxt`](crate::ctxt::Ctxt).
    pub(crate) const UNREADABLE: Self = Self {
        major: u16::MAX,
        minor: u16::MAX,
    };
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The version that a method came with.
#[derive(Debug)]
pub(crate) struct Since {
    pub(crate) version: Version,
}

#[derive(Debug)]
pub(crate) struct Timeout {
    pub(crate) millis: u64,
    /// For docs, such as `10 m`.
    pub(crate) text: String,
}
