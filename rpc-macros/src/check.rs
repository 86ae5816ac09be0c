//! The rules that a model has to keep.

use std::collections::HashMap;

use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{Error, Lifetime, Path, Type, TypeImplTrait, TypeReference};

use crate::attrs;
use crate::ctxt::Ctxt;
use crate::model::{Api, Method, Version};
use crate::types;

/// The methods of every client, for ever.
pub(crate) const RESERVED: [&str; 7] =
    ["new", "local", "prepare", "pin", "at_least", "rpc", "clone"];

/// Judges the whole API.
pub(crate) fn api(api: &Api, ctxt: &Ctxt) {
    for method in &api.methods {
        reserved(method, ctxt);
        if api.version != Version::UNREADABLE {
            since(method, api.version, ctxt);
        }
        argument(&method.context.ty, ctxt);
        for arg in &method.args {
            argument(&arg.ty, ctxt);
        }
        answer(&method.answer, ctxt);
    }
    wire_names(&api.methods, ctxt);
    for method in &api.methods {
        argument_names(method, ctxt);
    }
}

fn reserved(method: &Method, ctxt: &Ctxt) {
    let name = method.ident.unraw().to_string();
    if RESERVED.contains(&&*name) {
        let message = format!(
            "every client has a `{name}` of its own: give the method another name, and \
             `#[rpc(name = \"{name}\")]` if it must keep this one on the wire"
        );
        ctxt.error(method.ident.span(), message);
    }
}

fn since(method: &Method, api: Version, ctxt: &Ctxt) {
    let Some(at) = method.since.written else {
        return;
    };
    let since = method.since.version;
    if since.major != api.major {
        let what = match api.minor {
            0 => format!("write {api}, or leave it out"),
            _ => format!("write a version from {}.0 to {api}", api.major),
        };
        let message = format!("`since` is of another major than the API's version {api}: {what}");
        ctxt.error(at, message);
    } else if since > api {
        let message = format!(
            "`since` is above the API's version {api}: raise that to \"{since}\", or write an older one here"
        );
        ctxt.error(at, message);
    }
}

/// Two methods of one name could not be told apart. Two that both depend on a `cfg` may exclude each other, which is not
/// known here.
fn wire_names(methods: &[Method], ctxt: &Ctxt) {
    let mut seen: HashMap<&str, &Method> = HashMap::new();
    for method in methods {
        let name = &*method.wire_name.value;
        let Some(first) = seen.get(name) else {
            seen.insert(name, method);
            continue;
        };
        let conditional = |method: &Method| !attrs::cfgs(&method.attrs).is_empty();
        if conditional(first) && conditional(method) {
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

fn argument_names(method: &Method, ctxt: &Ctxt) {
    let mut seen = Vec::new();
    for ident in
        std::iter::once(&method.context.ident).chain(method.args.iter().map(|arg| &arg.ident))
    {
        if seen.contains(&ident) {
            ctxt.error(
                ident.span(),
                format!("another argument is called `{ident}` already: give this one another name"),
            );
        }
        seen.push(ident);
    }
}

fn argument(ty: &Type, ctxt: &Ctxt) {
    let mut judge = Judge {
        ctxt,
        place: Place::Argument,
        whole: ty,
    };
    judge.visit_type(ty);
}

fn answer(ty: &Type, ctxt: &Ctxt) {
    let mut judge = Judge {
        ctxt,
        place: Place::Answer,
        whole: ty,
    };
    judge.visit_type(ty);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Argument,
    Answer,
}

/// Walks through a type and reports what cannot cross the wire.
struct Judge<'a> {
    ctxt: &'a Ctxt,
    place: Place,
    /// The type that the walk began with.
    whole: &'a Type,
}

impl Judge<'_> {
    /// Whether the argument is this reference, which the server can lend. Of what is further inside, it has nothing but
    /// the bytes of the request.
    fn is_top(&self, ty: &TypeReference) -> bool {
        matches!(types::peel(self.whole), Type::Reference(top) if std::ptr::eq(top, ty))
    }
}

impl<'ast> Visit<'ast> for Judge<'_> {
    fn visit_type_reference(&mut self, ty: &'ast TypeReference) {
        let elem = types::text(&ty.elem);
        if self.place == Place::Answer {
            let owned = match types::form(&Type::Reference(ty.clone())) {
                crate::model::Form::Str => "String".to_owned(),
                crate::model::Form::Bytes => "Vec<u8>".to_owned(),
                crate::model::Form::Slice(elem) => format!("Vec<{}>", types::text(&elem)),
                _ => elem,
            };
            let message = format!(
                "the caller gets an answer of its own, from another machine: write `{owned}`"
            );
            self.ctxt.error_on(ty, message);
            return;
        }
        if !self.is_top(ty) && !types::lies_in_bytes(&ty.elem) {
            let message = format!(
                "write `{}`: only `&str` and `&[u8]` can be borrowed inside {}",
                types::text(&types::owned_inside(self.whole)),
                types::container(self.whole),
            );
            self.ctxt.error_on(ty, message);
            return;
        }
        if ty.mutability.is_some() {
            let message = format!(
                "what the service changes does not come back to the caller: write `&{elem}`"
            );
            self.ctxt.error_on(ty, message);
        } else if let Some(lifetime) = ty
            .lifetime
            .as_ref()
            .filter(|lifetime| lifetime.ident != "_")
        {
            let message = format!("an argument is borrowed for the request: write `&{elem}`");
            self.ctxt.error_on(lifetime, message);
        }
        self.visit_type(&ty.elem);
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        // `Cow<'static, str>` owns its text; only a reference would have to live for ever.
        if lifetime.ident == "static" {
            return;
        }
        if self.place == Place::Answer {
            let message = "the caller gets an answer of its own, from another machine: write a type without lifetimes";
            self.ctxt.error_on(lifetime, message);
        } else if lifetime.ident != "_" {
            self.ctxt.error_on(
                lifetime,
                "an argument is borrowed for the request: write `'_`",
            );
        }
    }

    fn visit_type_impl_trait(&mut self, ty: &'ast TypeImplTrait) {
        let what = match self.place {
            Place::Argument => "an argument",
            Place::Answer => "an answer",
        };
        let message = format!(
            "{what} is written by one end and read by the other, which must know its type: write that type"
        );
        self.ctxt.error_on(ty, message);
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let first = &path.segments[0].ident;
        if first == "Self" {
            self.ctxt.error(
                first.span(),
                "the client has another `Self`: write the type itself",
            );
        }
        visit::visit_path(self, path);
    }
}
