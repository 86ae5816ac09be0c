//! Names that would mean two things.

use std::collections::HashMap;

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::{Error, Ident};

use crate::attrs;
use crate::ctxt::Ctxt;
use crate::model::{Api, Arg, Kind, Method, Version};

/// The methods of every client, for ever.
pub(crate) const RESERVED: [&str; 7] =
    ["new", "local", "prepare", "pin", "at_least", "rpc", "clone"];

pub(super) fn reserved(method: &Method, ctxt: &Ctxt) {
    let name = method.ident.unraw().to_string();
    if RESERVED.contains(&&*name) {
        let message = format!(
            "every client has a `{name}` of its own: give the method another name, and \
             `#[rpc(name = \"{name}\")]` if it must keep this one on the wire"
        );
        ctxt.error(method.ident.span(), message);
    }
}

/// Whether both depend on a `cfg`: then there may never be more than one of them, which is not known here.
fn may_exclude(first: &Method, second: &Method) -> bool {
    let conditional = |method: &Method| !attrs::cfgs(&method.attrs).is_empty();
    conditional(first) && conditional(second)
}

/// Two methods of one name could not be told apart.
pub(super) fn methods(methods: &[Method], ctxt: &Ctxt) {
    let mut seen: HashMap<&str, &Method> = HashMap::new();
    for method in methods {
        let name = &*method.wire_name.value;
        let Some(first) = seen.get(name) else {
            seen.insert(name, method);
            continue;
        };
        if may_exclude(first, method) {
            continue;
        }
        let message =
            format!("two methods are called `{name}` on the wire: give this one another name");
        let mut error = Error::new(method.wire_name.span, message);
        error.combine(Error::new(
            first.wire_name.span,
            format!("`{name}` is the name of this method already"),
        ));
        ctxt.push(error);
    }
}

/// The parameters of the client's method are the arguments, and those for routing.
pub(super) fn parameters(method: &Method, ctxt: &Ctxt) {
    let mut seen: Vec<&Ident> = Vec::new();
    let args = method.args.iter().map(|arg| &arg.ident);
    let routing = method.routing.iter().map(|parameter| &parameter.ident);
    let arguments = std::iter::once(&method.context.ident).chain(args);
    for ident in arguments.chain(routing) {
        if seen.contains(&ident) {
            ctxt.error(
                ident.span(),
                format!("another argument is called `{ident}` already: give this one another name"),
            );
        }
        seen.push(ident);
    }
}

/// A name that an argument has on the wire, for a while.
struct WireName<'a> {
    /// Of the argument that it is a name of.
    ident: &'a Ident,
    name: &'a str,
    at: Span,
    from: Version,
    until: Option<Version>,
    /// What to do if it is another one's too.
    instead: &'static str,
}

impl WireName<'_> {
    /// The first version in which both have the same name.
    fn clash(&self, other: &WireName<'_>) -> Option<Version> {
        let from = self.from.max(other.from);
        let is_there = |name: &WireName<'_>| name.until.is_none_or(|until| from < until);
        (self.name == other.name && is_there(self) && is_there(other)).then_some(from)
    }
}

/// A client keeps a bit for each argument.
const MOST_ARGUMENTS: usize = 64;

/// Two arguments of one message that have one name could not be told apart.
pub(super) fn arguments(method: &Method, ctxt: &Ctxt) {
    if method.args.len() + method.removed.len() > MOST_ARGUMENTS {
        let message = format!(
            "a method has at most {MOST_ARGUMENTS} arguments, with those that were removed: put some of them into a struct"
        );
        ctxt.error(method.ident.span(), message);
    }
    let since = method.since.version;
    let removed = method.removed.iter().map(|removed| WireName {
        ident: &removed.ident,
        name: &removed.wire_name,
        at: removed.ident.span(),
        from: removed.since.unwrap_or(since),
        until: Some(removed.until),
        instead: "let this one end before that, or remove it",
    });
    let all = method.args.iter().flat_map(|arg| wire_names(arg, since));
    let mut seen: Vec<WireName<'_>> = Vec::new();
    for name in all.chain(removed) {
        let other = seen
            .iter()
            .find_map(|other| Some((other, other.clash(&name)?)));
        // Two of one name in the trait are in error already.
        if let Some((other, version)) = other
            && (other.ident != name.ident || name.until.is_some())
        {
            let message = format!(
                "two arguments are called `{}` on the wire in version {version}: {}",
                name.name, name.instead
            );
            let mut error = Error::new(name.at, message);
            error.combine(Error::new(
                other.at,
                format!("`{}` is the name of this argument already", name.name),
            ));
            ctxt.push(error);
        }
        seen.push(name);
    }
}

/// Reports an older name that is the next one too.
pub(super) fn renamed(method: &Method, ctxt: &Ctxt) {
    for arg in &method.args {
        let next = arg.names.iter().skip(1).map(|(_, name)| name);
        let next = next.chain([&arg.wire_name]);
        for (((until, name), next), at) in arg.names.iter().zip(next).zip(&arg.name_spans) {
            if name == next {
                let message = format!("it is called `{name}` from {until} on too: remove this");
                ctxt.error(*at, message);
            }
        }
    }
}

/// The names of an argument, each from where the one before it ends.
fn wire_names(arg: &Arg, method_since: Version) -> Vec<WireName<'_>> {
    let mut from = arg.newer.as_ref().map_or(method_since, |newer| newer.since);
    let mut names = Vec::new();
    let older = arg.names.iter().map(|(until, name)| (Some(*until), name));
    let all = older.chain([(None, &arg.wire_name)]);
    for ((until, name), at) in all.zip(arg.name_spans.iter().copied()) {
        names.push(WireName {
            ident: &arg.ident,
            name,
            at,
            from,
            until,
            instead: "give this one another name",
        });
        from = until.unwrap_or(from);
    }
    names
}

/// Setters are methods of what a client's method returns.
pub(super) fn setters(method: &Method, ctxt: &Ctxt) {
    let own = match method.kind {
        Kind::Call => "cast",
        Kind::Cast => "fanout",
        _ => return,
    };
    for arg in method.args.iter().filter(|arg| arg.is_set()) {
        if arg.ident.unraw() == own {
            let message = format!(
                "every {} has a `{own}` of its own, where this argument would be set: write `positional` beside its \
                 `since`, or give it another name, and `name = \"{own}\"` if it must keep this one on the wire",
                method.kind.word()
            );
            ctxt.error(arg.ident.span(), message);
        }
    }
}

/// What two methods with setters return has a name made of theirs, which may have been different only in `_` and case.
pub(super) fn setter_types(api: &Api, ctxt: &Ctxt) {
    let mut seen: HashMap<String, &Method> = HashMap::new();
    for method in api.methods.iter().filter(|method| method.has_setters()) {
        let title = method.title();
        match seen.get(&title) {
            // Two of the same name are in error already.
            Some(first) if may_exclude(first, method) || first.ident == method.ident => {}
            Some(first) => {
                let message = format!(
                    "`{}{title}` is what `{}` returns already: give this method another name, and `#[rpc(name = \"{}\")]` \
                     if it must keep this one on the wire",
                    api.name, first.ident, method.wire_name.value
                );
                ctxt.error(method.ident.span(), message);
            }
            None => {
                seen.insert(title, method);
            }
        }
    }
}
