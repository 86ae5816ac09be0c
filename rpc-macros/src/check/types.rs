//! Types that cannot cross the wire.

use syn::visit::{self, Visit};
use syn::{Lifetime, Path, Type, TypeImplTrait, TypeReference};

use crate::ctxt::Ctxt;
use crate::model::{Arg, Form, Method};
use crate::types;

/// Judges all types of a method.
pub(super) fn method(method: &Method, ctxt: &Ctxt) {
    let judge = |place: Place, ty: &Type| {
        let whole = ty;
        Judge { ctxt, place, whole }.visit_type(ty);
    };
    judge(Place::Argument, &method.context.ty);
    for arg in &method.args {
        judge(Place::Argument, &arg.ty);
        for (_, ty) in &arg.types {
            judge(Place::Older, ty);
        }
        converted(arg, ctxt);
    }
    for removed in &method.removed {
        judge(Place::Client, &removed.ty);
    }
    for parameter in &method.routing {
        judge(Place::Routing, &parameter.ty);
    }
    judge(Place::Answer, &method.answer);
    for returned in &method.returned {
        judge(Place::Older, &returned.ty);
    }
}

/// A value that was made of an older one has no bytes to borrow from.
fn converted(arg: &Arg, ctxt: &Ctxt) {
    let borrows = match &arg.form {
        Form::Value => types::borrows(&arg.ty),
        Form::Slice(elem) | Form::Reference(elem) | Form::ReferenceToBorrowed(elem) => {
            types::borrows(elem)
        }
        Form::Str | Form::Bytes => false,
    };
    if let (true, Some((_, older))) = (borrows, arg.types.first()) {
        let message = format!(
            "a server makes this out of `{}` for older clients, and then there is nothing to borrow from: \
             write a type that owns what it holds",
            types::text(older)
        );
        ctxt.error_on(&arg.ty, message);
    }
}

/// The type without a reference around it.
fn owned(ty: &Type) -> String {
    match types::form(ty) {
        Form::Value => types::text(ty),
        Form::Str => "String".to_owned(),
        Form::Bytes => "Vec<u8>".to_owned(),
        Form::Slice(elem) => format!("Vec<{}>", types::text(&elem)),
        Form::Reference(elem) | Form::ReferenceToBorrowed(elem) => types::text(&elem),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Argument,
    Answer,
    /// What an argument or an answer was: made by a conversion.
    Older,
    /// What the client alone has, and sends.
    Client,
    /// What the client alone has, and does not send.
    Routing,
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
    fn visit_type(&mut self, ty: &'ast Type) {
        match types::twice_optional(ty) {
            Some(inner) if self.place != Place::Routing => {
                let message = format!(
                    "`None` and `Some(None)` are the same on the wire: write an enum that names all three cases, \
                     such as `enum Change {{ Keep, Clear, Set({}) }}`",
                    owned(inner)
                );
                self.ctxt.error_on(ty, message);
            }
            _ => visit::visit_type(self, ty),
        }
    }

    fn visit_type_reference(&mut self, ty: &'ast TypeReference) {
        let elem = types::text(&ty.elem);
        let why = match self.place {
            Place::Argument => None,
            Place::Answer => Some("the caller gets an answer of its own, from another machine"),
            Place::Older => Some("an older type is made by a conversion, and owns what it holds"),
            Place::Client | Place::Routing => return visit::visit_type_reference(self, ty),
        };
        if let Some(why) = why {
            let owned = owned(&Type::Reference(ty.clone()));
            self.ctxt.error_on(ty, format!("{why}: write `{owned}`"));
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
        let message = match self.place {
            Place::Answer => {
                "the caller gets an answer of its own, from another machine: write a type without lifetimes"
            }
            Place::Older => {
                "an older type is made by a conversion, and owns what it holds: write one without lifetimes"
            }
            _ if lifetime.ident == "_" => return,
            Place::Argument => "an argument is borrowed for the request: write `'_`",
            Place::Client | Place::Routing => {
                "the client's method declares no lifetimes: write `'_`"
            }
        };
        self.ctxt.error_on(lifetime, message);
    }

    fn visit_type_impl_trait(&mut self, ty: &'ast TypeImplTrait) {
        let what = match self.place {
            Place::Argument | Place::Client => "an argument",
            Place::Answer => "an answer",
            Place::Older => "what is converted",
            Place::Routing => return visit::visit_type_impl_trait(self, ty),
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
