//! Which argument is the context, and what is wrong with it.

use std::collections::VecDeque;

use proc_macro2::Span;
use syn::{Ident, Pat, PatType, Type, parse_quote};

use super::argument;
use crate::attrs;
use crate::ctxt::Ctxt;
use crate::model::Context;
use crate::types;

/// Takes the context out of the arguments of a method. If there is none, something harmless stands in for it.
pub(super) fn take(method: &Ident, inputs: &mut VecDeque<&PatType>, ctxt: &Ctxt) -> Context {
    let context = match misplaced(inputs) {
        Some(at) => {
            if let Some(input) = inputs.remove(at) {
                let message = "the context is the first argument after `&self`: move this one there, as `ctx: &Context`";
                ctxt.error_on(input, message);
            }
            None
        }
        None => {
            let input = inputs.pop_front();
            inputs.retain(|other| !second(input, other, ctxt));
            read(method, input, ctxt)
        }
    };
    // What stands in has a name that no argument has.
    context.unwrap_or_else(|| Context {
        ident: Ident::new("__rpc_no_context", Span::call_site()),
        ty: parse_quote!(&Context),
    })
}

fn read(method: &Ident, input: Option<&PatType>, ctxt: &Ctxt) -> Option<Context> {
    let Some(input) = input else {
        let message = format!("`{method}` has no context: write `ctx: &Context` after `&self`");
        ctxt.error(method.span(), message);
        return None;
    };
    for attr in input.attrs.iter().filter(|attr| attrs::is_ours(attr)) {
        ctxt.error_on(
            attr,
            "`#[rpc(..)]` is for methods and their arguments: the context takes none, remove it",
        );
    }
    let ident = argument::name(input, "ctx", ctxt);
    match types::peel(&input.ty) {
        Type::Reference(ty) if ty.mutability.is_some() => {
            ctxt.error_on(&input.ty, "the context is only lent: write `&Context`");
            None
        }
        // These are surely data: without this, the error would be one about types in generated code.
        Type::Reference(ty)
            if types::is_word(&ty.elem, "str")
                || matches!(types::peel(&ty.elem), Type::Slice(_)) =>
        {
            missing(input, ctxt)
        }
        Type::Reference(_) => Some(Context {
            ident: ident?,
            ty: (*input.ty).clone(),
        }),
        Type::Path(ty)
            if ty
                .path
                .segments
                .last()
                .is_some_and(|last| last.ident == "Context") =>
        {
            ctxt.error_on(&input.ty, "the context is only lent: write `&Context`");
            None
        }
        _ => missing(input, ctxt),
    }
}

/// Which argument is the context, if it surely is not the first. The type may be in scope under another name, and an
/// argument may well be called `ctx`.
fn misplaced(inputs: &VecDeque<&PatType>) -> Option<usize> {
    let first = inputs.front()?;
    if is_context(&first.ty) || is_named_ctx(first) && may_be_context(&first.ty) {
        return None;
    }
    let open = may_be_context(&first.ty);
    inputs.iter().position(|input| {
        let (named, typed) = (is_named_ctx(input), is_context(&input.ty));
        match open {
            true => named && typed,
            false => typed || named && may_be_context(&input.ty),
        }
    })
}

/// Reports an argument of the same type as the context's. Another `Context`, of another path, may be data.
fn second(context: Option<&PatType>, input: &PatType, ctxt: &Ctxt) -> bool {
    let Some(context) = context else {
        return false;
    };
    let second = is_context(&context.ty)
        && types::text(referent(&context.ty)) == types::text(referent(&input.ty));
    if second {
        let message =
            "only the first argument is the context, a method has no other: remove this one";
        ctxt.error_on(input, message);
    }
    second
}

/// What a reference is to, or the type itself.
fn referent(ty: &Type) -> &Type {
    match types::peel(ty) {
        Type::Reference(ty) => types::peel(&ty.elem),
        other => other,
    }
}

/// Whether it is a `Context` by its name, lent or not.
fn is_context(ty: &Type) -> bool {
    types::last_segment(referent(ty)).is_some_and(|(last, _)| last == "Context")
}

/// Whether it may be a `&Context` under another name: a reference to what is not surely data.
fn may_be_context(ty: &Type) -> bool {
    let data = |ty: &Type| types::is_word(ty, "str") || matches!(ty, Type::Slice(_));
    is_context(ty) || matches!(types::peel(ty), Type::Reference(_)) && !data(referent(ty))
}

fn is_named_ctx(input: &PatType) -> bool {
    matches!(&*input.pat, Pat::Ident(pat) if pat.ident == "ctx")
}

fn missing(input: &PatType, ctxt: &Ctxt) -> Option<Context> {
    let message =
        "the first argument after `&self` is the context: write `ctx: &Context` before this one";
    ctxt.error_on(input, message);
    None
}
