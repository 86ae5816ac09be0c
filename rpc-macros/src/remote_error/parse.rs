//! From the enum or struct to the model, and what is wrong with it.

use std::collections::HashMap;

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Ident, LitStr, Path, Type, Variant, parse_quote};

use super::{Class, Field, Fields, Model, Shape};
use crate::attrs;
use crate::ctxt::Ctxt;
use crate::parse::grammar::{Grammar, Takes};
use crate::parse::literal;
use crate::parse::words::Words;

const STRUCT: Grammar = Grammar {
    words: &[
        ("class", Takes::String("NotFound")),
        ("crate", Takes::String("my_crate::rpc_core")),
    ],
    elsewhere: &[("other", "stands on a variant of an enum")],
};

const ENUM: Grammar = Grammar {
    words: &[("crate", Takes::String("my_crate::rpc_core"))],
    elsewhere: &[
        ("class", "stands on a variant: each has its own"),
        ("other", "stands on the variant that takes unknown classes"),
    ],
};

const VARIANT: Grammar = Grammar {
    words: &[
        ("class", Takes::String("NotFound")),
        ("other", Takes::Nothing),
    ],
    elsewhere: &[("crate", "stands on the enum")],
};

const OTHER: &str = "the variant for unknown classes holds what is known of them: write `Other { class: String, message: String }`";

pub(super) fn model(input: &DeriveInput, ctxt: &Ctxt) -> Option<Model> {
    if !input.generics.params.is_empty() {
        let message =
            "an error that travels has no generics: its type is fixed, and it owns what it holds";
        ctxt.error_on(&input.generics, message);
    }
    no_serde(&input.attrs, ctxt);
    let (shape, words) = match &input.data {
        Data::Enum(data) => {
            let words = Words::of(&input.attrs, &ENUM, ctxt);
            (variants(&input.ident, &data.variants, ctxt), words)
        }
        Data::Struct(data) => {
            let words = Words::of(&input.attrs, &STRUCT, ctxt);
            let class = Class {
                name: class_name(&input.ident, &words, ctxt),
                ident: input.ident.clone(),
                fields: fields(&data.fields, ctxt),
            };
            (Shape::Struct(class), words)
        }
        Data::Union(data) => {
            let message =
                "an error that travels is an enum or a struct: nobody knows what a union holds";
            ctxt.error(data.union_token.span, message);
            return None;
        }
    };
    let krate = words
        .string("crate")
        .and_then(|literal| ctxt.ok(literal::krate(literal)));
    let default: Path = parse_quote!(::rpc_core);
    Some(Model {
        name: input.ident.clone(),
        krate: krate.unwrap_or(default),
        shape,
    })
}

fn variants<'a>(
    name: &Ident,
    variants: impl IntoIterator<Item = &'a Variant>,
    ctxt: &Ctxt,
) -> Shape {
    let mut classes: Vec<Class> = Vec::new();
    let mut other: Option<Ident> = None;
    for variant in variants {
        no_serde(&variant.attrs, ctxt);
        let words = Words::of(&variant.attrs, &VARIANT, ctxt);
        let Some(span) = words.span("other") else {
            classes.push(Class {
                name: class_name(&variant.ident, &words, ctxt),
                ident: variant.ident.clone(),
                fields: fields(&variant.fields, ctxt),
            });
            continue;
        };
        if let Some(first) = &other {
            let message = format!(
                "`{first}` takes the unknown classes already: remove one of the two `other`"
            );
            ctxt.error(span, message);
            continue;
        }
        if let Some(class) = words.string("class") {
            ctxt.error_on(
                class,
                "the variant for unknown classes has none of its own: remove `class`",
            );
        }
        is_other(variant, ctxt);
        other = Some(variant.ident.clone());
    }
    if classes.is_empty() {
        let message = match other {
            Some(_) => "there is no class but the unknown ones: add a variant",
            None => "an error has a variant: a method that cannot fail returns `Result<T, Never>`",
        };
        ctxt.error(name.span(), message);
    }
    distinct(&classes, ctxt);
    Shape::Enum { classes, other }
}

fn distinct(classes: &[Class], ctxt: &Ctxt) {
    let mut names: HashMap<String, &Ident> = HashMap::new();
    for class in classes {
        if let Some(first) = names.insert(class.name.value(), &class.ident) {
            let message = format!(
                "`{first}` is of class `{}` already: give one of the two another, by `#[rpc(class = \"..\")]`",
                class.name.value()
            );
            ctxt.error(class.name.span(), message);
        }
    }
}

/// What the variant for unknown classes must hold.
fn is_other(variant: &Variant, ctxt: &Ctxt) {
    let named = |name: &str| {
        variant
            .fields
            .iter()
            .find(|field| field.ident.as_ref().is_some_and(|ident| ident == name))
    };
    let (Some(class), Some(message), 2) = (named("class"), named("message"), variant.fields.len())
    else {
        let span = match variant.fields.is_empty() {
            true => variant.ident.span(),
            false => variant.fields.span(),
        };
        return ctxt.error(span, OTHER);
    };
    for field in [class, message] {
        if !is_string(&field.ty) {
            ctxt.error_on(&field.ty, OTHER);
        }
        for attr in &field.attrs {
            if attr.path().is_ident("serde") || attrs::is_ours(attr) {
                ctxt.error_on(attr, "class and message travel as they are: remove this");
            }
        }
    }
}

fn is_string(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|last| last.ident == "String"),
        // what a `$ty:ty` of `macro_rules!` is wrapped in
        Type::Group(group) => is_string(&group.elem),
        _ => false,
    }
}

fn class_name(ident: &Ident, words: &Words, ctxt: &Ctxt) -> LitStr {
    let own = words.string("class");
    if let Some(literal) = own {
        let _ = ctxt.ok(literal::name(literal, "class"));
    }
    own.cloned()
        .unwrap_or_else(|| LitStr::new(&ident.unraw().to_string(), ident.span()))
}

fn fields(fields: &syn::Fields, ctxt: &Ctxt) -> Fields {
    let all = fields
        .iter()
        .map(|field| {
            for attr in field.attrs.iter().filter(|attr| attrs::is_ours(attr)) {
                ctxt.error_on(
                    attr,
                    "what is said of a field is said to serde: `#[serde(..)]`",
                );
            }
            let serde = field
                .attrs
                .iter()
                .filter(|attr| attr.path().is_ident("serde"));
            Field {
                serde: serde.cloned().collect(),
                name: field.ident.clone(),
                ty: field.ty.clone(),
            }
        })
        .collect();
    match fields {
        syn::Fields::Unit => Fields::None,
        syn::Fields::Named(_) => Fields::Named(all),
        syn::Fields::Unnamed(_) => Fields::Tuple(all),
    }
}

/// The form of classes is given: serde has a say only in what they hold.
fn no_serde(attrs: &[Attribute], ctxt: &Ctxt) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
        let message = "the form of the error is given: another name of a class is `#[rpc(class = \"..\")]`, and `#[serde(..)]` stands on fields";
        ctxt.error(attr_span(attr), message);
    }
}

fn attr_span(attr: &Attribute) -> Span {
    attr.path().span()
}
