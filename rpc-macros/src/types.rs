//! Questions about types, answered from their syntax alone: a macro sees no others.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{
    GenericArgument, Lifetime, PathArguments, ReturnType, Signature, Type, TypeParamBound,
    TypeReference, parse_quote, parse_quote_spanned,
};

use crate::model::Form;

/// The type inside parentheses and inside the invisible groups that `macro_rules!` puts around a `$t:ty`.
pub(crate) fn peel(mut ty: &Type) -> &Type {
    loop {
        ty = match ty {
            Type::Group(group) => &group.elem,
            Type::Paren(paren) => &paren.elem,
            other => return other,
        };
    }
}

pub(crate) fn is_unit(ty: &Type) -> bool {
    matches!(peel(ty), Type::Tuple(tuple) if tuple.elems.is_empty())
}

/// Whether the type is this one-word path, such as `str`.
pub(crate) fn is_word(ty: &Type, word: &str) -> bool {
    matches!(peel(ty), Type::Path(path) if path.qself.is_none() && path.path.is_ident(word))
}

/// The type that a method returns. Where none is written it is `()`, and stands where it would be written.
pub(crate) fn returned(sig: &Signature) -> Type {
    match &sig.output {
        ReturnType::Default => parse_quote_spanned!(sig.paren_token.span.close()=> ()),
        ReturnType::Type(_, ty) => (**ty).clone(),
    }
}

/// How an argument of this type is passed.
pub(crate) fn form(ty: &Type) -> Form {
    let Type::Reference(TypeReference { elem, .. }) = peel(ty) else {
        return Form::Value;
    };
    match peel(elem) {
        Type::Slice(slice) if is_word(&slice.elem, "u8") => Form::Bytes,
        Type::Slice(slice) => Form::Slice(slice.elem.clone()),
        _ if is_word(elem, "str") => Form::Str,
        _ if borrows(elem) => Form::ReferenceToBorrowed(elem.clone()),
        _ => Form::Reference(elem.clone()),
    }
}

/// Whether a value of this type may point into what it was decoded from.
pub(crate) fn borrows(ty: &Type) -> bool {
    struct Finder(bool);

    impl<'ast> Visit<'ast> for Finder {
        fn visit_type_reference(&mut self, _: &'ast TypeReference) {
            self.0 = true;
        }

        fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
            self.0 |= lifetime.ident != "static";
        }
    }

    let mut finder = Finder(false);
    finder.visit_type(ty);
    finder.0
}

/// The last word of the path that the type is, with the types between its angle brackets.
pub(crate) fn last_segment(ty: &Type) -> Option<(String, Vec<&Type>)> {
    let Type::Path(ty) = peel(ty) else {
        return None;
    };
    let last = ty.path.segments.last()?;
    let args = match &last.arguments {
        PathArguments::AngleBracketed(args) => args
            .args
            .iter()
            .filter_map(|arg| match arg {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    Some((last.ident.to_string(), args))
}

/// Whether it is an `Option`, or a reference to one.
pub(crate) fn is_option(ty: &Type) -> bool {
    match peel(ty) {
        Type::Reference(ty) => is_option(&ty.elem),
        ty => matches!(last_segment(ty), Some((word, args)) if word == "Option" && args.len() == 1),
    }
}

/// What is inside an `Option`, a `Vec` or a slice, lent or not, and which of the two it is: a slice is a `Vec` at the other end.
pub(crate) fn inside(ty: &Type) -> Option<(&'static str, &Type)> {
    match peel(ty) {
        Type::Reference(ty) => inside(&ty.elem),
        Type::Slice(ty) => Some(("Vec", &ty.elem)),
        ty => match (last_segment(ty)?.0.as_str(), &*last_segment(ty)?.1) {
            ("Option", [inside]) => Some(("Option", inside)),
            ("Vec", [inside]) => Some(("Vec", inside)),
            _ => None,
        },
    }
}

/// The `T` of an `Option<Option<T>>`, also where the inner one is behind what serde looks through.
pub(crate) fn twice_optional(ty: &Type) -> Option<&Type> {
    let inside = |ty| match last_segment(ty) {
        Some((word, args)) if word == "Option" && args.len() == 1 => Some(args[0]),
        _ => None,
    };
    let mut inner = inside(ty)?;
    loop {
        inner = match peel(inner) {
            Type::Reference(reference) => &reference.elem,
            other => match last_segment(other) {
                Some((word, args)) if word == "Box" && args.len() == 1 => args[0],
                _ => return inside(other),
            },
        };
    }
}

/// The `T` and the `E` of a `Result<T, E>` that is written out.
pub(crate) fn result(ty: &Type) -> Option<(&Type, &Type)> {
    match (last_segment(ty)?.0.as_str(), &*last_segment(ty)?.1) {
        ("Result", [value, error]) => Some((value, error)),
        _ => None,
    }
}

/// The item of a stream that would give, one by one, what a method of this type gives at once.
pub(crate) fn one_of(ty: &Type) -> Type {
    let elem = |ty: &Type| match (last_segment(ty)?.0.as_str(), &*last_segment(ty)?.1) {
        ("Vec", [elem]) => Some((*elem).clone()),
        _ => None,
    };
    if let Some(elem) = elem(ty) {
        return elem;
    }
    let mut item = peel(ty).clone();
    if let Type::Path(path) = &mut item
        && let Some(last) = path.path.segments.last_mut()
        && last.ident == "Result"
        && let PathArguments::AngleBracketed(args) = &mut last.arguments
        && let Some(GenericArgument::Type(value)) = args.args.first_mut()
        && let Some(elem) = elem(value)
    {
        *value = elem;
    }
    item
}

/// Whether a reference to this type, inside another, can be decoded: serde makes one of text and bytes as they lie in
/// the request, and three more types are known for the same. Of a `dyn`, there are other things to say.
pub(crate) fn lies_in_bytes(elem: &Type) -> bool {
    match peel(elem) {
        Type::Slice(slice) => is_word(&slice.elem, "u8"),
        Type::TraitObject(_) | Type::ImplTrait(_) => true,
        Type::Reference(inner) => lies_in_bytes(&inner.elem),
        other => last_segment(other)
            .is_some_and(|(last, _)| matches!(&*last, "str" | "Path" | "Bytes" | "RawValue")),
    }
}

/// The type of an argument without the references inside that cannot be decoded.
pub(crate) fn owned_inside(ty: &Type) -> Type {
    struct Owner;

    impl VisitMut for Owner {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            while let Type::Reference(reference) = peel(ty)
                && !lies_in_bytes(&reference.elem)
            {
                *ty = match peel(&reference.elem) {
                    Type::Slice(slice) => {
                        let elem = &slice.elem;
                        parse_quote!(Vec<#elem>)
                    }
                    elem => elem.clone(),
                };
            }
            visit_mut::visit_type_mut(self, ty);
        }
    }

    let mut ty = peel(ty).clone();
    match &mut ty {
        Type::Reference(top) => match &mut *top.elem {
            // `&[T]` can be lent too.
            Type::Slice(slice) => Owner.visit_type_mut(&mut slice.elem),
            elem => Owner.visit_type_mut(elem),
        },
        other => Owner.visit_type_mut(other),
    }
    ty
}

/// What the references inside a type of an argument are in, in words.
pub(crate) fn container(ty: &Type) -> String {
    let ty = match peel(ty) {
        Type::Reference(top) => peel(&top.elem),
        other => other,
    };
    match ty {
        Type::Tuple(_) => "a tuple".to_owned(),
        Type::Array(_) => "an array".to_owned(),
        Type::Slice(_) => "a slice".to_owned(),
        Type::Reference(_) => "a reference".to_owned(),
        _ => match last_segment(ty) {
            Some((word, _)) if word.starts_with(['A', 'E', 'I', 'O', 'U']) => {
                format!("an `{word}`")
            }
            Some((word, _)) => format!("a `{word}`"),
            None => "another type".to_owned(),
        },
    }
}

/// What `impl Stream<Item = T> + Send` says.
#[derive(Debug)]
pub(crate) struct Stream<'a> {
    pub(crate) item: &'a Type,
    pub(crate) send: bool,
}

/// Reads an `impl Stream<Item = ..>`. The trait is known by its `Item`, not by its name: it may have been renamed, and
/// the compiler checks what it really is.
pub(crate) fn stream(ty: &Type) -> Option<Stream<'_>> {
    let Type::ImplTrait(ty) = peel(ty) else {
        return None;
    };
    let (mut item, mut send) = (None, false);
    for bound in &ty.bounds {
        let TypeParamBound::Trait(bound) = bound else {
            continue;
        };
        let Some(last) = bound.path.segments.last() else {
            continue;
        };
        send |= last.ident == "Send";
        if let PathArguments::AngleBracketed(args) = &last.arguments {
            item = item.or(args.args.iter().find_map(|arg| match arg {
                GenericArgument::AssocType(assoc) if assoc.ident == "Item" => Some(&assoc.ty),
                _ => None,
            }));
        }
    }
    item.map(|item| Stream { item, send })
}

/// Whether an `impl Trait` is anywhere in the type.
pub(crate) fn has_impl(ty: &Type) -> bool {
    struct Finder(bool);

    impl<'ast> Visit<'ast> for Finder {
        fn visit_type_impl_trait(&mut self, ty: &'ast syn::TypeImplTrait) {
            self.0 = true;
            visit::visit_type_impl_trait(self, ty);
        }
    }

    let mut finder = Finder(false);
    finder.visit_type(ty);
    finder.0
}

/// The type's text as a person writes it: `Vec<u8>`, not the `Vec < u8 >` of a token stream.
pub(crate) fn text(ty: &Type) -> String {
    let mut text = String::new();
    write_tokens(ty.to_token_stream(), &mut text);
    text
}

fn write_tokens(tokens: TokenStream, text: &mut String) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{ ", " }"),
                    Delimiter::None => ("", ""),
                };
                text.push_str(open);
                write_tokens(group.stream(), text);
                text.push_str(close);
            }
            // The tick of a lifetime, `&`, `::` and angle brackets stick to what is beside them.
            TokenTree::Punct(punct) => match (punct.as_char(), tokens.peek()) {
                (separator @ (',' | ';'), Some(_)) => text.extend([separator, ' ']),
                (',', None) if !text.ends_with('(') && text.contains('(') => text.push(','),
                (',', None) => {}
                ('-', _) if punct.spacing() == Spacing::Joint => text.push_str(" -"),
                ('>', _) if text.ends_with(" -") => text.push_str("> "),
                (operator @ ('+' | '='), _) => text.extend([' ', operator, ' ']),
                (other, _) => text.push(other),
            },
            word => {
                let word = word.to_string();
                let after_word = text.ends_with(|last: char| {
                    last.is_alphanumeric() || matches!(last, '_' | '"' | '>') || !last.is_ascii()
                });
                if after_word && !text.ends_with("-> ") {
                    text.push(' ');
                }
                text.push_str(&word);
            }
        }
    }
}
