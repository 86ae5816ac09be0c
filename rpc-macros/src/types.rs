//! Questions about types, answered from their syntax alone: a macro sees no others.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{
    GenericArgument, Lifetime, PathArguments, ReturnType, Signature, Type, TypeParamBound,
    TypeReference, parse_quote_spanned,
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
