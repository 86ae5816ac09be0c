//! Which of the user's attributes go where, and the text of their docs.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, Token, parse_quote};

/// Whether it is our own `#[rpc(..)]`, which no compiler knows and which must not stay.
pub(crate) fn is_ours(attr: &Attribute) -> bool {
    attr.path().is_ident("rpc")
}

/// The attributes without ours.
pub(crate) fn without_ours(attrs: &[Attribute]) -> Vec<Attribute> {
    attrs
        .iter()
        .filter(|attr| !is_ours(attr))
        .cloned()
        .collect()
}

/// What decides whether the item exists: goes to everything that stands for a method, or to nothing.
pub(crate) fn cfgs(attrs: &[Attribute]) -> Vec<Attribute> {
    pick(attrs, &|meta| {
        meta.path().is_ident("cfg").then(|| meta.clone())
    })
}

/// What a client's method has in common with the method of the trait.
pub(crate) fn shared(attrs: &[Attribute]) -> Vec<Attribute> {
    const SHARED: [&str; 7] = [
        "doc",
        "cfg",
        "deprecated",
        "must_use",
        "allow",
        "warn",
        "deny",
    ];
    pick(attrs, &|meta| {
        // The copy may have nothing to expect: an expectation that is not met would be a warning.
        if let (true, Meta::List(list)) = (meta.path().is_ident("expect"), meta) {
            let mut list = list.clone();
            list.path = parse_quote!(allow);
            return Some(Meta::List(list));
        }
        let known = SHARED.iter().any(|name| meta.path().is_ident(name));
        known.then(|| meta.clone())
    })
}

/// The attributes of this name, also those behind a `cfg_attr`.
pub(crate) fn named(attrs: &[Attribute], name: &str) -> Vec<Attribute> {
    pick(attrs, &|meta| {
        meta.path().is_ident(name).then(|| meta.clone())
    })
}

/// The docs as text, without the one space that `/// ` puts before a line. `#[doc = include_str!(..)]` and the like have
/// no text yet; they are carried over as attributes only.
pub(crate) fn docs(attrs: &[Attribute]) -> Option<String> {
    let lines: Vec<String> = attrs.iter().filter_map(doc_line).collect();
    let text = lines.join("\n");
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Whether the user has documented the item, in whatever form.
pub(crate) fn has_docs(attrs: &[Attribute]) -> bool {
    attrs
        .iter()
        .any(|attr| matches!(&attr.meta, Meta::NameValue(meta) if meta.path.is_ident("doc")))
}

fn doc_line(attr: &Attribute) -> Option<String> {
    let Meta::NameValue(meta) = &attr.meta else {
        return None;
    };
    let Expr::Lit(ExprLit {
        lit: Lit::Str(text),
        ..
    }) = &meta.value
    else {
        return None;
    };
    let text = text.value();
    // A `/** block */` is one literal of several lines.
    let lines = text
        .lines()
        .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end());
    meta.path
        .is_ident("doc")
        .then(|| lines.collect::<Vec<_>>().join("\n"))
}

/// The attributes that `keep` makes something of, looking through `cfg_attr`, whose condition is kept.
fn pick(attrs: &[Attribute], keep: &dyn Fn(&Meta) -> Option<Meta>) -> Vec<Attribute> {
    attrs
        .iter()
        .filter_map(|attr| {
            let meta = pick_meta(&attr.meta, keep)?;
            Some(Attribute {
                meta,
                ..attr.clone()
            })
        })
        .collect()
}

fn pick_meta(meta: &Meta, keep: &dyn Fn(&Meta) -> Option<Meta>) -> Option<Meta> {
    let Meta::List(list) = meta else {
        return keep(meta);
    };
    if !list.path.is_ident("cfg_attr") {
        return keep(meta);
    }
    // One that cannot be read stays on the trait, where the compiler says what is wrong with it.
    let (condition, metas) = conditional.parse2(list.tokens.clone()).ok()?;
    let kept: Vec<Meta> = metas
        .iter()
        .filter_map(|meta| pick_meta(meta, keep))
        .collect();
    (!kept.is_empty()).then(|| {
        let mut list = list.clone();
        list.tokens = quote!(#condition, #(#kept),*);
        Meta::List(list)
    })
}

/// Reads `condition, attribute, attribute..`.
fn conditional(input: ParseStream<'_>) -> syn::Result<(TokenStream, Punctuated<Meta, Token![,]>)> {
    let mut condition = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        input
            .parse::<proc_macro2::TokenTree>()?
            .to_tokens(&mut condition);
    }
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    Ok((condition, Punctuated::parse_terminated(input)?))
}
